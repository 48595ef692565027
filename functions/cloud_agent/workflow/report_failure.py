"""State "Report Failure": every failure reaches people, with what they can do about it."""

from __future__ import annotations

from typing import Any

from cloud_agent.adapters.aws.workflow import TASK_STOPPED
from cloud_agent.adapters.github.connection import connect
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation.messages import (
    marker,
    restart_by_comment,
    restart_by_label,
    session_failure,
    with_settings_file,
)
from cloud_agent.domain.errors import SessionNotFoundError
from cloud_agent.domain.policy.failures import explain
from cloud_agent.domain.session.console_pages import execution_console_url
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.settings import GitHubSettings, load


class ReportFailureEvent(StepEvent):
    """What the failed state reported, as Step Functions hands it on."""

    state: str
    error: str
    cause: str


@step(ReportFailureEvent)
def handler(event: ReportFailureEvent) -> dict[str, Any]:
    """Guarantees one comment with the cause: on the pull request, or on the issue where there is none yet."""
    settings, session = load(GitHubSettings), event.session
    row, cause = None, event.cause
    try:
        row = SessionsTable(settings.sessions_table).get_own(session.session_id, event.execution_arn)
    except SessionNotFoundError:
        logger.info("it failed before its row was written")
    else:
        if event.error == TASK_STOPPED and row.task_stopped_reason:
            cause = row.task_stopped_reason  # a state that refused to wait knows only that the container has stopped
    failure = explain(event.state, event.error, cause)
    if row:
        failure = with_settings_file(failure, row)
    pull_number = row.pull_number if row else None
    logger.error("session failed", extra={"state": event.state, "error": event.error, "cause": cause})
    next_step = restart_by_comment() if pull_number else restart_by_label()
    console_url = execution_console_url(event.execution_arn)
    github = connect(settings, session.repository)
    comment_id = github.conversation.ensure_comment(
        pull_number or session.issue_number,
        marker("failure", session.session_id),
        session_failure(session.session_id, failure, console_url, next_step),
    )
    return {"reason": failure.what, "comment_id": comment_id}
