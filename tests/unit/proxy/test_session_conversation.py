"""A transcript's events, folded into a conversation; and what is kept of many."""

from __future__ import annotations

import asyncio

import pytest
from tests.kit.transcripts import Script, sample, sample_history

from cloud_agent_proxy.session_page.conversation import Conversation, Known
from cloud_agent_proxy.session_page.events import read_events
from cloud_agent_proxy.session_page.objects import BucketUnavailableError
from cloud_agent_proxy.session_page.streams import MOST_STREAMS
from cloud_agent_proxy.session_page.transcripts import Transcripts
from cloud_agent_proxy.sessions_table import TranscriptLength


def folded(*batches: bytes) -> Conversation:
    conversation = Conversation()
    for batch in batches:
        conversation.add(read_events(batch))
    return conversation


class Objects:
    """A bucket in memory that counts what it is asked for."""

    def __init__(self, *batches: bytes | None) -> None:
        self.batches = list(batches)
        self.asked: list[str] = []
        self.unavailable = False

    async def get(self, key: str) -> bytes | None:
        self.asked.append(key)
        await asyncio.sleep(0)
        if self.unavailable:
            raise BucketUnavailableError(key)
        return self.batches[int(key[-16:-6]) - 1]


def test_a_batch_that_is_read_twice_changes_nothing() -> None:
    batches = sample().batches(7)

    once, twice = folded(*batches), folded(*(batch for batch in batches for _ in range(2)))

    assert [(e.seq, e.version, len(e.changes)) for e in once.entries.values()] == [
        (e.seq, e.version, len(e.changes)) for e in twice.entries.values()
    ]
    assert once.size == twice.size


def test_a_tool_call_has_its_changes_and_its_result_and_is_later_news() -> None:
    script = Script()
    script.tool("Edit", {"file_path": "a"}, None, {"a": "@@ -1 +1 @@\n-a\n+b"})
    before = folded(*script.batches())
    script.add("tool_result", id="toolu_0", is_error=True, text="no")

    conversation = folded(*script.batches())

    (entry,) = conversation.entries.values()
    assert (entry.seq, entry.version, len(entry.changes)) == (1, 3, 1)
    assert entry.result is not None
    assert entry.result.flag("is_error")
    assert conversation.since(before.known) == [entry]
    assert conversation.since(Known(3)) == []


def with_statuses(script: Script) -> Conversation:
    conversation = folded(*script.batches())
    for batch in sample_history(ended=True).batches(2):
        for _ in range(2):
            conversation.add_history(read_events(batch))
    return conversation


def test_statuses_are_between_the_agents_entries_on_one_page_each() -> None:
    script = Script()
    for number in range(12):
        script.message(str(number))  # the fourth is older than RUNNING by a second
    conversation = with_statuses(script)

    pages = [conversation.before(seq, 5) for seq in (13, 8, 3)]

    ids = ["s1", "s2", "e1", "e2", "e3", "s3", *(f"e{number}" for number in range(4, 13)), "s4"]
    assert [entry.id for page in reversed(pages) for entry in page] == ids
    assert [conversation.has_before(seq) for seq in (13, 8, 3, 1)] == [True, True, True, False]
    assert [event.text("state") for event in conversation.history if event.kind == "execution"] == [
        "Create Branch",
        "Run Agent",
        "Announce Session",
        "Close Session",
    ]


def test_a_status_is_news_to_who_has_none_as_late() -> None:
    script = Script()
    script.message("first")
    conversation = with_statuses(script)

    assert [entry.id for entry in conversation.since(Known())] == ["s1", "s2", "e1", "s3", "s4"]
    assert [entry.id for entry in conversation.since(Known.read("1.2"))] == ["s3", "s4"]
    assert conversation.since(Known.read(str(conversation.known))) == []


@pytest.mark.parametrize("text", ["", "x", "1.", ".1", "1.2.3", "-1", "1e3", "9" * 10])
def test_who_says_nothing_readable_has_nothing(text: str) -> None:
    assert Known.read(text) == Known()


def test_beside_the_conversation_is_what_was_said_last() -> None:
    now = folded(*sample().batches()).now

    assert [item.text("status") for item in now.todo] == ["completed", "completed", "completed", "in_progress"]
    assert [commit.text("subject") for commit in now.commits] == ["Show the cart's total"]
    assert now.total_diff is not None
    assert now.total_diff.count("files") == 3
    assert now.services == {"postgres": "running"}
    assert list(now.logs) == ["install", "dev_server"]
    assert now.working_since


@pytest.mark.parametrize(
    "line",
    [
        b"not JSON",
        b"[1]",
        b'{"seq": "1", "kind": "message"}',
        b'{"seq": true, "kind": "message"}',
        b'{"seq": -1, "kind": "message"}',
        b'{"kind": "message"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_no_event_costs_no_other(line: bytes) -> None:
    script = Script()
    script.message("still here")
    assert [e.event.text("text") for e in folded(line + b"\n" + script.batches()[0]).entries.values()] == ["still here"]


def test_the_oldest_entries_go_first_where_memory_is_short() -> None:
    script = Script()
    for number in range(100):
        script.message(f"{number} " + "x" * 1_000)
    conversation = folded(*script.batches())

    conversation.shrink(conversation.size // 2)

    left = [entry.seq for entry in conversation.entries.values()]
    assert left == list(range(left[0], 101))
    assert 45 <= len(left) <= 50
    assert conversation.dropped


async def test_an_object_is_fetched_once_for_all_who_ask() -> None:
    batches = sample().batches(5)
    objects = Objects(*batches)
    transcripts = Transcripts(objects)

    read = await asyncio.gather(*(transcripts.read("6020583d", TranscriptLength(len(batches)), 5) for _ in range(10)))

    assert len({id(conversation) for conversation in read}) == 1
    assert read[0].last_seq == len(sample().events)
    assert len(objects.asked) == len(set(objects.asked)) == len(batches)


async def test_what_came_while_the_bucket_was_away_is_read_afterwards() -> None:
    batches = sample().batches(5)
    objects = Objects(*batches)
    transcripts = Transcripts(objects)
    await transcripts.read("6020583d", TranscriptLength(1), 5)
    objects.unavailable = True
    with pytest.raises(BucketUnavailableError):
        await transcripts.read("6020583d", TranscriptLength(len(batches)), 5)
    assert transcripts.known("6020583d").last_seq == 5
    objects.unavailable = False

    conversation = await transcripts.read("6020583d", TranscriptLength(len(batches)), 5)

    assert conversation.last_seq == len(sample().events)
    assert len(conversation.entries) == len(folded(*batches).entries)


async def test_an_object_whose_time_was_over_leaves_a_gap_that_is_known() -> None:
    batches = sample().batches(20)
    conversation = await Transcripts(Objects(None, *batches[1:])).read("6020583d", TranscriptLength(len(batches)), 5)
    assert conversation.dropped
    assert conversation.last_seq == len(sample().events)


async def test_many_sessions_share_the_memory() -> None:
    script = Script()
    for _ in range(60):
        script.message("x" * 1_000)
    objects = Objects(*script.batches(10))
    transcripts = Transcripts(objects, most_bytes=600_000)

    read = [await transcripts.read(f"{number:08x}", TranscriptLength(6), 5) for number in range(6)]

    assert sum(conversation.size for conversation in read) <= 600_000
    assert all(conversation.entries for conversation in read)
    assert len(objects.asked) == 36  # each once, for all that was let go


async def test_no_session_is_read_again_while_its_page_is_open_however_many_are() -> None:
    script = Script()
    script.message("hello")
    objects = Objects(*script.batches(10))
    transcripts = Transcripts(objects)
    for _ in range(2):
        for number in range(MOST_STREAMS):
            await transcripts.read(f"{number:08x}", TranscriptLength(1), 5)
    assert len(objects.asked) == MOST_STREAMS


async def test_a_session_that_nobody_looks_at_any_more_is_forgotten() -> None:
    now = 0.0
    transcripts = Transcripts(Objects(*sample().batches(100)), clock=lambda: now)
    await transcripts.read("6020583d", TranscriptLength(1), 5)
    now = 601.0
    await transcripts.read("09e22a8b", TranscriptLength(1), 5)
    assert transcripts.known("6020583d").last_seq == 0
    assert transcripts.known("09e22a8b").last_seq > 0
