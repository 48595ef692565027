"""Pages of a preview as Chromium shows them: which have a picture, and of what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.http_server import NoResponse, Request, Response, serve_http

from cloud_agent_runner.browser.installed import find_browser
from cloud_agent_runner.pictures import camera
from cloud_agent_runner.pictures.camera import Camera
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.agent.conftest import Agent, ControlPlane

ADDRESS = ListenAddress("127.0.0.1", "127.0.0.1", 3000)
pytestmark = pytest.mark.skipif(
    not find_browser(WorkspaceUser.find(), ADDRESS),
    reason="needs Chromium, Node.js and Playwright's packages: make browser",
)

LONG = "<!doctype html><style>body{margin:0;background:%s} b{display:block;height:4000px}</style><b>Menu</b>"
# Where it's narrow it's short, as a menu that folds; what turns and the caret are no change.
NARROW = """<!doctype html><style>@keyframes turn { to { rotate: 360deg } }
i { animation: turn 1s infinite; display: block }
@media (min-width: 1000px) { b { display: block; height: 2000px } }</style><b></b><i>o</i><input autofocus>"""
HANGING = "<!doctype html><h1>Still loading</h1><img src=/hangs>"
AWAY = "<!doctype html><script>location = '%s/'</script>"


async def test_a_page_is_taken_from_its_top_at_both_widths_and_what_is_no_page_of_the_preview_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "_SECONDS", 120)  # however busy the machine is
    monkeypatch.setattr(camera, "_PAGE_SECONDS", 30)

    def respond(request: Request) -> Response | NoResponse:
        responses: dict[str, Response | NoResponse] = {
            "/hangs": NoResponse.HANG,
            "/data": Response.of({"menu": []}),
            "/moved": Response(302, headers={"Location": f"{elsewhere.url}/"}),
            "/leaves": _page(AWAY % elsewhere.url),
            "/broken": replace(_page("<!doctype html>Oh."), status=500),
            "/slow": _page(HANGING),
            "/narrow": _page(NARROW),
        }
        return responses.get(request.path, _page(LONG % color))

    color = "white"
    temporary = tmp_path / ("as long as in local mode " * 4)
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    user = WorkspaceUser(tmp_path, None)
    browser = find_browser(user, ADDRESS)
    assert browser is not None
    with serve_http(_page("<!doctype html>Elsewhere")) as elsewhere, serve_http(respond) as preview:
        taker = Camera(replace(browser, preview_url=preview.url), user, None)

        async def taken(*pages: str) -> list[tuple[str, int, int, str]]:
            found = [picture async for picture in taker.take(pages)]
            return [(one.page, one.width, int.from_bytes(one.png[20:24]), one.sha256) for one in found]

        before = await taken("/data", "/moved", "/", "/leaves", "/broken", "/narrow", "/slow")
        sizes = [(page, width, height) for page, width, height, _ in before]
        assert sizes == [
            ("/", 1280, 2_400),
            ("/", 390, 2_400),
            ("/narrow", 1280, sizes[2][2]),
            ("/narrow", 390, 800),
            ("/slow", 1280, 800),
            ("/slow", 390, 800),
        ]
        assert 2_000 < sizes[2][2] < 2_400

        color = "black"
        after = await taken("/", "/narrow")
    assert [one[-1] != other[-1] for one, other in zip(before, after, strict=False)] == [True, True, False, False]


def _page(text: str) -> Response:
    return Response(200, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


async def test_a_page_that_never_comes_to_rest_keeps_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(camera, "_SECONDS", 60)
    monkeypatch.setattr(camera, "_PAGE_SECONDS", 1)
    user = WorkspaceUser(tmp_path, None)
    browser = find_browser(user, ADDRESS)
    assert browser is not None
    with serve_http(_page("<!doctype html><script>for (;;);</script>")) as preview, caplog.at_level("INFO"):
        taker = Camera(replace(browser, preview_url=preview.url), user, None)
        assert [picture async for picture in taker.take(["/busy", "/too"])] == []
    (record,) = caplog.records
    assert [line.partition(":")[0] for line in record.__dict__["reason"].splitlines()] == ["/busy", "/too"]


def test_each_turn_is_shown_beside_the_one_before(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    def shown(number: int) -> list[dict[str, Any]]:
        """The pictures of a turn, once both widths are there."""
        events = [event for event in control_plane.transcript if event["kind"] == "picture"]
        return events[2 * number : 2 * number + 2] if len(events) >= 2 * number + 2 else []

    control_plane.ask("Change the greeting", "Please change the greeting to: Hello from Claude")
    agent = start_agent(PICTURES="on")
    first = agent.until(lambda: shown(0), seconds=120)
    control_plane.ask("", "Please change the greeting to: Hello again", kind="comment")
    second = agent.until(lambda: shown(1), seconds=120)

    assert [(one["page"], one["width"]) for one in first + second] == [("/", 1280), ("/", 390)] * 2
    assert [one["before"] for one in second] == [one["after"] for one in first]
    named = {one[name] for one in first + second for name in ("before", "after")} - {None}
    assert named == control_plane.pictures.keys()
    assert all(event["pictures"] <= 2 for event in control_plane.events("turn_finished"))
