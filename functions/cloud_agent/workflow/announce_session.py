"""State "Announce Session": from here on the pull request shows a live address."""

from __future__ import annotations

from typing import Any

from cloud_agent.domain.session.session import session_url
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.publisher import deployments, status
from cloud_agent.publisher.context import publishing_context
from cloud_agent.settings import PublishingSettings, load


class AnnounceSessionEvent(StepEvent):
    """The pull request to announce on."""

    pull_number: int


@step(AnnounceSessionEvent)
def handler(event: AnnounceSessionEvent) -> dict[str, Any]:
    """Guarantees one comment with the session's URL and one Deployment of that address, as far as its preview is."""
    context, session_id = publishing_context(load(PublishingSettings)), event.session.session_id
    comment_id = status.publish(context, session_id, create=True)
    deployment_id = deployments.announce(context, context.sessions.get(session_id))
    logger.info("session announced", extra={"comment_id": comment_id, "deployment_id": deployment_id})
    return {"session_url": session_url(context.settings.uat_url, session_id), "comment_id": comment_id}
