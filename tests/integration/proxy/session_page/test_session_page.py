"""`/.uat/`: the page of a session, as the real proxy serves it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from tests.integration.proxy.visitor import NAVIGATION, access
from tests.kit.transcripts import Script, sample, sample_history, sample_row

if TYPE_CHECKING:
    import httpx
    from tests.integration.proxy.conftest import HaproxyCommand, Proxy, StartProxy, StartUpstream, Text
    from tests.integration.proxy.session_page.conftest import Recorder

OURS = r"#|/|\?|\./|transcript\.jsonl|http://sign-in\.uat\.example\.test:8080/|https://github\.com/acme/|https://us-east-1\.console\.aws\.amazon\.com/"
EXTERNAL = re.compile(rf"(?:src|href|srcset|action|poster)=[\"']?(?!{OURS})[^\"']+")


async def get(proxy: Proxy, session_id: str, path: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    async with proxy.client(session_id, NAVIGATION | (headers or {})) as client:
        return await client.get(f"/.uat/{path}")


async def test_the_page_says_what_the_session_is_about_and_what_claude_did(proxy: Proxy, recorder: Recorder) -> None:
    response = await get(proxy, recorder.put(sample().batches(), **sample_row()))

    assert response.status_code == 200
    for words in (
        "Show the cart&#39;s total",
        "acme/storefront",
        'href="https://github.com/acme/storefront/pull/43"',
        'href="http://sign-in.uat.example.test:8080/">All sessions</a>',
        "claude-opus-5-5",
        "See <code>src/cart.ts</code>",
        "The second <code>add</code> replaced the quantity",
        "npx vitest run src/cart.test.ts",
        "readonly items: Item[] = [];",
        "Look at the page at 390 px",
        "VITE v7.2.0",
        '<code>postgres</code> <span class="soft">running</span>',
        "7fd1a60",
    ):
        assert words in response.text, words
    assert EXTERNAL.findall(response.text) == []
    assert "unsafe" not in response.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"


async def test_the_page_shows_statuses_and_what_the_execution_went_through(proxy: Proxy, recorder: Recorder) -> None:
    ended = {"status": "FAILED", "ended_at": "2026-11-22T09:00:00.000Z"}
    session_id = recorder.put(sample().batches(), **sample_row() | ended)
    recorder.extend(session_id, sample_history(ended=True).batches(), workflow=True)

    text = (await get(proxy, session_id)).text

    shown = [text.index(f"Session {status}<") for status in ("queued", "starting", "running", "failed")]
    assert shown == sorted(shown)
    assert shown[1] < text.index("Show the cart&#39;s total</strong>") < shown[3]
    history = re.sub(r"(\s*<[^>]+>)+\s*", " ", text[text.index('<section id="history"') :])
    for words in (
        "Workflow States 4 The execution went through earlier states, too, which aren&#39;t listed.",
        "Create Branch 5s · 1 retry",
        "Announce Session 18s · 5 retries GitHubUnavailableError GitHub responded with 503 &lt;b&gt;nothing&lt;/b&gt;",
        "Close Session still running when the session ended",
    ):
        assert words in history


async def test_the_page_shows_commands_by_who_gave_them_between_what_claude_did(
    proxy: Proxy, recorder: Recorder
) -> None:
    script, workflow = Script(), Script()
    script.message("before")
    workflow.add(
        "command", name="model", argument="claude-sonnet-5 <high>", author="mona", url="https://github.com/acme/c"
    )
    script.add("notice", text="while")
    workflow.add("command", name="stop", argument="", author="mona", url="javascript:alert(1)")
    workflow.add("status", status="STOPPED", reason="Stopped by mona.")
    session_id = recorder.put(script.batches(), **sample_row())
    recorder.extend(session_id, workflow.batches(), workflow=True)
    text = (await get(proxy, session_id)).text
    assert re.findall(r'<article id="(\w+)"', text) == ["e1", "s1", "e2", "s2", "s3"]
    assert (
        '<b>mona</b> <a href="https://github.com/acme/c" rel="noreferrer">/model</a> claude-sonnet-5 &lt;high&gt;'
        in text
    )
    assert "<b>mona</b> /stop</span>" in text


async def test_a_session_that_only_has_statuses_says_that_nothing_has_happened_yet(
    proxy: Proxy, recorder: Recorder
) -> None:
    session_id = recorder.put([], **sample_row() | {"status": "STARTING"})
    recorder.extend(session_id, sample_history().batches(), workflow=True)
    text = (await get(proxy, session_id)).text
    assert "Session starting<" in text
    assert "Nothing has happened yet" in text


async def test_our_own_script_and_style_stay_small(proxy: Proxy, recorder: Recorder) -> None:
    text = (await get(proxy, recorder.put([], **sample_row()))).text
    own = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, re.DOTALL)
    assert len(own) == 3
    assert sum(len(part.encode()) for part in own) < 60_000


async def test_only_who_may_see_the_session_sees_its_page(gated: Proxy, recorder: Recorder) -> None:
    session_id = recorder.put(sample().batches(), **sample_row())
    for path in ("", "?return_to=/", "stage", "entries?before=9", "transcript.jsonl", f"pictures/{'a' * 64}.png"):
        for unknown in (session_id, "00000000"):
            refused = await get(gated, unknown, path)
            assert (refused.status_code, "Open this session from its pull request" in refused.text) == (401, True)
            assert "acme" not in refused.text
    shown = await get(gated, session_id, headers=access(session_id))
    assert (shown.status_code, "acme/storefront" in shown.text) == (200, True)


async def test_of_an_unknown_session_there_is_no_page(proxy: Proxy) -> None:
    response = await get(proxy, "00000000")
    assert (response.status_code, "Session not found" in response.text) == (404, True)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_below_the_page_takes_a_change(proxy: Proxy, recorder: Recorder, method: str) -> None:
    """The preview's own scripts can send whatever the page can."""
    session_id = recorder.put(sample().batches(), **sample_row())
    async with proxy.client(session_id) as client:
        for path in ("", "stage", "entries", "transcript.jsonl", f"pictures/{'a' * 64}.png", "prompts", "stop"):
            response = await client.request(
                method, f"/.uat/{path}", headers={"Origin": f"http://{client.headers['Host']}"}
            )
            assert response.status_code in {404, 405}


async def test_looking_at_the_page_is_no_visit(
    proxy: Proxy, recorder: Recorder, haproxy_command: HaproxyCommand
) -> None:
    session_id = recorder.put(sample().batches(), **sample_row())
    await get(proxy, session_id)
    assert session_id not in await haproxy_command(proxy, "show table visits")


async def test_earlier_entries_are_a_page_of_their_own(proxy: Proxy, recorder: Recorder) -> None:
    script = Script()
    for number in range(1, 451):
        script.message(f"message {number} of many")
    session_id = recorder.put(script.batches(100), **sample_row())
    shown: list[int] = []
    path, is_last = "", ""
    for _ in range(3):
        text = (await get(proxy, session_id, path)).text
        shown = [int(number) for number in re.findall(r"message (\d+) of many", text)] + shown
        link = re.search(r'<p id="earlier" class="earlier"( hidden)?><a class="button" href="/.uat/([^"]+)">', text)
        assert link is not None
        is_last, path = link.groups()
    assert is_last
    assert shown == list(range(1, 451))
    fragment = await get(proxy, session_id, "entries?before=251")
    assert fragment.headers["x-earlier"] == "51"
    assert re.findall(r"message (\d+) of many", fragment.text) == [str(number) for number in range(51, 251)]


async def test_the_whole_transcript_can_be_downloaded(proxy: Proxy, recorder: Recorder) -> None:
    script = sample()
    response = await get(proxy, recorder.put(script.batches(7), **sample_row()), "transcript.jsonl")
    assert response.headers["content-type"].startswith("application/jsonl")
    assert [json.loads(line) for line in response.text.splitlines()] == script.events


async def test_a_picture_is_for_who_may_see_the_session(proxy: Proxy, recorder: Recorder) -> None:
    digest = "b" * 64
    session_id = recorder.put([], **sample_row())
    recorder.put_object(session_id, f"pictures/{digest}.png", b"\x89PNG")
    picture = await get(proxy, session_id, f"pictures/{digest}.png")
    assert (picture.status_code, picture.content, picture.headers["content-type"]) == (200, b"\x89PNG", "image/png")
    assert "sandbox" in picture.headers["content-security-policy"]
    for wrong in ("c" * 64, "..%2f" * 3 + "agent", digest.upper()):
        assert (await get(proxy, session_id, f"pictures/{wrong}.png")).status_code == 404


IN_PLACE = [
    ({"status": "QUEUED"}, 503, "The session is starting"),
    ({"status": "QUEUED", "pull_number": 7}, 503, "The session is queued"),
    ({"status": "STARTING"}, 503, "The session is starting"),
    ({"preview": {"state": "starting"}}, 503, "The preview is starting"),
    ({"preview": {"state": "failed"}}, 502, "The preview isn&#39;t running"),
    ({"preview": {"state": "none"}}, 404, "This session has no preview"),
    ({"status": "FAILED", "end_reason": "The install command failed."}, 410, "The session has failed"),
    ({"status": "STOPPED"}, 410, "The session has stopped"),
    ({"status": "COMPLETED"}, 410, "The session has completed"),
]


@pytest.mark.parametrize(("row", "status", "title"), IN_PLACE)
async def test_where_there_is_no_preview_a_person_sees_what_claude_does_and_why(
    proxy: Proxy, recorder: Recorder, row: dict[str, object], status: int, title: str
) -> None:
    session_id = recorder.put(sample().batches(), **row)
    async with proxy.client(session_id, {**NAVIGATION, "Sec-Fetch-Dest": "document"}) as client:
        response = await client.get("/a/page?before=1")
    assert response.status_code == status
    assert f"<h2>{title}</h2>" in response.text
    assert "Yes, with a sticky footer" in response.text
    assert response.headers.get("retry-after") == (None if status == 410 else "2")
    assert ('http-equiv="refresh"' in response.text) == (status != 410)
    assert str(row.get("end_reason", "")) in response.text


@pytest.mark.parametrize(("row", "status", "title"), IN_PLACE)
async def test_frames_and_programs_are_told_the_same_in_short(
    proxy: Proxy, recorder: Recorder, row: dict[str, object], status: int, title: str
) -> None:
    session_id = recorder.put(sample().batches(), **row)
    async with proxy.client(session_id, {**NAVIGATION, "Sec-Fetch-Dest": "iframe"}) as client:
        response = await client.get("/")
    assert response.status_code == status
    assert f">{title}</h1>" in response.text
    words = "See what Claude did" if status == 410 else "See what Claude is doing"
    assert f'href="/.uat/">{words}</a>' in response.text
    assert "sticky footer" not in response.text


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/a?b=c&d#e", "/a?b=c&amp;d#e"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ('/"><script>', "/&#34;&gt;&lt;script&gt;"),
    ],
)
async def test_in_place_of_a_dev_server_that_does_not_respond_the_page_leads_back_on_its_own_host_alone(
    proxy: Proxy, recorder: Recorder, unused_address: str, wanted: str, led_to: str
) -> None:
    session_id = recorder.put(sample().batches(), ip=unused_address, port=3000, **sample_row())
    page = await get(proxy, session_id, f"?{urlencode({'return_to': wanted})}")
    assert page.status_code == 200
    assert f' data-return-to="{led_to}"' in page.text
    assert "<h2>The dev server isn&#39;t responding</h2>" in page.text
    assert "sticky footer" in page.text
    assert "<iframe" not in page.text


async def test_what_stands_in_the_previews_place_follows_what_the_dev_server_does(
    proxy: Proxy, recorder: Recorder, unused_address: str, start_upstream: StartUpstream, text: Text
) -> None:
    row = sample_row() | {"preview": {"state": "live", "log": "<b>out of memory"}}
    session_id = recorder.put([], ip=unused_address, port=3000, **row)
    down = (await get(proxy, session_id, "stage")).text
    assert "the container refuses connections on port 3000" in down
    assert "&lt;b&gt;out of memory" in down
    assert 'data-live="no" data-retry="2"' in down
    await start_upstream(text("the dev server"), unused_address)
    await asyncio.sleep(1)  # for which a finding holds
    assert 'data-live="yes" data-retry=""' in (await get(proxy, session_id, "stage")).text


async def test_what_is_sent_to_a_session_that_starts_is_not_kept(proxy: Proxy, recorder: Recorder) -> None:
    headers = {**NAVIGATION, "Sec-Fetch-Dest": "document"}
    async with proxy.client(recorder.put([], status="STARTING"), headers) as client:
        assert "go back and send it again" in (await client.post("/save", data={"a": "b"})).text


@pytest.mark.parametrize("status", ["STOPPED", "FAILED", "COMPLETED"])
async def test_the_page_stays_after_the_end(proxy: Proxy, recorder: Recorder, status: str) -> None:
    row = sample_row() | {"status": status, "end_reason": "It <b>ended</b>.", "ended_at": "2026-11-22T09:00:00.000Z"}
    text = (await get(proxy, recorder.put(sample().batches(), **row))).text
    assert status.capitalize() in text
    assert "It &lt;b&gt;ended&lt;/b&gt;." in text
    assert "replaced the quantity" in text
    assert "<iframe" not in text


async def test_without_the_bucket_the_page_says_so_and_shows_the_row(
    start_proxy: StartProxy, recorder: Recorder
) -> None:
    session_id = recorder.put(sample().batches(), **sample_row())
    with start_proxy(AWS_ENDPOINT_URL_S3="http://127.0.0.1:9") as proxy:
        response = await get(proxy, session_id)
    assert response.status_code == 200
    assert "The transcript can&#39;t be read right now" in response.text
    assert "acme/storefront" in response.text
