"""The pull request itself: its description, and that it is no draft any more."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from cloud_agent.adapters.github.repository import PullAsItIs
from cloud_agent.domain.conversation.description import described, ended, references
from cloud_agent.domain.errors import CloudAgentError, GitHubRateLimitedError, GitHubUnavailableError
from cloud_agent.domain.session.session import SessionStatus
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from cloud_agent.adapters.github.repository import Repository
    from cloud_agent.domain.conversation.turn_results import TurnResult
    from cloud_agent.domain.session.session import Session
    from cloud_agent.publisher.context import PublishingContext


class PullRequestOnGitHub:
    """A session's pull request, asked for once and only if something is to be changed there."""

    def __init__(self, context: PublishingContext, session: Session, pull: PullAsItIs | None = None) -> None:
        self._context = context
        self._session = session
        self._known = pull

    def describe(self, turn: TurnResult) -> None:
        """Have the description be what the turn made of it; without one, it stays as it is, as after a failure.

        Raises:
            GitHubUnavailableError, GitHubRateLimitedError: worth a retry. No other refusal keeps the reply back.
        """
        try:
            self._change(self.described(turn))
        except (GitHubUnavailableError, GitHubRateLimitedError):
            raise
        except CloudAgentError as error:
            logger.warning("pull request not described", extra={"reason": str(error)})

    def described(self, turn: TurnResult) -> str | None:
        """Return what the description becomes by the turn; None where it stays as it is, as somebody's own does."""
        session, tracker_url = self._session, self._context.settings.tracker_url
        if not turn.description or turn.is_error or turn.interrupted or session.is_of_pull_request:
            return None
        found = references(session.issue_number, session.issue_key, tracker_url)
        return described(self._body, turn.description, found)

    @property
    def known(self) -> PullAsItIs | None:
        """The pull request, where it was read beside something else."""
        return self._known

    @property
    def title(self) -> str:
        """Its title."""
        return self._pull.title

    def note_end(self) -> None:
        """Guarantee that the description of what nobody has merged yet says that the session failed or was stopped."""
        session = self._session
        if session.pull_number is not None and session.status is not SessionStatus.COMPLETED:
            failed = session.status is SessionStatus.FAILED
            self._change(ended(self._body, session.end_reason or "No reason was given", failed=failed))

    def make_ready(self) -> None:
        """Take the draft's mark away, once for each session; what somebody converted to a draft stays one for good."""
        try:
            done = self._repository.mark_ready_for_review(self._pull)
        except (GitHubUnavailableError, GitHubRateLimitedError):
            raise  # tried again
        except Exception:
            self._context.publications.record_ready(self._session.session_id)  # refused for good
            raise
        self._context.publications.record_ready(self._session.session_id)
        logger.info("pull request ready for review", extra={"changed": done})

    def _change(self, body: str | None) -> None:
        if body is not None:
            self._repository.describe(self._pull.number, body)
            logger.info("pull request described", extra={"characters": len(body)})

    @property
    def _repository(self) -> Repository:
        return self._context.github(self._session).repository

    @property
    def _body(self) -> str:
        return self._pull.body

    @cached_property
    def _pull(self) -> PullAsItIs:
        return self._known or PullAsItIs.of(self._repository.pull_request(int(self._session.pull_number or 0)))
