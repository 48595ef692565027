"""A requested session's execution is started, with what earlier sessions of the issue were asked and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.adapters.table.slots import Slots
from cloud_agent.domain.conversation.history import EarlierSession, history_of, turns_of
from cloud_agent.domain.errors import RequestOvertakenError
from cloud_agent.domain.session.naming import execution_name
from cloud_agent.observability import identify_session, logger, metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent.adapters.github.issue import Issue
    from cloud_agent.domain.conversation.prompts import Prompt
    from cloud_agent.domain.session.session_request import RequestedSession
    from cloud_agent.settings import WebhookSettings

_TRIES = 3  # each is overtaken by a session of its own, and one session follows another in seconds at the least
_HISTORY_SESSIONS = 5  # how many sessions back the history goes


def launch(settings: WebhookSettings, session: RequestedSession, issue: Prompt, after: RequestedSession | None) -> None:
    """Start the session's execution, with the issue as its first prompt. Run twice, it is started once.

    Raises:
        RequestOvertakenError: the session requested last is not the one that this was decided after; nothing starts.
    """
    identify_session(session.session_id)
    RequestedSessions(settings.sessions_table).record(session, after)
    Slots(settings.sessions_table).ensure()
    history = history_of(_earlier_sessions(settings, session.previous_session_id))
    prompt = issue.model_copy(update={"history": history})
    Prompts(settings.sessions_table).put(session.session_id, prompt)
    name = execution_name(session.repo, session.issue_number, session.session_id)
    started = Workflow().start(settings.state_machine_arn, name, session.model_dump_json())
    logger.info("session requested", extra={"execution_name": name, "started": started, "follows": session.follows})
    metrics.add_metric("SessionsRequested", MetricUnit.Count, 1)


def with_branches(session: RequestedSession, issue: Issue) -> RequestedSession:
    """Return the session with what was read of branches with the issue, which saves requests.

    That's which of the repository's are in its own branch's way, and where its own is to begin: unless the session has
    to wait for another to end, or the default branch has a new name by now. A pull request's is there already.
    """
    if session.is_of_pull_request:
        return session
    is_usable = session.follows is None and issue.default_branch == session.default_branch
    head = issue.default_head if is_usable else None
    return session.model_copy(update={"default_head": head, "similar_branches": issue.similar_branches})


def decide_again_when_overtaken(act: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Act on the sessions as they are, and anew where another session was requested in the meantime.

    Raises:
        RequestOvertakenError: that has happened each time; whatever delivered this may deliver it again.
    """
    for _ in range(_TRIES - 1):
        try:
            return act()
        except RequestOvertakenError as error:
            logger.info("decided again", extra={"reason": str(error)})
    return act()


def _earlier_sessions(settings: WebhookSettings, session_id: str | None) -> list[EarlierSession]:
    """Return the sessions before, oldest first."""
    table, prompts = SessionsTable(settings.sessions_table), Prompts(settings.sessions_table)
    earlier: list[EarlierSession] = []
    for _ in range(_HISTORY_SESSIONS):
        session = table.find(session_id) if session_id else None
        if session is None:
            break
        turns = turns_of(prompts.of(session.session_id), prompts.turn_results_of(session.session_id))
        earlier.insert(0, EarlierSession(session, turns))
        session_id = session.previous_session_id
    return earlier
