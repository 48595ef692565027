"""Replies to people's comments and labels. Logins, reasons and Claude's activity are data in it, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import code, marker, plain, sentence, shortened
from cloud_agent.domain.conversation.preview_text import preview_log, preview_state
from cloud_agent.domain.conversation.status_comment import ACTIVITY_LIMIT, REASON_LIMIT
from cloud_agent.domain.session.comment_trigger import CommentTrigger
from cloud_agent.domain.session.session import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.conversation.branch_update import BranchUpdate
    from cloud_agent.domain.conversation.commands import Command
    from cloud_agent.domain.session.model_choice import ModelChoice
    from cloud_agent.domain.session.session import Session

_IDLE = "waiting for the next comment"
_ACTIVITIES = {"turn_started": "thinking", "turn_finished": _IDLE, "turn_failed": _IDLE}
_ANY_COMMENT = "Comment on this pull request or review its changes"
_MENTION = "Mention `@claude` in a comment on this pull request or in a review"
_HELP = (
    "Claude works through your comments in order. Put each command on a line of its own:\n\n"
    "| Command | What it does |\n"
    "|---|---|\n"
    "| `/interrupt` | stops the current turn; Claude moves on to the next comment |\n"
    "| `/stop` | stops the session; pushed commits stay |\n"
    "| `/restart` | stops the session if it's still running, and starts another one on this branch |\n"
    "| `/update` | brings this branch up to date with its base branch; Claude resolves conflicts |\n"
    "| `/model NAME` | changes the model from the next turn on; `/model NAME high` its effort, too |\n"
    "| `/status` | shows how the session is going |\n"
    "| `/help` | shows this help |"
)
NOTHING_RUNS = "Claude isn't working on anything right now, so there's nothing to interrupt."
NOTHING_TO_UPDATE = "There's no open pull request of this session, so nothing was updated."
ALREADY_STARTING = "The next session on this pull request is already starting."
CANCELLED = "The session that was about to start on this pull request won't. Comment `/restart` to start one."
PULL_REQUEST_CLOSED = "No session was started because this pull request is closed. Reopen it, then comment `/restart`."


def reply_marker(identity: str) -> str:
    """Return the hidden first line of the one reply to a comment or a delivery."""
    return marker("reply", identity.rpartition("#")[2])


def reply(identity: str, *parts: str) -> str:
    """Return one comment with all of these parts."""
    return "\n\n".join([reply_marker(identity), *parts]) + "\n"


def label_refused(login: str, label: str) -> str:
    """Return why a label started nothing, and what to do."""
    return (
        f"{plain(login)} added the label {code(label)}, but doesn't have write access to this repository, "
        "so no session was started. Someone with write access can start one: remove and re-add the label."
    )


def close_refused(login: str, label: str) -> str:
    """Return why a session goes on although its issue was closed, and what to do."""
    return (
        f"{plain(login)} closed this issue, but doesn't have write access to this repository, so Claude's session is "
        f"still running. Someone with write access can stop it: remove the label {code(label)}."
    )


def already_at_work(label: str) -> str:
    """Return why a label on the pull request of a running session changed nothing."""
    return (
        f"The label {code(label)} changed nothing: Claude is already at work on this pull request. To steer it, "
        "comment or review the changes."
    )


def branch_at_work(branch: str, number: int) -> str:
    """Return why a label started nothing on a branch that another session works on."""
    return (
        f"No session was started, because Claude is already at work on the branch {code(branch)} for #{number}. Wait "
        "until that session has ended, or stop it. Then remove and re-add the label."
    )


def label_on_fork(label: str) -> str:
    """Return why a label on a fork's pull request started nothing, and what to do."""
    return (
        f"The label {code(label)} started no session here: this pull request's branch is in a fork, which Claude can't "
        "push to. Push the branch to this repository and open a pull request from there, or add the label to an issue."
    )


def label_on_default_branch(label: str, default_branch: str) -> str:
    """Return why a label on a pull request from the default branch started nothing, and what to do."""
    return (
        f"The label {code(label)} started no session here: this pull request's branch is {code(default_branch)}, the "
        "default branch, which Claude doesn't push to. Add the label to an issue, and Claude works on a branch of its "
        "own."
    )


def other_agent_at_work(session: Session, label: str, other_label: str) -> str:
    """Return why the other agent's label started nothing, and what to do."""
    where = f" on #{session.pull_number}" if session.pull_number else ""
    return (
        f"The label {code(other_label)} started nothing: an issue has one session at a time, and the one started by "
        f"{code(label)} is still running{where}. To switch, remove both labels and re-add {code(other_label)}."
    )


def comment_refused(login: str) -> str:
    """Return why a comment was not passed on to Claude."""
    return (
        f"Thanks, {plain(login)}. Claude only takes comments and commands from people with write access to this "
        "repository, so it won't see this one or your later ones."
    )


def help_text(trigger: CommentTrigger) -> str:
    """Return how to steer, and the commands."""
    how = _MENTION if trigger is CommentTrigger.MENTIONS else _ANY_COMMENT
    return f"{how}, and {_HELP}"


def unknown_command(word: str, meant: Command | None) -> str:
    """Return that somebody's command is none, and which one they may have meant."""
    advice = f"Did you mean {code(meant)}?" if meant else "`/help` lists the commands."
    return f"{code(word)} isn't a command, so nothing happened. {advice}"


def branch_update(update: BranchUpdate, base: str, *, claude_merges: bool) -> str:
    """Return what becomes of `/update`."""
    if update.was_current:
        return f"This branch already has everything from {code(base)}."
    if update.refusal:
        return f"This branch wasn't updated. GitHub says: {sentence(plain(shortened(update.refusal, REASON_LIMIT)))}"
    if not update.conflicts:
        return f"GitHub is merging {code(base)} into this branch. The preview follows."
    if claude_merges:
        return f"This branch conflicts with {code(base)}. Claude merges it and resolves the conflicts."
    return (
        f"This branch conflicts with {code(base)}, so nothing was updated. Resolve the conflicts on GitHub, or comment "
        "`/restart` and `/update`, each on a line of its own, to have Claude resolve them."
    )


def model_chosen(choice: ModelChoice, *, is_live: bool) -> str:
    """Return which model is used from now on."""
    effort = f" with {choice.effort} effort" if choice.effort else ""
    when = "from its next turn on" if is_live else "from the next session on"
    return f"Claude uses {code(choice.model)}{effort} on this pull request, {when}."


def model_refused(model: str, allowed: Sequence[str]) -> str:
    """Return that the deployment doesn't allow this model, and which ones it does."""
    return f"{code(model)} isn't a model that this deployment allows, so nothing changed. {_allowed(allowed)}"


def model_of_another_provider(model: str, own: str, *, is_bedrock: bool) -> str:
    """Return that this isn't an id that the deployment's provider has, and what such ids look like."""
    if is_bedrock:
        return (
            f"{code(model)} isn't an id that Bedrock has for a Claude model, so nothing changed. This deployment runs "
            f"its models on Bedrock: name an inference profile, such as {code(own)}."
        )
    return (
        f"{code(model)} is an id of Bedrock's, so nothing changed. This deployment runs its models on the Anthropic "
        f"API: name the id that the model has there, such as {code(own)}."
    )


def model_usage(current: str, allowed: Sequence[str]) -> str:
    """Return how a model is chosen, and which one is now."""
    return (
        f"The model is {code(current)}. To change it, comment `/model NAME` or `/model NAME EFFORT`, where the effort "
        f"is low, medium, high, xhigh or max. {_allowed(allowed)}"
    )


def _allowed(names: Sequence[str]) -> str:
    return f"Allowed: {', '.join(code(name) for name in names)}."


def ended(session: Session) -> str:
    """Return why the session takes no comments any more, and what to do."""
    if session.status.is_live and session.ending is not None:
        return f"This session is ending: {_reason(session.ending.reason)} Comment `/restart` to start another one."
    why = f" {_reason(session.end_reason)}" if session.end_reason else ""
    return f"This session has ended.{why} Comment `/restart` to start another one on this branch."


def no_session(session: Session, label: str) -> str:
    """Return why nobody takes up a comment on the issue of a session that has ended, and what to do."""
    restart = session.pull_number and session.status is not SessionStatus.COMPLETED
    where = f"comment `/restart` on #{session.pull_number}, or " if restart else ""
    return (
        "Claude doesn't read this: its session for this issue has ended. To start another one, "
        f"{where}remove and re-add the label {code(label)}."
    )


def issue_closed(issue_number: int) -> str:
    """Return why there was no restart."""
    return f"No session was started because #{issue_number} is closed or deleted. Reopen it, then comment `/restart`."


def status(session: Session, waiting: int, *, next_is_starting: bool) -> str:
    """Return how the session is going: `waiting` prompts are unanswered, the one being worked on among them."""
    state = session.status.lower()
    if session.status.is_live and session.ending is not None:
        state = f"ending: {_reason(session.ending.reason)}"
    elif session.end_reason:
        state += f": {_reason(session.end_reason)}"
    lines = [f"**Session `{session.session_id}`** is {sentence(state)}"]
    if next_is_starting:
        lines.append("The next session is starting.")
    elif session.status.is_live and session.activity:
        doing = _ACTIVITIES.get(session.activity) or plain(shortened(session.activity, ACTIVITY_LIMIT))
        lines.append(f"Now: {sentence(doing)}")
    if session.status.is_live and session.preview:
        lines += filter(None, [f"Preview: {preview_state(session.preview)}", preview_log(session.preview)])
    lines.append(f"Turns: {session.turns} · cost: ${session.cost_usd:.2f} · unanswered: {waiting}.")
    if session.comment_id and session.pull_url:
        lines.append(f"See the [status comment]({session.pull_url}#issuecomment-{session.comment_id}) for more.")
    return "\n\n".join(lines)


def _reason(text: str) -> str:
    return sentence(plain(shortened(text, REASON_LIMIT)))
