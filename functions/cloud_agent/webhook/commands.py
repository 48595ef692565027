"""The commands in a comment, carried out: each function returns the reply to it, if there is one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_agent.adapters.table.accepted_commands import AcceptedCommands
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation import replies
from cloud_agent.domain.conversation.commands import Command
from cloud_agent.domain.conversation.discussion import mentions_in, with_context
from cloud_agent.domain.conversation.issue_prompt import has_another_body, issue_prompt
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind, PromptState
from cloud_agent.domain.session.model_choice import read_choice
from cloud_agent.domain.session.naming import name_session
from cloud_agent.domain.session.session import Ending, Session, SessionStatus, timestamp
from cloud_agent.domain.session.session_request import SessionRequest
from cloud_agent.domain.session.transcript import LINE_LIMIT, CommandEvent
from cloud_agent.webhook.end import cancel_next, end_session
from cloud_agent.webhook.launch import launch, with_branches

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.adapters.github.issue import Issue
    from cloud_agent.domain.session.issue_sessions import PullRequestSessions
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Steer

ACTING = frozenset({Command.STOP, Command.RESTART, Command.INTERRUPT})


def without_outdated_commands(comment: Steer, sessions: PullRequestSessions) -> Steer:
    """Return the comment without the commands that were meant for an earlier session than the one requested last."""
    return replace(comment, commands=comment.commands - ACTING) if sessions.requested_after(comment.at) else comment


def note_commands(settings: WebhookSettings, comment: Steer, session: Session) -> None:
    """Have the session's transcript say which commands were given, by whom; a second try changes nothing."""
    commands = [
        CommandEvent(
            kind="command",
            at=timestamp(),
            prompt_id=None,
            name=command.removeprefix("/"),
            author=comment.origin.author,
            url=comment.url,
            argument=comment.model[:LINE_LIMIT] if command is Command.MODEL else "",
        )
        for command in sorted(effective(comment.commands))
    ]
    if commands:
        AcceptedCommands(settings.sessions_table).accept(session.session_id, comment.identity, commands)


def effective(commands: frozenset[Command]) -> frozenset[Command]:
    """Return them without those that a stronger one leaves without effect."""
    strongest = next((one for one in (Command.RESTART, Command.STOP, Command.INTERRUPT) if one in commands), None)
    return frozenset(commands - (ACTING - {strongest}))


def turn_is_running(settings: WebhookSettings, session: Session) -> bool:
    """Whether Claude works on a prompt just now."""
    prompts = Prompts(settings.sessions_table).of(session.session_id)
    return session.status.is_live and any(prompt.state is PromptState.TAKEN for prompt in prompts)


def carry_out(
    settings: WebhookSettings, github: Conversation, comment: Steer, sessions: PullRequestSessions, *, turn_runs: bool
) -> list[str]:
    """Carry out the comment's commands, the strongest alone of those that exclude each other.

    Raises:
        CloudAgentError: as Conversation does.
    """
    parts, commands = list[str](), effective(comment.commands)
    if Command.RESTART in commands:
        parts += _restart(settings, github, comment, sessions)
    if Command.STOP in commands:
        parts += _stop(settings, comment, sessions)
    if Command.INTERRUPT in commands:
        parts += _interrupt(settings, comment, sessions.current, turn_runs=turn_runs)
    if Command.MODEL in commands:
        parts.append(_choose_model(settings, comment, sessions.current))
    if Command.STATUS in commands:
        parts.append(_status(settings, sessions))
    if Command.HELP in commands:
        parts.append(replies.help_text(sessions.current.comment_trigger or settings.comment_trigger))
    return parts


def _restart(
    settings: WebhookSettings, github: Conversation, comment: Steer, sessions: PullRequestSessions
) -> list[str]:
    """Start the next session of the same issue, branch and pull request; a live one ends for it."""
    current, is_retry = sessions.current, sessions.triggered_by(comment.identity)
    if is_retry and sessions.last_has_begun:
        return []
    if not is_retry and sessions.next_is_starting:
        return [replies.ALREADY_STARTING]
    if not comment.origin.is_open:
        return [replies.PULL_REQUEST_CLOSED]
    labelled = _labelled(settings, current)
    mentions = mentions_in(labelled.body, current.issue_number) if labelled else ()
    issue = github.issue(current.issue_number, current.branch, mentions, is_pull=current.is_of_pull_request)
    if issue is None or not issue.is_open:
        return [replies.issue_closed(current.issue_number)]
    ending = Ending(status=SessionStatus.STOPPED, reason=f"Restarted by {comment.origin.author}.")
    is_ending = current.status.is_live and end_session(settings, current, ending) is not None
    request = _request(settings, comment, current, issue)
    session = name_session(request, sessions, follows=current.session_id if is_ending else None)
    launch(settings, with_branches(session, issue), _prompt(comment, issue, labelled, current), sessions.last)
    return []


def _stop(settings: WebhookSettings, comment: Steer, sessions: PullRequestSessions) -> list[str]:
    ending = Ending(status=SessionStatus.STOPPED, reason=f"Stopped by {comment.origin.author}.")
    current = sessions.current
    ended = end_session(settings, current, ending) if current.status.is_live else None
    cancelled_id = cancel_next(settings, sessions, ending)
    # An edit of the status comment notifies nobody. What follows `/interrupt` and `/restart` is a comment of its own.
    return [replies.CANCELLED] if cancelled_id and not ended else [replies.ended(ended or current)]


def _interrupt(settings: WebhookSettings, comment: Steer, session: Session, *, turn_runs: bool) -> list[str]:
    if not session.status.is_live:
        return [replies.ended(session)]
    if not turn_runs:
        return [replies.NOTHING_RUNS]
    SessionsTable(settings.sessions_table).request_interrupt(session.session_id, comment.id)
    return []


def _choose_model(settings: WebhookSettings, comment: Steer, session: Session) -> str:
    """Keep the choice for the next turn, and for the pull request's next sessions."""
    allowed, choice = settings.models, read_choice(comment.model, timestamp(comment.at))
    if choice is None:
        current = session.chosen_model.model if session.chosen_model else session.model
        return replies.model_usage(current or allowed.own, allowed.names)
    if not allowed.include(choice.model):
        return replies.model_refused(choice.model, allowed.names)
    if not settings.provider.may_have(choice.model):
        return replies.model_of_another_provider(choice.model, allowed.own, is_bedrock=settings.provider.is_bedrock)
    SessionsTable(settings.sessions_table).choose_model(session.session_id, choice)
    return replies.model_chosen(choice, is_live=session.status.is_live)


def _status(settings: WebhookSettings, sessions: PullRequestSessions) -> str:
    current = sessions.current
    session = SessionsTable(settings.sessions_table).find(current.session_id) or current
    waiting = len(Prompts(settings.sessions_table).unanswered(session.session_id))
    return replies.status(session, waiting, next_is_starting=sessions.next_is_starting)


def _request(settings: WebhookSettings, comment: Steer, session: Session, issue: Issue) -> SessionRequest:
    return SessionRequest(
        repository_id=comment.origin.repository.id,
        repo=comment.origin.repository.name,
        issue_number=session.issue_number,
        issue_key=session.issue_key,
        issue_title=issue.title,
        issue_url=issue.url,
        pull_number=session.pull_number if session.is_of_pull_request else None,
        branch=session.branch,
        base_branch=issue.base_branch,
        default_branch=comment.origin.default_branch,
        installation_id=comment.origin.repository.installation_id,
        requested_by=comment.origin.author,
        agent=settings.trigger_labels.available(session.agent),
        triggered_by=comment.identity,
        triggered_at=comment.at,
    )


def _labelled(settings: WebhookSettings, session: Session) -> Prompt | None:
    """Return the issue as that session was asked it."""
    asked = Prompts(settings.sessions_table).of(session.session_id)
    return next((prompt for prompt in asked if prompt.id == INITIAL_PROMPT_ID), None)


def _prompt(comment: Steer, issue: Issue, before: Prompt | None, session: Session) -> Prompt:
    """Return the issue or pull request as it is now, held against what the label was added to."""
    prompt = issue_prompt(
        title=issue.title,
        body=issue.body,
        author=issue.author,
        requested_by=comment.origin.author,
        url=issue.url,
        created_at=timestamp(comment.at),
        labelled=before.labelled if before else (),
        kind=PromptKind.PULL_REQUEST if session.is_of_pull_request else PromptKind.ISSUE,
    )
    if has_another_body(prompt, issue.body):
        prompt = prompt.model_copy(update={"edited_by": issue.editor or ""})
    prompt = prompt.model_copy(update={"requested_by_id": comment.origin.author_id})
    return with_context(prompt, issue.context, until=comment.at)
