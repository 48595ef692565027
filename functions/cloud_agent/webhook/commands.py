"""The commands in a comment, carried out: each function returns what there is to say in reply, if anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation import replies
from cloud_agent.domain.conversation.commands import Command
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind, PromptState
from cloud_agent.domain.session.session import Ending, Session, SessionRequest, SessionStatus, session_id_for
from cloud_agent.webhook.end import call_off_next, end_session
from cloud_agent.webhook.issue_session import IssueSession, row_of
from cloud_agent.webhook.launch import Asked, following, launch

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import GitHubApi, Issue
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Steer

_ACTING = {Command.STOP, Command.RESTART, Command.INTERRUPT}


@dataclass(frozen=True)
class Heard:
    """A comment, and the session that it is for."""

    settings: WebhookSettings
    github: GitHubApi
    said: Steer
    known: IssueSession
    session: Session

    @property
    def commands(self) -> frozenset[Command]:
        """What is to be done now: a command from before the session was asked for was meant for another."""
        return self.said.commands - _ACTING if self.known.began_after(self.said.at) else self.said.commands


def turn_is_under_way(heard: Heard) -> bool:
    """Whether Claude works on a prompt just now."""
    prompts = Prompts(heard.settings.sessions_table).of(heard.session.session_id)
    return heard.session.status.is_live and any(prompt.state is PromptState.TAKEN for prompt in prompts)


def carry_out(heard: Heard, *, turn_runs: bool, wish_is_lost: bool) -> list[str]:
    """Carry out the comment's commands, the strongest alone of those that exclude each other.

    Raises:
        CloudAgentError: as GitHubApi does.
    """
    commands, parts = heard.commands, list[str]()
    if Command.RESTART in commands:
        parts += _restart(heard)
    elif Command.STOP in commands:
        parts += _stop(heard)
    elif Command.INTERRUPT in commands:
        parts += _interrupt(heard, turn_runs=turn_runs)
    elif wish_is_lost:
        parts.append(replies.ended(heard.session))
    if Command.STATUS in commands:
        parts.append(_status(heard))
    if Command.HELP in commands:
        parts.append(replies.HELP)
    return parts


def _restart(heard: Heard) -> list[str]:
    """Start the next session of the same issue, branch and pull request; a live one ends for it."""
    said, known, session = heard.said, heard.known, heard.session
    is_retry = known.was_asked_for_by(said.identity)
    if is_retry and known.last_has_begun:
        return []
    if not is_retry and known.next_is_starting:
        return [replies.ALREADY_STARTING]
    if not said.pull_is_open:
        return [replies.PULL_REQUEST_CLOSED]
    issue = heard.github.issue(session.issue_number)
    if issue is None or not issue.is_open:
        return [replies.issue_closed(session.issue_number)]
    request = _request(heard, issue)
    ending = Ending(status=SessionStatus.STOPPED, reason=f"Restarted by {said.author}.")
    if session.status.is_live and end_session(heard.settings, session, ending):
        request = following(request, session)
    launch(heard.settings, request, _prompt(said, issue), Asked(said.identity, said.at), known)
    return []


def _stop(heard: Heard) -> list[str]:
    ending = Ending(status=SessionStatus.STOPPED, reason=f"Stopped by {heard.said.author}.")
    asked = end_session(heard.settings, heard.session, ending) if heard.session.status.is_live else None
    called_off = call_off_next(heard.settings, heard.said.repo, heard.known, ending)
    return [] if asked or called_off else [replies.ended(heard.session)]


def _interrupt(heard: Heard, *, turn_runs: bool) -> list[str]:
    if not heard.session.status.is_live:
        return [replies.ended(heard.session)]
    if not turn_runs:
        return [replies.NOTHING_RUNS]
    SessionsTable(heard.settings.sessions_table).request_interrupt(heard.session.session_id, heard.said.prompt.id)
    return []


def _status(heard: Heard) -> str:
    table_name = heard.settings.sessions_table
    session = row_of(SessionsTable(table_name), heard.session.session_id) or heard.session
    waiting = len(Prompts(table_name).unanswered(session.session_id))
    return replies.status(session, waiting, next_is_starting=heard.known.next_is_starting)


def _request(heard: Heard, issue: Issue) -> SessionRequest:
    said, session = heard.said, heard.session
    return SessionRequest(
        session_id=session_id_for(said.repo, session.issue_number, said.identity),
        repo=said.repo,
        issue_number=session.issue_number,
        issue_key=session.issue_key,
        issue_title=issue.title,
        issue_url=issue.url,
        branch=session.branch,
        default_branch=said.default_branch,
        installation_id=said.installation_id,
        requested_by=said.author,
        agent=heard.settings.trigger_labels.available(session.agent),
    )


def _prompt(said: Steer, issue: Issue) -> Prompt:
    return Prompt(
        id=INITIAL_PROMPT_ID,
        kind=PromptKind.ISSUE,
        title=issue.title,
        body=issue.body,
        author=issue.author,
        url=issue.url,
        created_at=said.prompt.created_at,
    )
