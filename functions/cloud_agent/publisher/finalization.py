"""What a session's end changes on GitHub: no comment and no Deployment claims a live address any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.errors import CloudAgentError, GitHubRateLimitedError, GitHubUnavailableError
from cloud_agent.domain.session.session import SessionStatus
from cloud_agent.observability import logger
from cloud_agent.publisher import deployments, status
from cloud_agent.publisher.own_commits import look_up
from cloud_agent.publisher.pull_request import PullRequestOnGitHub

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent.domain.session.session import Session
    from cloud_agent.publisher.context import PublishingContext


def finalize(context: PublishingContext, session: Session) -> None:
    """Guarantee that comment, description and Deployment of a closed session say that it ended, where they still can.

    What GitHub shows counts, not what the row knows: the state that announces may have failed half-way.

    Raises:
        GitHubUnavailableError, GitHubRateLimitedError: worth a retry.
    """
    on_github = PullRequestOnGitHub(context, session)
    ends: tuple[Callable[[], object], ...] = (
        lambda: _end_comment(context, session, on_github),
        on_github.note_end,
        lambda: deployments.end(context, session),
    )
    for end in ends:
        try:
            end()
        except (GitHubUnavailableError, GitHubRateLimitedError):
            raise
        except CloudAgentError as error:
            # The pull request may be deleted or the App uninstalled: nothing is left to correct there.
            logger.warning("session not finalized", extra={"error": type(error).__name__, "cause": str(error)})


def _end_comment(context: PublishingContext, session: Session, on_github: PullRequestOnGitHub) -> None:
    is_merged = session.pull_number is None or session.status is SessionStatus.COMPLETED
    look_up(context, session, title="" if is_merged else on_github.title)  # people may have pushed since Claude did
    status.publish(context, session.session_id, create=False)
