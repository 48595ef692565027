"""What an open page has to get right in every browser, told once for all of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tests.kit.transcripts import Script, sample, sample_history

from cloud_agent_proxy.proxy import ASSETS
from cloud_agent_proxy.session import Session, SessionStatus
from cloud_agent_proxy.writing.renderer import WritingRenderer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.integration.proxy.session_page.conftest import Recorder

HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script></pre></details>{{7*7}}<!--"
LINK = "javascript:alert(3)"
IDS = "[...document.querySelectorAll('.entry')].map(({id}) => id).join()"
CUT_STREAMS = "shutdown sessions server own_events/control"
"""To HAProxy: end the streams of all open pages."""
VIEWS = ("conversation", "preview", "details")
EVERYTHING_OPEN = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
AXE = Path(__file__).parents[4] / ".node/node_modules/axe-core/axe.min.js"
_VIOLATIONS = """axe.run(document, {iframes: false}).then(({violations}) => violations.map(
  ({id, nodes}) => `${id}: ${nodes.map(({html}) => html).join(" ")}`).join("\\n"))"""
_OURS = {"kind", "at", "prompt_id"}
_CUTS = 3


class OpenPage(Protocol):
    """A browser that shows the page."""

    async def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the expression is
        """Return what an expression is on the page."""

    async def shows(self, words: str) -> None:
        """Wait until the page shows these words."""


def hostile_streams(text: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a session's events, the agent's and the workflow's, with this text in each field of each kind."""
    history = sample_history(ended=True)
    history.add("command", name="model", argument="claude-sonnet-5", author="mona", url="https://github.com/acme/c")
    return _with_each_text(sample().events, text), _with_each_text(history.events, text)


async def shows_text_as_text(browser: OpenPage, recorder: Recorder, session_id: str) -> None:
    """Have an open page get hostile events, of which it had none: nothing of them is more than text."""
    agents, workflows = hostile_streams(f"[x]({LINK}) {HOSTILE}")
    script = Script(agents)
    script.message("That was all of it.")
    recorder.extend(session_id, Script(workflows).batches(), workflow=True)
    recorder.extend(session_id, script.batches())
    await browser.shows("That was all of it.")
    assert await browser.run("document.querySelectorAll('.entry').length") > len(workflows)
    for nothing in (
        "document.images.length",
        "document.scripts.length - 2",
        "document.querySelectorAll('[onerror]').length",
        "[...document.links].filter(({protocol}) => protocol === 'javascript:').length",
    ):
        assert (nothing, await browser.run(nothing)) == (nothing, 0)


async def loses_and_doubles_nothing(
    browser: OpenPage, recorder: Recorder, session_id: str, cut: Callable[[], Awaitable[object]]
) -> None:
    """Have an open page, which has no entries yet, get some while its connection is cut again and again."""
    script = Script()
    for known in range(_CUTS):
        first = len(script.events)
        for number in range(first, first + 10):
            script.message(f"message {number}")
        recorder.extend(session_id, script.batches(first=first), known=known)
        await asyncio.sleep(0.5 * known)  # before, while or after the page gets them
        await cut()
        await browser.shows(f"message {first + 9}")
    assert await browser.run(IDS) == ",".join(f"e{number}" for number in range(1, len(script.events) + 1))


async def says_who_else_is_looking(one: OpenPage, other: OpenPage, recorder: Recorder, session_id: str) -> None:
    """Have two visitors look at a session that has no entries yet: both get what comes, and see that they are two."""
    script = Script()
    script.message("For all who look.")
    recorder.extend(session_id, script.batches())
    for page in (one, other):
        await page.shows("2 people are looking")
        await page.shows("For all who look.")
        assert await page.run(IDS) == "e1"


async def has_no_violations(page: OpenPage) -> None:
    """Have axe look at all that the page can unfold."""
    await page.run(EVERYTHING_OPEN)
    if await page.run("typeof axe") == "undefined":
        await page.run(f"(() => {{ {AXE.read_text()}\n }})()")
    assert await page.run(_VIOLATIONS) == ""


def write_page(folder: Path, *, may_write: bool) -> str:
    """Write the page to write on, with all that it can say, into the folder; return its URL."""
    session = Session(id="6020583d", status=SessionStatus.RUNNING, repo="acme/storefront", issue_title="A title")
    page = WritingRenderer(ASSETS / "pages/session").page(
        session=session,
        session_url="https://6020583d.uat.example.test/.uat/",
        login="mona",
        may_write=may_write,
        token="a token",
        sent=True,
        problem="Write something first.",
        text="",
    )
    file = folder / f"{'writer' if may_write else 'reader'}.html"
    file.write_bytes(page.body)
    return file.as_uri()


def _texts(members: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - any JSON
    """Return where there are texts in a JSON document."""
    if isinstance(members, str):
        return [path]
    if not isinstance(members, dict | list):
        return []
    items = members.items() if isinstance(members, dict) else enumerate(members)
    return [found for key, value in items for found in _texts(value, (*path, key))]


def _with(members: Any, path: tuple[Any, ...], text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON document with one of its texts replaced."""
    if not path:
        return text
    copy: Any = dict(members) if isinstance(members, dict) else list(members)
    copy[path[0]] = _with(copy[path[0]], path[1:], text)
    return copy


def _with_each_text(events: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Return the events, and of each kind one more for each text that it has: nobody has to remember a new one."""
    fields = {(event["kind"], path): event for event in reversed(events) for path in _texts(event)}
    given = [_with(event, path, text) for (_, path), event in fields.items() if path[0] not in _OURS]
    return [*events, *({**event, "seq": number} for number, event in enumerate(given, len(events) + 1))]
