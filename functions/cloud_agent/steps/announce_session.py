"""State "Announce Session": the comment that the person waits for, and a Deployment beside it."""

from typing import Any

from cloud_agent.adapters.github import connect
from cloud_agent.adapters.sessions_table import SessionsTable
from cloud_agent.domain.messages import environment_name, marker, session_announcement
from cloud_agent.domain.session import session_url
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.settings import AnnounceSessionSettings, load


class AnnounceSessionEvent(StepEvent):
    """The pull request to announce on."""

    pull_number: int


@step(AnnounceSessionEvent)
def handler(event: AnnounceSessionEvent) -> dict[str, Any]:
    """Guarantees one comment with the session's URL and one successful Deployment of that address."""
    settings, session = load(AnnounceSessionSettings), event.session
    repository = connect(settings, session.repo, session.installation_id)
    url = session_url(settings.uat_url, session.session_id)
    comment_id = repository.ensure_comment(
        event.pull_number,
        marker("session", session.session_id),
        session_announcement(session.session_id, url, session.branch),
    )
    deployment_id = repository.ensure_deployment(session.branch, environment_name(event.pull_number), url)
    SessionsTable(settings.sessions_table).record(
        session.session_id, comment_id=comment_id, deployment_id=deployment_id
    )
    logger.info("session announced", extra={"comment_id": comment_id, "deployment_id": deployment_id})
    return {"session_url": url, "comment_id": comment_id}
