"""A turn begins with the prompt as it is once nobody can edit or delete it any more."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from claude_agent_sdk import AssistantMessage, TextBlock
from pydantic import SecretStr

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.agent_api_messages import PreviewReport, Prompt
from cloud_agent_runner.attachments.attachments import Attachments
from cloud_agent_runner.claude.client import TurnResult
from cloud_agent_runner.git.changes import Commit, Diff
from cloud_agent_runner.git.credit import Credit, Credits
from cloud_agent_runner.git.publish_errors import PublishFailedError
from cloud_agent_runner.git.push import Published
from cloud_agent_runner.git.unfinished import UnfinishedError
from cloud_agent_runner.git.update import NOTHING_NEW, Update
from cloud_agent_runner.notices import Notices
from cloud_agent_runner.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_agent_runner.attachments.given import Image

GITHUB = "https://github.com"
PROMPT = Prompt(id="01K0M1Z0000000000000000001", kind="comment", body="In blue, please.")


class Workspace:
    """A branch that nothing happens on."""

    work_tree = Path("/home/workspace/repository")
    has_set_aside = False

    async def credit(self, _credit: Credit) -> None:
        """Nothing is committed."""

    def follow_base(self, base: str) -> Update:
        return Update(f"For {base}.") if base else NOTHING_NEW

    async def bring_up_to_date(self) -> Update:
        return NOTHING_NEW

    def missing(self) -> Update:
        return Update("Older commits are missing.")

    async def publish(self, *, undo: bool = False) -> Published:
        del undo
        return Published(head_sha=None)

    def undone(self) -> Update:
        return NOTHING_NEW

    async def newly_uncommitted(self) -> list[str]:
        return [".env"]

    async def conflicts(self) -> bool:
        return False

    async def changes(self) -> tuple[list[Commit], Diff]:
        return [Commit("a" * 40, "Greet", 2, 1)], Diff(1, 2, 1)


class Claude:
    """Remembers what it's asked."""

    def __init__(self, result: str = "Done.") -> None:
        self._result = result
        self.requests: list[str] = []
        self.images: list[Image] = []

    def expect_turn(self) -> None:
        """Nobody interrupts."""

    async def turn(
        self,
        request: str,
        _report: Callable[[str, str], Awaitable[None]],
        observe: Callable[[Any], None],
        images: tuple[Image, ...],
    ) -> TurnResult:
        self.requests.append(request)
        self.images += images
        observe(AssistantMessage(content=[TextBlock(text="On it.")], model="m"))
        return TurnResult(is_error=False, result=self._result, turns=1, cost_usd=0.0)


class Transcript:
    """Remembers the kinds of events, and of which turn they are."""

    def __init__(self) -> None:
        self.prompt_id: str | None = None
        self.recorded: list[tuple[str, str | None]] = []

    def record(self, kind: str, **_: object) -> None:
        self.recorded.append((kind, self.prompt_id))


class UnpublishedWork:
    """Remembers what it's asked to keep."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def turn_began(self) -> None:
        self.calls.append("turn began")

    async def keep(self) -> int:
        self.calls.append("keep")
        return 2

    async def all_published(self) -> None:
        self.calls.append("all published")


class Preview:
    report = PreviewReport("live")

    def turn_ended(self) -> None:
        """Nothing follows from it."""


class Pictures:
    """Remembers when it was asked for which pages."""

    def __init__(self, happened: list[str] | None = None) -> None:
        self.happened = [] if happened is None else happened

    def turn_begins(self) -> None:
        self.happened.append("turn begins")

    async def after_turn(self, pages: list[str]) -> int:
        self.happened.append(f"pictures of {' '.join(pages)}")
        return 2


@pytest.mark.parametrize("now", ["In green, please.", None])
def test_what_was_edited_or_deleted_at_the_last_moment_is_not_worked_on_as_it_was(now: str | None) -> None:
    reports: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/prompts"):
            prompts = [PROMPT.model_dump() | {"body": now}] if now else []
            return httpx.Response(200, json={"prompts": prompts, "interrupt": None, "base_branch": "release"})
        reports.append(json.loads(request.content)["event"])
        return httpx.Response(200, json={})

    claude = Claude()

    async def work() -> None:
        api = AgentApi("https://api.example", SecretStr("s"), SecretStr("t"), transport=httpx.MockTransport(respond))
        stand_ins: tuple[Any, Any, Any] = (Workspace(), claude, Preview())
        transcript: Any = Transcript()
        others: tuple[Any, ...] = (transcript, Credits("app", GITHUB), Attachments(api, GITHUB), UnpublishedWork())
        pictures: Any = Pictures()
        turns = Turns(stand_ins[0], api, Notices(), *others)
        await turns.work_on(PROMPT, stand_ins[1], stand_ins[2], pictures)
        recorded.extend(transcript.recorded)

    recorded: list[tuple[str, str | None]] = []
    asyncio.run(work())
    kinds = ["prompt", "turn_started", "message", "commit", "total_diff", "turn_finished"]
    assert recorded == [(kind, PROMPT.id) for kind in kinds] * bool(now)
    assert ["In green, please." in request for request in claude.requests] == [True] * bool(now)
    assert all(request.startswith("For release. Older commits are missing.\n\n") for request in claude.requests)
    assert not any("In blue" in request for request in claude.requests)
    assert reports == ["turn_started", *["turn_finished"] * bool(now)]


@pytest.mark.parametrize("refused", [True, False])
def test_a_turn_says_what_it_asks_how_many_commits_stay_here_and_whether_the_branch_conflicts(*, refused: bool) -> None:
    class Unpublished(Workspace):
        async def publish(self, *, undo: bool = False) -> Published:
            del undo
            if refused:
                raise PublishFailedError("Couldn't push.")
            return Published(head_sha="a" * 40)

        async def conflicts(self) -> bool:
            return refused

    said: list[tuple[str, int, bool]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/prompts"):
            return httpx.Response(200, json={"prompts": [PROMPT.model_dump()], "interrupt": None})
        report = json.loads(request.content)
        if report["event"] == "turn_finished":
            said.append((report["question"], report["unpublished"], report["conflicts"]))
            assert "Done.\n\nWith tax?" in report["result"]
        return httpx.Response(200, json={})

    async def work() -> None:
        api = AgentApi("https://api.example", SecretStr("s"), SecretStr("t"), transport=httpx.MockTransport(respond))
        claude = Claude("Done.\n<question>\nWith tax?\n</question>")
        stand_ins: tuple[Any, Any, Any] = (Unpublished(), claude, Preview())
        others: tuple[Any, ...] = (Transcript(), Credits("app", GITHUB), Attachments(api, GITHUB), kept)
        pictures: Any = Pictures()
        await Turns(stand_ins[0], api, Notices(), *others).work_on(PROMPT, stand_ins[1], stand_ins[2], pictures)

    kept = UnpublishedWork()
    asyncio.run(work())
    assert kept.calls == ["turn began", "keep" if refused else "all published"]
    assert said == [("With tax?", 2, True) if refused else ("With tax?", 0, False)]


@pytest.mark.parametrize("interrupted", [False, True])
def test_what_is_half_done_goes_back_to_claude_once_unless_it_was_interrupted(*, interrupted: bool) -> None:
    class HalfDone(Workspace):
        has_set_aside = True

        async def publish(self, *, undo: bool = False) -> Published:
            published.append(undo)
            if not undo:
                raise UnfinishedError("A rebase is in progress.", "Finish the rebase.")
            return Published(head_sha="a" * 40, note="Merged.")

        def undone(self) -> Update:
            return Update("It was undone, Claude.", "(It was undone, people.)")

    class Interrupted(Claude):
        async def turn(self, *arguments: Any) -> TurnResult:  # noqa: ANN401 - as its base has them
            return replace(await super().turn(*arguments), interrupted=interrupted)

    published: list[bool] = []
    results: list[tuple[str, int]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/prompts"):
            return httpx.Response(200, json={"prompts": [PROMPT.model_dump()], "interrupt": None})
        report = json.loads(request.content)
        results.extend([(report["result"], report["unpublished"])] if report["event"] == "turn_finished" else [])
        return httpx.Response(200, json={})

    claude = Interrupted()

    async def work() -> None:
        api = AgentApi("https://api.example", SecretStr("s"), SecretStr("t"), transport=httpx.MockTransport(respond))
        stand_ins: tuple[Any, Any, Any] = (HalfDone(), claude, Preview())
        others: tuple[Any, ...] = (Transcript(), Credits("app", GITHUB), Attachments(api, GITHUB), UnpublishedWork())
        pictures: Any = Pictures()
        turns = Turns(stand_ins[0], api, Notices(), *others)
        await turns.work_on(PROMPT, stand_ins[1], stand_ins[2], pictures)
        await turns.work_on(PROMPT, stand_ins[1], stand_ins[2], pictures)

    asyncio.run(work())
    per_turn = [True] if interrupted else [False, True]
    assert published == per_turn * 2
    asked_to_finish = [request == "Finish the rebase." for request in claude.requests]
    assert asked_to_finish == [bool(number) for number in range(len(per_turn))] * 2
    assert "It was undone, Claude." in claude.requests[-1 if interrupted else -2]
    result, unpublished = results[0]
    assert "\n\n(Merged.)\n\n(It was undone, people.)" in result
    assert unpublished == 2
    assert results[1][0].count("undone, people") == 1


def test_a_turn_has_the_images_of_its_prompt_and_says_which_files_are_missing() -> None:
    prompt = PROMPT.model_copy(update={"has_attachments": True})
    image, signed = f"{GITHUB}/user-attachments/assets/1", "https://private-user-images.githubusercontent.com/1/2-x.gif"
    log = f"{GITHUB}/user-attachments/files/1/server.log"
    files = [
        {"url": image, "source": "", "signed_url": f"{signed}?jwt=a"},
        {"url": log, "source": "", "signed_url": None},
    ]
    results: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.host == "private-user-images.githubusercontent.com":
            assert "authorization" not in request.headers
            return httpx.Response(200, stream=httpx.ByteStream(b"GIF89a\1\0\1\0"))
        if request.url.path.endswith("/prompts"):
            return httpx.Response(200, json={"prompts": [prompt.model_dump()], "interrupt": None})
        if request.url.path.endswith("/attachments"):
            return httpx.Response(200, json={"attachments": files})
        report = json.loads(request.content)
        results.extend([report["result"]] if report["event"] == "turn_finished" else [])
        return httpx.Response(200, json={})

    claude = Claude()
    transcript = Transcript()

    async def work() -> None:
        transport = httpx.MockTransport(respond)
        api = AgentApi("https://api.example", SecretStr("s"), SecretStr("t"), transport=transport)
        stand_ins: tuple[Any, Any, Any] = (Workspace(), claude, Preview())
        others: tuple[Any, ...] = (
            transcript,
            Credits("app", GITHUB),
            Attachments(api, GITHUB, transport),
            UnpublishedWork(),
        )
        pictures: Any = Pictures()
        await Turns(stand_ins[0], api, Notices(), *others).work_on(prompt, stand_ins[1], stand_ins[2], pictures)
        assert f"{signed}?jwt=a" in api.handed_out

    asyncio.run(work())
    assert [(one.url, one.media_type) for one in claude.images] == [(image, "image/gif")]
    assert f"\n{log} isn't an image\n" in claude.requests[0]
    assert f"(Claude hasn't seen an attached file: [server.log]({log}) isn't an image.)" in results[0]
    assert "(Not committed, as files like these rarely belong in Git: `.env`. If one does," in results[0]
    assert "notice" in [kind for kind, _ in transcript.recorded]


@pytest.mark.parametrize("pushed", [True, False])
def test_a_turn_that_changed_files_is_pictured_once_the_preview_knows_and_before_its_result(*, pushed: bool) -> None:
    happened: list[str] = []

    class Pushed(Workspace):
        async def publish(self, *, undo: bool = False) -> Published:
            del undo
            return Published(head_sha="a" * 40 if pushed else None)

    class Watched(Preview):
        def turn_ended(self) -> None:
            happened.append("the preview looks")

    class Naming(Claude):
        async def turn(self, *arguments: Any, **named: Any) -> TurnResult:  # noqa: ANN401 - the method's own
            happened.append("Claude works")
            pages = "<pages>\n/menu\n/cart\n</pages>"
            return replace(await super().turn(*arguments, **named), result=f"Done.\n\n{pages}")

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/prompts"):
            return httpx.Response(200, json={"prompts": [PROMPT.model_dump()], "interrupt": None})
        report = json.loads(request.content)
        if report["event"] == "turn_finished":
            happened.append(f"{report['pictures']} pictures, and: {report['result'].partition('(')[0].strip()}")
        return httpx.Response(200, json={})

    async def work() -> None:
        api = AgentApi("https://api.example", SecretStr("s"), SecretStr("t"), transport=httpx.MockTransport(respond))
        stand_ins: tuple[Any, Any, Any, Any] = (Pushed(), Naming(), Watched(), Pictures(happened))
        others: tuple[Any, ...] = (Transcript(), Credits("app", GITHUB), Attachments(api, GITHUB), UnpublishedWork())
        await Turns(stand_ins[0], api, Notices(), *others).work_on(PROMPT, *stand_ins[1:])

    asyncio.run(work())
    taken, count = (["pictures of /menu /cart"], 2) if pushed else ([], 0)
    assert happened == [
        "turn begins",
        "Claude works",
        "the preview looks",
        *taken,
        f"{count} pictures, and: Done.",
    ]
