"""What the status comment says of commits that aren't on GitHub: how many, what becomes of them, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import counted
from cloud_agent.domain.conversation.moments import day
from cloud_agent.domain.session.agent_reports import BUNDLE_LIMIT_BYTES
from cloud_agent.domain.session.unpublished_work import UnpublishedWork, WorkState

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

_NONE = UnpublishedWork(state=WorkState.NOT_KEPT)
_SIZE = f"more than {BUNDLE_LIMIT_BYTES >> 20} MiB"


def unpublished_note(session: Session) -> str:
    """Return it in Markdown; empty where all is on GitHub, and nothing of it came from an earlier session."""
    work = session.unpublished_work or _NONE
    if work.state is WorkState.NOT_TAKEN_UP:
        return (
            "> [!WARNING]\n> An earlier session's commits that aren't on GitHub couldn't be taken up. They're kept for "
            "as long as that session's comment says, and `/restart` tries again."
        )
    if not session.unpublished:
        return _taken_up(work)
    return _of_a_live_session(session, work) if session.status.is_live else _of_an_ended_session(session, work)


def _taken_up(work: UnpublishedWork) -> str:
    if not work.taken_up:
        return ""
    pronoun = "it's" if work.taken_up == 1 else "they're"
    return f"Took up {counted(work.taken_up, 'commit')} that an earlier session couldn't push; {pronoun} on GitHub now."


def _of_a_live_session(session: Session, work: UnpublishedWork) -> str:
    count = session.unpublished
    verb, pronoun, object_ = ("isn't", "It's", "it") if count == 1 else ("aren't", "They're", "them")
    commits = counted(count, "commit")
    what = (
        f"{commits} of an earlier session {verb} on GitHub yet."
        if work.taken_up >= count
        else f"{commits} {verb} on GitHub: Claude's reply says why."
    )
    match work.state:
        case WorkState.KEPT:
            kept = f"{pronoun} kept until {day(work.kept_until)}: if this session ends, `/restart` takes {object_} up."
        case WorkState.TOO_LARGE:
            kept = f"{pronoun} too large to outlast the session ({_SIZE})."
        case _:
            kept = f"{pronoun} kept until the session ends."
    return f"> [!WARNING]\n> {what} Each turn tries again. {kept}"


def _of_an_ended_session(session: Session, work: UnpublishedWork) -> str:
    count = session.unpublished
    verb, pronoun, object_, possessive = ("wasn't", "It's", "it", "its") if count == 1 else _SEVERAL
    what = f"{counted(count, 'commit')} {verb} on GitHub when the session ended"
    match work.state:
        case WorkState.KEPT:
            return (
                f"> [!NOTE]\n> {what}. {pronoun} kept until {day(work.kept_until)}: `/restart` takes {object_} up and "
                "tries to push again."
            )
        case WorkState.TOO_LARGE:
            return f"{what}, and too large to be kept ({_SIZE}); {possessive} changes are lost."
        case _:
            return f"{what}; {possessive} changes are lost."


_SEVERAL = ("weren't", "They're", "them", "their")
