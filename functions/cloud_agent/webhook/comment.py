"""What somebody wrote on a session's pull request: a wish for Claude, commands, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from cloud_agent.adapters.github.conversation import GitHubApi, connect
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.requested_sessions import RequestedSessions
from cloud_agent.domain.conversation import replies
from cloud_agent.domain.conversation.commands import Command
from cloud_agent.domain.errors import CloudAgentError
from cloud_agent.observability import identify_session, logger, metrics
from cloud_agent.webhook.commands import Heard, carry_out, turn_is_under_way
from cloud_agent.webhook.issue_session import of_pull_request
from cloud_agent.webhook.outcome import Outcome, ignored

if TYPE_CHECKING:
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import Steer


def steer(*, settings: WebhookSettings, decision: Steer, identity: str) -> Outcome:
    """Hand a person's wish to the pull request's session, then carry out their commands.

    Guarantees one reply at most. A second try after a failure neither doubles nor loses anything.

    Raises:
        CloudAgentError: as `connect` and `GitHubApi` do.
    """
    known = of_pull_request(settings.sessions_table, decision.repo, decision.pull_number)
    session = known.session if known else None
    if known is None or session is None:
        return ignored(f"pull request #{decision.pull_number} belongs to no session")
    identify_session(session.session_id, session.execution_arn)
    is_over = not session.status.is_live and not known.next_is_starting
    if is_over and not decision.pull_is_open and not decision.commands:
        return ignored(f"session {session.session_id} has ended")
    github = connect(settings, decision.repo, decision.installation_id)
    heard = Heard(settings, github, decision, known, session)
    if not github.has_write_permission(decision.author):
        if not is_over:
            _say_once(heard, f"comment by {decision.author}", replies.comment_refused(decision.author))
        return ignored(f"{decision.author} has no write permission in {decision.repo}")
    # Looked at before the wish is there, whose own turn is not to be interrupted.
    turn_runs = Command.INTERRUPT in heard.commands and turn_is_under_way(heard)
    wish_is_lost = decision.has_wish and not _store_wish(heard)
    if wish_is_lost and not decision.commands:
        _say_once(heard, "end", replies.ended(session))
        return ignored(f"session {session.session_id} has ended")
    parts = carry_out(heard, turn_runs=turn_runs, wish_is_lost=wish_is_lost)
    _add_eyes(github, decision)
    if parts:
        _say(github, decision, *parts)
    taken = (["prompt"] if decision.has_wish and not wish_is_lost else []) + sorted(map(str, heard.commands))
    logger.info("comment taken", extra={"comment": identity, "taken": taken})
    metrics.add_metric("CommentsTaken", MetricUnit.Count, 1)
    return {"session_id": session.session_id, "taken": ", ".join(taken)}


def _store_wish(heard: Heard) -> bool:
    """Store the wish where Claude finds it; returns False when the session is over and no other is on its way."""
    said, session, known = heard.said, heard.session, heard.known
    goes_on = known.next_is_starting or Command.RESTART in heard.commands
    prompts = Prompts(heard.settings.sessions_table)
    if session.status.is_live and (session.ending is None or goes_on) and prompts.add(session.session_id, said.prompt):
        return True
    if goes_on:
        prompts.put(session.session_id, said.prompt)
    return goes_on


def _say_once(heard: Heard, topic: str, words: str) -> None:
    """Say this for the first comment that calls for it in this session, and no more."""
    said = heard.said
    if not said.pull_is_open:
        return
    requested = RequestedSessions(heard.settings.sessions_table)
    if requested.may_explain(said.repo, f"session#{heard.session.session_id}", topic, said.identity):
        _say(heard.github, said, words)


def _say(github: GitHubApi, said: Steer, *parts: str) -> None:
    marker = replies.reply_marker(said.identity)
    github.ensure_comment(said.pull_number, marker, replies.reply(said.identity, *parts), said.at)


def _add_eyes(github: GitHubApi, said: Steer) -> None:
    """Add the reaction: a courtesy, and no reason to handle the comment again."""
    try:
        github.add_eyes(said.node_id)
    except CloudAgentError as error:
        logger.warning("reaction failed", extra={"comment": said.identity, "reason": str(error)})
