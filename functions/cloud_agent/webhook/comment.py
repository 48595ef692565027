"""A comment on a session's pull request or issue: a prompt for Claude, commands, or both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.github.requests import SHORT
from cloud_agent.adapters.table.explanations import Explanations
from cloud_agent.adapters.table.issue_sessions import sessions_of_issue, sessions_of_pull
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation import replies
from cloud_agent.domain.conversation.commands import Command, nearest
from cloud_agent.domain.conversation.prompts import PromptKind
from cloud_agent.domain.errors import CloudAgentError
from cloud_agent.observability import identify_session, logger, metrics
from cloud_agent.webhook.commands import (
    ACTING,
    carry_out,
    note_commands,
    turn_is_running,
    without_outdated_commands,
)
from cloud_agent.webhook.listening import listener
from cloud_agent.webhook.permission import may_act
from cloud_agent.webhook.update import update_branch

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.domain.conversation.addressing import Listener
    from cloud_agent.domain.session.issue_sessions import PullRequestSessions
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Origin, Steer


def steer(settings: WebhookSettings, comment: Steer) -> dict[str, str]:
    """Hand a person's prompt to the session, then carry out their commands.

    Guarantees one reply at most. A second try after a failure neither doubles nor loses anything.

    Raises:
        CloudAgentError: as `connect_for_all` and `Conversation` do.
    """
    sessions = sessions_at(settings, comment.origin)
    if sessions is None:
        return _without_session(settings, comment)
    session = sessions.current
    identify_session(session.session_id, session.execution_arn)
    comment = without_outdated_commands(comment, sessions)
    has_ended = not session.status.is_live and not sessions.next_is_starting
    if has_ended and not comment.origin.is_open and not comment.commands and not comment.unknown_commands:
        return {"ignored": f"session {session.session_id} has ended"}
    github = connect_for_all(settings, comment.origin.repository, SHORT).conversation
    comment = as_asked(comment, listener(settings, session, github, comment.origin))
    if comment.is_unasked:
        return {"ignored": comment.unasked}
    if not may_act(settings, github, comment.origin.author):
        # Who isn't part of the team discusses issues with others: there, a comment need not be meant for Claude.
        if not has_ended and not comment.origin.is_issue:
            topic, text = f"comment by {comment.origin.author}", replies.comment_refused(comment.origin.author)
            _explain_once(settings, github, comment, session.session_id, topic, text)
        return {"ignored": f"{comment.origin.author} has no write permission in {comment.origin.repository.name}"}
    note_commands(settings, comment, session)
    comment, updated = update_branch(settings, github, comment, sessions)
    # Looked at before the prompt is there, whose own turn is not to be interrupted.
    turn_runs = Command.INTERRUPT in comment.commands and turn_is_running(settings, session)
    is_stored = bool(comment.prompts) and _store_prompts(settings, comment, sessions)
    is_lost = bool(comment.prompts) and not is_stored
    if is_lost and not comment.commands:
        _explain_once(settings, github, comment, session.session_id, "end", replies.ended(session))
        return {"ignored": f"session {session.session_id} has ended"}
    parts = [replies.ended(session)] if is_lost and not comment.commands & ACTING else []
    parts += updated
    parts += carry_out(settings, github, comment, sessions, turn_runs=turn_runs)
    parts += [replies.unknown_command(word, nearest(word)) for word in comment.unknown_commands]
    if not is_stored:  # the publisher adds them to what was, by one request with the status comment's new text
        add_eyes(github, comment)
    if parts:
        reply(github, comment, *parts)
    accepted = (["prompt"] if is_stored else []) + sorted(map(str, comment.commands))
    logger.info("comment accepted", extra={"comment": comment.identity, "accepted": accepted})
    metrics.add_metric("CommentsAccepted", MetricUnit.Count, 1)
    return {"session_id": session.session_id, "accepted": ", ".join(accepted)}


def sessions_at(settings: WebhookSettings, origin: Origin) -> PullRequestSessions | None:
    """Return the sessions that are steered from there; None where there are none, or an issue has no live one."""
    if not origin.is_issue:
        return sessions_of_pull(settings.sessions_table, origin.repository, origin.number)
    sessions = sessions_of_issue(settings.sessions_table, origin.repository, origin.number)
    return sessions.of_pull_request()


def as_asked(comment: Steer, listener: Listener) -> Steer:
    """Return a comment without what asks nothing of Claude; a review was read that way."""
    texts = [prompt.body for prompt in comment.prompts if prompt.kind is PromptKind.COMMENT]
    if texts and listener.disregards(texts):
        return replace(comment, prompts=(), unasked="the comment doesn't mention Claude")
    unasked = next((reason for text in texts if (reason := listener.why_not(text))), None)
    return replace(comment, prompts=(), unasked=unasked) if unasked else comment


def _store_prompts(settings: WebhookSettings, comment: Steer, sessions: PullRequestSessions) -> bool:
    """Store the prompts where Claude finds them; False when the session has ended and no other is on its way."""
    session, goes_on = sessions.current, sessions.next_is_starting or Command.RESTART in comment.commands
    prompts = Prompts(settings.sessions_table)
    takes_prompts = session.status.is_live and (session.ending is None or goes_on)
    if takes_prompts and all(prompts.add(session.session_id, prompt) for prompt in comment.prompts):
        return True
    if goes_on:
        prompts.take_over(comment.prompts, session.session_id)
    return goes_on


def _without_session(settings: WebhookSettings, comment: Steer) -> dict[str, str]:
    """Reply to whoever first speaks to Claude on an issue whose session has ended; leave alone what people discuss."""
    origin, ignored = comment.origin, {"ignored": f"#{comment.origin.number} has no session"}
    texts = [prompt.body for prompt in comment.prompts]
    if not origin.is_issue or not (comment.commands or any("@" in text for text in texts)):
        return ignored
    sessions = sessions_of_issue(settings.sessions_table, origin.repository, origin.number)
    if sessions.last is None or not sessions.last_has_begun:
        return ignored
    session = SessionsTable(settings.sessions_table).find(sessions.last.session_id)
    if session is None or session.status.is_live:
        return ignored
    github = connect_for_all(settings, origin.repository, SHORT).conversation
    is_called = listener(settings, session, github, origin).is_called
    if (comment.commands or any(map(is_called, texts))) and may_act(settings, github, origin.author):
        text = replies.no_session(session, settings.trigger_labels.label_of(session.agent))
        _explain_once(settings, github, comment, session.session_id, "end, on the issue", text)
    return ignored


def _explain_once(  # noqa: PLR0913, PLR0917 - what is explained, to whom, and what it is explained once for
    settings: WebhookSettings, github: Conversation, comment: Steer, session_id: str, topic: str, text: str
) -> None:
    """Reply with this to the first comment that calls for it in this session, and to no other."""
    if not comment.origin.is_open:
        return
    subject, explanations = f"session#{session_id}", Explanations(settings.sessions_table)
    if explanations.may_explain(comment.origin.repository.id, subject, topic, comment.identity):
        reply(github, comment, text)


def reply(github: Conversation, comment: Steer, *parts: str) -> None:
    """Post the one reply to a comment, unless it's there."""
    marker = replies.reply_marker(comment.identity)
    github.ensure_comment(comment.origin.number, marker, replies.reply(comment.identity, *parts), comment.at)


def add_eyes(github: Conversation, comment: Steer) -> None:
    """Add the reaction: a courtesy, and no reason to handle the comment again."""
    try:
        github.add_eyes(comment.node_ids)
    except CloudAgentError as error:
        logger.warning("reaction failed", extra={"comment": comment.identity, "reason": str(error)})
