"""State "Close Session": the one way every session ends, however it ended."""

from typing import Any

from cloud_agent.adapters.github import connect
from cloud_agent.adapters.sessions_table import SessionsTable
from cloud_agent.domain.errors import (
    CloudAgentError,
    GitHubRateLimitedError,
    GitHubUnavailableError,
    SessionNotFoundError,
)
from cloud_agent.domain.messages import environment_name, marker, session_end
from cloud_agent.domain.session import Session, SessionStatus
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.settings import GitHubSettings, load


class CloseSessionEvent(StepEvent):
    """How the session ended."""

    status: SessionStatus
    reason: str


@step(CloseSessionEvent)
def handler(event: CloseSessionEvent) -> dict[str, Any]:
    """Guarantees that slot and lock are free and that no comment or Deployment claims a live URL.

    The table comes first: whatever GitHub answers, the next session can start.
    """
    settings = load(GitHubSettings)
    table = SessionsTable(settings.sessions_table)
    try:
        session = table.get_own(event.session.session_id, event.execution_arn)
    except SessionNotFoundError:
        logger.info("nothing to close: the session was never claimed")
        return {"status": event.status}
    table.close(session, event.status, event.reason)
    try:
        _withdraw(settings, session, event.reason)
    except (GitHubUnavailableError, GitHubRateLimitedError):
        raise  # the state is retried
    except CloudAgentError as error:
        # The pull request may be deleted or the App uninstalled: nothing is left to correct there.
        logger.warning("announcement not withdrawn", extra={"error": type(error).__name__})
    logger.info("session closed", extra={"status": event.status, "reason": event.reason})
    return {"status": event.status}


def _withdraw(settings: GitHubSettings, session: Session, reason: str) -> None:
    """What GitHub shows counts, not what the row knows: the state that announces may have failed half-way."""
    if session.pull_number is None:
        return
    repository = connect(settings, session.repo, session.installation_id)
    end = session_end(session.session_id, reason)
    repository.replace_comment(session.pull_number, marker("session", session.session_id), end)
    repository.end_deployments(session.branch, environment_name(session.pull_number))
