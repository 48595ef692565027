"""What one session uses beside its own container, in an hour and from its label to its end.

Sizes and times that neither template nor contract says are written here, each with where it is from.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.costs.prices import Usage, plus, times
from tests.costs.stack import LIMITS, LOG_EVENT_BYTES, access_log_bytes, function_gb, transitions

# tests/bench/agents measures 0.7 ms of CPU for a poll that finds nothing new; a function of 512 MB has 0.29 of a
# vCPU, and DynamoDB answers in single-digit milliseconds (Amazon DynamoDB: What is Amazon DynamoDB?).
POLLED_MS, LISTED_MS, REPORTED_MS = 15, 25, 30
PUBLISHED_MS, EDITED_MS = 130, 410  # without and with a request of GitHub
STEERED_MS = 600  # the webhook: three requests of GitHub
STEP_MS = 1_500  # a step of the workflow, one in two in a new worker
APPENDED_MS = 60  # a batch of the transcript: S3 answers a PUT in some tens of milliseconds
ROW_READS, ROW_WRITES = 1, 3  # units: the row of contracts/session_row.json with two task tokens is 3 KB
PROMPTS_READS = 2  # units: an issue and a few comments, 8 KB
FUNCTION_LOG_BYTES = 3 * (330 + LOG_EVENT_BYTES)  # Lambda's own three lines in JSON
OWN_LINE_BYTES = 600 + LOG_EVENT_BYTES  # one line of ours, or one of metrics
REPORTS_AN_HOUR = 3_600 / LIMITS["activity_seconds"]  # of tools while Claude works: the comment is edited for each
PREVIOUSLY_MS = 30  # a poll when each listed the prompts and wrote a line of metrics


@dataclass(frozen=True)
class Profile:
    """How a session-hour goes: shares of the time in a turn, in the minutes after one, and in which nobody is there.

    While it `is_watched`, somebody has its page open.
    """

    name: str
    working: float
    conversing: float
    turns: int
    is_watched: bool = False

    @property
    def quiet(self) -> float:
        """The rest of the hour."""
        return 1 - self.working - self.conversing


PROFILES = (
    Profile("nobody is there", 0.0, 0.0, 0),
    Profile("a quarter of it in turns", 0.25, 0.25, 4),
    Profile("Claude works all the time", 1.0, 0.0, 6),
    Profile("somebody watches it, too", 1.0, 0.0, 6, is_watched=True),
)
TOOLS_AN_HOUR = 240  # tools that Claude uses while it works: one every 15 s
# Of the transcript: what Claude says comes with its tool call, and the result some seconds later. Who doesn't watch has
# them as one.
BATCHES_A_TOOL, WATCHED_BATCHES_A_TOOL = 1, 2
BATCHES_A_TURN = 4  # its beginning, the reply, the commits and the preview
PICTURES_A_TURN = 2  # of one page, at a desktop's width and a phone's


def api(milliseconds: float, reads: float = 0, writes: float = 0) -> Usage:
    """Return a request of the Agent API."""
    executed = {"api": 1.0, "invocation": 1.0, "gb_second": milliseconds / 1_000 * function_gb()}
    return plus(executed, {"read": reads, "write": writes, "log": access_log_bytes()})


def function(milliseconds: float, reads: float = 0, writes: float = 0) -> Usage:
    """Return an invocation of any other function."""
    executed = {"invocation": 1.0, "gb_second": milliseconds / 1_000 * function_gb(), "trace": 1.0}
    return plus(executed, {"read": reads, "write": writes, "log": FUNCTION_LOG_BYTES + 2 * OWN_LINE_BYTES})


def published(milliseconds: float, reads: float = 0, writes: float = 0) -> Usage:
    """Return an invocation of the publisher, which isn't traced and whose log has no lines of Lambda's own."""
    executed = {"invocation": 1.0, "gb_second": milliseconds / 1_000 * function_gb()}
    return plus(executed, {"read": reads, "write": writes, "log": 2 * OWN_LINE_BYTES})


ASK = api(POLLED_MS, reads=ROW_READS)
HEARTBEAT = api(LISTED_MS, reads=ROW_READS + PROMPTS_READS)
REPORT = api(REPORTED_MS, reads=ROW_READS, writes=ROW_WRITES)
STATUSES = 4  # of a session that goes well, each an object of the transcript
PUBLISH = published(PUBLISHED_MS, reads=10)
APPEND = plus(api(APPENDED_MS, reads=2 * ROW_READS, writes=1), {"put": 1.0})  # the transcript's own row is small
EDIT = plus(published(EDITED_MS, reads=14, writes=1), {"write": 1})
STEER = plus(function(STEERED_MS, reads=6, writes=8), {"api": 1, "log": access_log_bytes()})


def polling(profile: Profile) -> Usage:
    """Return an hour's polls and heartbeats."""
    often = (profile.working + profile.conversing) * 3_600 / LIMITS["busy_poll_seconds"]
    seldom = profile.quiet * 3_600 / LIMITS["idle_poll_seconds"]
    heartbeats = 3_600 / LIMITS["heartbeat_seconds"]
    return plus(times(often + seldom - heartbeats, ASK), times(heartbeats, HEARTBEAT))


def working(profile: Profile) -> Usage:
    """Return an hour's reports of tools and turns, and what the publisher does about them."""
    reports = profile.working * REPORTS_AN_HOUR + 2 * profile.turns
    return times(reports, plus(REPORT, EDIT))


def recording(profile: Profile) -> Usage:
    """Return an hour of the transcript."""
    tools = profile.working * TOOLS_AN_HOUR
    batches = WATCHED_BATCHES_A_TOOL if profile.is_watched else BATCHES_A_TOOL
    requests = batches * tools + (BATCHES_A_TURN + PICTURES_A_TURN) * profile.turns
    notes = 3_600 / LIMITS["watched_note_seconds"] if profile.is_watched else 0
    noted = plus(PUBLISH, {"write": ROW_WRITES})  # the publisher sees every change of the row
    return plus(times(requests, APPEND), times(notes, noted))  # a picture is counted in the same row


def steering(profile: Profile) -> Usage:
    """Return an hour's comments, one for each turn."""
    return times(profile.turns, plus(STEER, PUBLISH))


def start_to_end() -> Usage:
    """Return what every session costs once, however long it runs."""
    steps = times(7, function(STEP_MS, reads=8, writes=6))
    claim = {"write": 13.0, "read": 4.0}  # one transaction of four items, at two units each and more; the index
    followed = times(6, PUBLISH)
    waits = times(3, api(LISTED_MS, reads=2, writes=ROW_WRITES))  # ready, Git token, environment
    changes = times(7, plus({"event": 1.0}, function(100, reads=2, writes=ROW_WRITES)))  # of the task's state
    recorded = times(STATUSES, {"put": 1.0, "write": 1.0, "read": 1.0})
    return plus(STEER, steps, claim, followed, waits, changes, recorded, {"transition": transitions("Session Ended")})


# The ways for an agent to learn of prompts that were weighed, for an hour in which nobody is there.


def as_it_was() -> Usage:
    """Return an hour of a poll each second that lists all prompts, and of heartbeats beside it."""
    poll = plus(
        api(PREVIOUSLY_MS, reads=ROW_READS + PROMPTS_READS),
        {"log": FUNCTION_LOG_BYTES + OWN_LINE_BYTES, "trace": 1},
    )
    return times(3_600 + 120, poll)


def held_open(*, memory_gb: float, seconds: float = 20) -> Usage:
    """Return an hour of requests that a function holds open, reading the row each second."""
    requests = 3_600 / seconds
    once = {"api": 1.0, "invocation": 1.0, "gb_second": seconds * memory_gb, "log": access_log_bytes()}
    return plus(times(requests, once), {"read": 3_600.0 * ROW_READS})


def pushed() -> Usage:
    """Return an hour of a WebSocket: a ping each minute, heartbeats over it, and a poll a minute to be safe."""
    return plus({"connection": 60.0, "message": 60.0 + 120}, times(120, function(LISTED_MS, 1)), times(60, ASK))


def queued() -> Usage:
    """Return an hour of a queue for each session, polled by API Gateway for 20 s at a time, and its authorizer."""
    receive = {"api": 1.0, "sqs": 1.0, "log": access_log_bytes()}
    return plus(times(180, receive), times(12, function(LISTED_MS, 1)), times(120, HEARTBEAT))
