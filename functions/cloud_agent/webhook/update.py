"""`/update`: the base branch is merged into the pull request's, by GitHub, or by Claude where they conflict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation import replies
from cloud_agent.domain.conversation.branch_update import merge_request
from cloud_agent.domain.conversation.commands import Command
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind
from cloud_agent.domain.session.session import timestamp

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.domain.session.issue_sessions import PullRequestSessions
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Steer


def update_branch(
    settings: WebhookSettings, github: Conversation, comment: Steer, sessions: PullRequestSessions
) -> tuple[Steer, list[str]]:
    """Return the comment with what Claude is asked for it, if anything, and the reply to its `/update`, if it has one.

    Run twice, it says that there was nothing to do.

    Raises:
        CloudAgentError: as Conversation does.
    """
    session = sessions.current
    if Command.UPDATE not in comment.commands:
        return comment, []
    if session.pull_number is None or not comment.origin.is_open:
        return comment, [replies.NOTHING_TO_UPDATE]
    base = github.base_of(session.pull_number)
    SessionsTable(settings.sessions_table).record_base(session.session_id, base)
    update = github.update_branch(session.pull_number)
    will_work = session.status.is_live or sessions.next_is_starting or Command.RESTART in comment.commands
    if session.conflicts and update.is_current:
        SessionsTable(settings.sessions_table).record_no_conflict(session.session_id)
    if update.conflicts and will_work:
        comment = _with_merge_request(comment, base)
    return comment, [replies.branch_update(update, base, claude_merges=will_work)]


def _with_merge_request(comment: Steer, base: str) -> Steer:
    """Return the comment with the merge as the first thing that it asks."""
    if comment.prompts:
        first, *others = comment.prompts
        body = f"{merge_request(base)}\n\n{first.body}"
        return replace(comment, prompts=(first.model_copy(update={"body": body}), *others))
    author = comment.origin.author
    prompt = Prompt(
        id=comment.id,
        kind=PromptKind.COMMENT,
        body=merge_request(base),
        author=author,
        requested_by=author,
        requested_by_id=comment.origin.author_id,
        url=comment.url,
        created_at=timestamp(comment.at),
    )
    return replace(comment, prompts=(prompt,))
