"""Whoever writes something that a session's page shows, writes text and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.proxy.session_page.scenarios import HOSTILE, LINK, hostile_streams
from tests.integration.proxy.visitor import NAVIGATION
from tests.kit.transcripts import Script, sample, sample_history, sample_row

if TYPE_CHECKING:
    from tests.integration.proxy.conftest import Proxy
    from tests.integration.proxy.session_page.conftest import Recorder


async def shown(
    proxy: Proxy, recorder: Recorder, events: list[dict[str, Any]], history: list[dict[str, Any]], **row: object
) -> str:
    session_id = recorder.put(Script(events).batches(1_000), **sample_row() | row)
    recorder.extend(session_id, Script(history).batches(), workflow=True)
    async with proxy.client(session_id, NAVIGATION) as client:
        response = await client.get("/.uat/")
    assert response.status_code == 200
    assert '<article id="e' in response.text
    return response.text


@pytest.mark.parametrize("text", [HOSTILE, LINK, f"[x]({LINK})\n\n```{HOSTILE}\n{HOSTILE}"])
async def test_whatever_a_field_says_is_shown_as_text(proxy: Proxy, recorder: Recorder, text: str) -> None:
    """One page for all fields, each in an event of its own: a page for each would take minutes."""
    events, history = hostile_streams(text)
    assert (len(events), len(history)) > (80, 15)
    page = await shown(proxy, recorder, events, history)
    assert "<img" not in page
    assert page.count("<script") == page.count("</script") == 2
    assert [f"{name}=" for name in ("href", "src") if f'{name}="{LINK}' in page] == []
    assert ("{{7*7}}" in page) == (HOSTILE in text)
    assert page.count("<details") == page.count("</details>")


@pytest.mark.parametrize(
    "name",
    [
        "repo",
        "issue_title",
        "issue_url",
        "branch",
        "execution_arn",
        "logs_url",
        "created_at",
        "pull_url",
        "model",
        "idle_ends_at",
    ],
)
async def test_whatever_the_row_says_is_shown_as_text(proxy: Proxy, recorder: Recorder, name: str) -> None:
    for text in (HOSTILE, LINK):
        page = await shown(proxy, recorder, sample().events, [], **{name: text})
        assert "<img" not in page
        assert f'href="{LINK}' not in page


@pytest.mark.parametrize("value", [None, 7, True, [], {}, ["x", 1], 1e400])
async def test_a_member_of_another_type_is_as_if_it_were_not_there(
    proxy: Proxy, recorder: Recorder, value: object
) -> None:
    streams = sample().events, sample_history(ended=True).events
    for events in streams:
        for event in list(events):
            others = {name: value for name in event if name not in {"v", "seq", "kind"}}
            events.append({**event, **others, "seq": len(events) + 1})
    await shown(proxy, recorder, *streams)
