"""What the system says to people in reply. Logins, reasons and Claude's activity are data in it, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import code, marker, plain, sentence, shortened
from cloud_agent.domain.conversation.status_comment import ACTIVITY_LIMIT, REASON_LIMIT

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

_IDLE = "waiting for the next comment"
_ACTIVITIES = {"turn_started": "thinking", "turn_finished": _IDLE, "turn_failed": _IDLE}
HELP = (
    "Write a comment, a review or a review comment here, and Claude takes it as its next task. "
    "Commands stand alone on a line:\n\n"
    "| Command | What it does |\n"
    "|---|---|\n"
    "| `/interrupt` | interrupts what Claude is doing; the next comment's turn comes at once |\n"
    "| `/stop` | ends the session; what was pushed stays |\n"
    "| `/restart` | ends the session, if it still runs, and starts the next one on this branch |\n"
    "| `/status` | says how the session stands |\n"
    "| `/help` | says this |"
)
NOTHING_RUNS = "Claude is not working on anything just now, so there was nothing to interrupt."
ALREADY_STARTING = "The next session of this pull request is being started already."
PULL_REQUEST_CLOSED = "Nothing was started: this pull request is closed. Reopen it, then comment `/restart`."


def reply_marker(identity: str) -> str:
    """Return the hidden first line of the one reply to a comment or a delivery."""
    return marker("reply", identity.rpartition("#")[2])


def reply(identity: str, *parts: str) -> str:
    """One comment that says all of this."""
    return "\n\n".join([reply_marker(identity), *parts]) + "\n"


def label_refused(login: str, label: str) -> str:
    """Why a label started nothing, and what to do."""
    return (
        f"{plain(login)} put the label {code(label)} here, but has no write permission in this repository, "
        "so no session was started. Someone with write permission can start one: "
        "remove the label and add it again."
    )


def other_agent_at_work(session: Session, label: str, other_label: str) -> str:
    """Why the other agent's label started nothing, and what to do."""
    where = f" on #{session.pull_number}" if session.pull_number else ""
    return (
        f"The label {code(other_label)} started nothing: an issue has one session at a time, and the one that "
        f"{code(label)} started is live{where}. To have the other instead, take both labels off and add "
        f"{code(other_label)} again."
    )


def comment_refused(login: str) -> str:
    """Why a comment was not passed on to Claude."""
    return (
        f"Thank you, {plain(login)}. Claude takes comments and commands from people with write permission "
        "in this repository only, so this one was not passed on; nor will later ones be."
    )


def ended(session: Session) -> str:
    """Why nothing listens any more, and what to do."""
    if session.status.is_live and session.ending is not None:
        return f"This session is ending: {_reason(session.ending.reason)} Comment `/restart` to start the next one."
    why = f" {_reason(session.end_reason)}" if session.end_reason else ""
    return f"This session has ended.{why} Comment `/restart` to start the next one on this branch."


def issue_closed(issue_number: int) -> str:
    """Why there was no restart."""
    return f"Nothing was started: issue #{issue_number} is closed or gone. Reopen it, then comment `/restart`."


def status(session: Session, waiting: int, *, next_is_starting: bool) -> str:
    """How the session stands: `waiting` prompts are not answered yet, the one in work among them."""
    state = session.status.lower()
    if session.status.is_live and session.ending is not None:
        state = f"ending: {_reason(session.ending.reason)}"
    elif session.end_reason:
        state += f": {_reason(session.end_reason)}"
    lines = [f"**Session `{session.session_id}`** is {sentence(state)}"]
    if next_is_starting:
        lines.append("The next session is being started.")
    elif session.status.is_live and session.activity:
        doing = _ACTIVITIES.get(session.activity) or plain(shortened(session.activity, ACTIVITY_LIMIT))
        lines.append(f"Now: {sentence(doing)}")
    lines.append(f"Turns: {session.turns} · cost: ${session.cost_usd:.2f} · not answered yet: {waiting}.")
    if session.comment_id and session.pull_url:
        lines.append(f"[The session's own comment]({session.pull_url}#issuecomment-{session.comment_id}) has the rest.")
    return "\n\n".join(lines)


def _reason(words: str) -> str:
    return sentence(plain(shortened(words, REASON_LIMIT)))
