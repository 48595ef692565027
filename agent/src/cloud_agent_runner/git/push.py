"""How a session's work becomes the branch on GitHub, together with what others have pushed there meanwhile."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_runner.git.branch import BranchDeletedError, BranchMovedError, PushRejectedError
from cloud_agent_runner.git.command import GitError
from cloud_agent_runner.git.history import ConflictError
from cloud_agent_runner.git.publish_errors import PublishFailedError
from cloud_agent_runner.git.reconcile import MERGED, REWRITTEN, RewrittenConflictError, reconciled
from cloud_agent_runner.git.refused_push import conflict_refused, merges_refused, push_refused, rewrite_refused

if TYPE_CHECKING:
    from cloud_agent_runner.agent_api_messages import GitToken
    from cloud_agent_runner.git.branch import GitHubBranch
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.position import Position
    from cloud_agent_runner.git.push_checks import PushChecks
    from cloud_agent_runner.git.shown_refs import ShownRefs
    from cloud_agent_runner.git.tokens import GitTokens

logger = logging.getLogger(__name__)

_ATTEMPTS = 3
_PAUSE_SECONDS = 2
_DELETED = (
    "Couldn't push: {0} was deleted on GitHub. The commits are kept. Restore the branch, then comment to try again."
)


@dataclass(frozen=True)
class Published:
    """What is on GitHub after a turn: `head_sha` as read back from there, None when nothing was pushed.

    `note` says for people how it came about, where that isn't plain; `unpublished` counts commits that aren't there.
    """

    head_sha: str | None
    note: str = ""
    unpublished: int = 0


class BranchPush:
    """Pushes what passes the checks. Nothing of what others pushed is ever overwritten."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a push has to do with
        self,
        branch: GitHubBranch,
        tokens: GitTokens,
        history: History,
        checks: PushChecks,
        position: Position,
        shown: ShownRefs,
    ) -> None:
        self._branch = branch
        self._tokens = tokens
        self._history = history
        self._checks = checks
        self._at = position
        self._shown = shown

    async def publish(self, work: str) -> Published:
        """Make the branch on GitHub what `work` and others' commits come to, and read it back.

        Raises:
            PublishRefusedError: not as the commits are; it asks Claude to change them.
            PublishFailedError: in plain words; nothing is lost.
        """
        if work == self._at.seen:
            self._at.aside = None  # Claude has had a turn with it, and wants nothing of it
            return Published(head_sha=None)
        token = await self._tokens.to_push()
        try:
            return await self._try(token, work)
        except BranchDeletedError as error:
            raise PublishFailedError(_DELETED.format(self._branch.name)) from error
        except GitError as error:
            raise PublishFailedError(
                f"Couldn't push to {self._branch.name}. The commits are kept, and the next turn tries again. {error}"
            ) from error
        finally:
            self._tokens.release(token)

    async def _try(self, token: GitToken, work: str) -> Published:
        theirs = self._at.found
        for attempt in range(_ATTEMPTS):
            try:
                return await self._push(token, work, theirs)
            except (BranchMovedError, PublishFailedError) as error:
                logger.warning("push failed", extra={"attempt": attempt, "reason": str(error)})
                before, theirs = theirs, await self._branch.fetch(token)
                if theirs == before and isinstance(error, PublishFailedError):
                    raise
            await asyncio.sleep(_PAUSE_SECONDS * attempt)
        raise GitError("It moved on GitHub each time.")

    async def _push(
        self, token: GitToken, work: str, theirs: str, *, may_rewrite: bool = True, may_merge: bool = True
    ) -> Published:
        sides = await self._at.sides(work, theirs, may_rewrite=may_rewrite)
        try:
            result = await reconciled(self._history, sides, self._branch.name, may_merge=may_merge)
        except RewrittenConflictError as error:
            raise rewrite_refused(self._branch.name, await self._at.set_aside(work, theirs)) from error
        except ConflictError as error:
            await self._shown.show(theirs)
            raise conflict_refused(self._branch.name, theirs) from error
        head = theirs
        if result.head != theirs:
            await self._checks.check_and_store(token, theirs, result.head)
            self._at.pushed = result.head
            try:
                head = await self._branch.push(token, result.head, theirs)
            except PushRejectedError as error:
                if result.note == REWRITTEN:  # rules may forbid that alone
                    return await self._push(token, work, theirs, may_rewrite=False, may_merge=may_merge)
                if may_merge and MERGED in result.note and merges_refused(str(error)):
                    return await self._push(token, work, theirs, may_rewrite=may_rewrite, may_merge=False)
                raise push_refused(self._branch.name, theirs, str(error)) from error
            await self._at.has_pushed(result.head, theirs)
        self._at.aside = None
        await self._at.move(work, result.head)
        with suppress(GitError):  # it's on GitHub all the same; what Claude sees of it may wait for the next fetch
            await self._shown.show(result.head)
        return Published(head if result.head != theirs else None, result.note)
