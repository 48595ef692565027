"""The table's stream: whatever changed of a session is brought onto its pull request."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from cloud_agent.adapters.table.keys import COMMANDS, PROMPT, SESSION, SLOTS, TURN_RESULT, kind_and_name
from cloud_agent.domain.errors import GitHubRateLimitedError, GitHubUnavailableError, SessionNotFoundError
from cloud_agent.domain.session.canary import CANARY_ID
from cloud_agent.observability import identify_session, logger, metrics, tracer
from cloud_agent.publisher.context import PublishingContext, publishing_context
from cloud_agent.publisher.notifications import notify
from cloud_agent.publisher.replies import publish_reply
from cloud_agent.publisher.status import refresh
from cloud_agent.publisher.transcript import record_what_happened
from cloud_agent.settings import PublisherSettings, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

_RETRYABLE = (GitHubUnavailableError, GitHubRateLimitedError, BotoCoreError, ClientError)
_PAUSE_SECONDS = 10  # the stream hands a failed batch over again at once, which is what a rate limit is there to stop


@dataclass
class Changes:
    """What a batch of records is about, each thing once and in the order in which it came."""

    sessions: dict[str, None] = field(default_factory=dict)
    turn_results: dict[tuple[str, str], None] = field(default_factory=dict)
    new_prompts: dict[str, list[str]] = field(default_factory=dict)
    commanded: dict[str, None] = field(default_factory=dict)
    """Sessions in which commands were given, of which nothing but their transcript may have to say anything."""
    queue: bool = False


@tracer.capture_lambda_handler
@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - AWS's signature
    """Guarantees that what the table says now stands on GitHub, or raises, so that the stream hands it over again.

    Every part is tried before anything is raised, and what no retry can fix is logged and dropped: no session keeps
    another's news from being published.
    """
    metrics.add_metric("RecordsPublished", MetricUnit.Count, len(event["Records"]))
    changes = changes_of(event["Records"])
    settings = load(PublisherSettings)
    publishing = publishing_context(settings)
    cause: Exception | None = None
    for session_id, prompt_id in changes.turn_results:
        cause = _attempt(session_id, partial(publish_reply, publishing, session_id, prompt_id)) or cause
    for session_id in _to_refresh(publishing, changes):
        new_prompts = changes.new_prompts.get(session_id, [])
        cause = _attempt(session_id, partial(refresh, publishing, session_id, new_prompts)) or cause
    for session_id in changes.sessions | changes.commanded:
        cause = _attempt(session_id, partial(record_what_happened, publishing, settings, session_id)) or cause
    for session_id in changes.sessions:  # last: no comment waits for a chat
        cause = _attempt(session_id, partial(notify, publishing, settings, session_id)) or cause
    if isinstance(cause, GitHubRateLimitedError):
        time.sleep(_PAUSE_SECONDS)
    if cause is not None:
        raise cause
    return {"turn_results": len(changes.turn_results), "sessions": len(changes.sessions)}


def changes_of(records: list[dict[str, Any]]) -> Changes:
    """Read the keys of the stream's records; our own bookkeeping, the canary and rows that expired are no news."""
    changes = Changes()
    for record in records:
        if record["eventName"] == "REMOVE":
            continue
        keys = record["dynamodb"]["Keys"]
        (table, session_id), (kind, prompt_id) = (kind_and_name(keys[name]["S"]) for name in ("pk", "sk"))
        if table == SLOTS:
            changes.queue = True
        elif table == SESSION and kind == COMMANDS:
            changes.commanded[session_id] = None
        elif table == SESSION and session_id != CANARY_ID and kind in {SESSION, PROMPT, TURN_RESULT}:
            changes.sessions[session_id] = None
            if kind == TURN_RESULT:
                changes.turn_results[session_id, prompt_id] = None
            elif kind == PROMPT and record["eventName"] == "INSERT":
                changes.new_prompts.setdefault(session_id, []).append(prompt_id)
    return changes


def _to_refresh(publishing: PublishingContext, changes: Changes) -> list[str]:
    waiting = [one.session_id for one in publishing.slots.occupancy().waiting] if changes.queue else []
    return list(dict.fromkeys([*changes.sessions, *waiting]))


def _attempt(session_id: str, publish: Callable[[], None]) -> Exception | None:
    """Publish; return what a retry may fix."""
    identify_session(session_id)
    try:
        publish()
    except _RETRYABLE as error:
        logger.warning("publishing will be retried", extra={"error": type(error).__name__, "cause": str(error)})
        metrics.add_metric("PublishingRetried", MetricUnit.Count, 1)
        return error
    except SessionNotFoundError:
        logger.info("nothing to publish: the session's row is gone")
    except Exception:  # noqa: BLE001 - logged with its traceback; raised, it would hold up every other session
        logger.exception("publishing failed")
        metrics.add_metric("PublishingFailed", MetricUnit.Count, 1)
    return None
