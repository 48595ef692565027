"""The sessions table's keys, spelled here and nowhere else in Python; docs/architecture.md says what each row is.

The state machine, the template and the proxy can't import this: a contract test holds what they spell to it.
"""

from __future__ import annotations

from typing import Final

SESSION: Final = "SESSION"
SLOTS: Final = "SLOTS"
LOCK: Final = "LOCK"
PROMPT: Final = "PROMPT"
TURN_RESULT: Final = "TURN_RESULT"
COMMANDS: Final = "COMMANDS"

SLOTS_KEY: Final = {"pk": SLOTS, "sk": SLOTS}
LAST_REPORT_KEY: Final = {"pk": "DOCTOR", "sk": "DOCTOR"}

Key = dict[str, str]


def session_key(session_id: str) -> Key:
    """Key of a session's row."""
    return {"pk": _session(session_id), "sk": SESSION}


def prompt_key(session_id: str, prompt_id: str) -> Key:
    """Key of a prompt of the session."""
    return {"pk": _session(session_id), "sk": f"{PROMPT}#{prompt_id}"}


def turn_result_key(session_id: str, prompt_id: str) -> Key:
    """Key of what the turn for a prompt of the session came to."""
    return {"pk": _session(session_id), "sk": f"{TURN_RESULT}#{prompt_id}"}


def commands_key(session_id: str) -> Key:
    """Key of the row that has the commands that people gave in the session."""
    return {"pk": _session(session_id), "sk": COMMANDS}


def published_key(session_id: str) -> Key:
    """Key of the row that says what has been published of the session."""
    return {"pk": _session(session_id), "sk": "PUBLISHED"}


def transcript_key(session_id: str) -> Key:
    """Key of the row that says how far the session's transcript has come."""
    return {"pk": _session(session_id), "sk": "TRANSCRIPT"}


def cancelled_key(session_id: str) -> Key:
    """Key of the row that keeps a session from being claimed."""
    return {"pk": _session(session_id), "sk": "CANCELLED"}


def lock_key(repository_id: int, issue_number: int) -> Key:
    """Key of the lock by which an issue has at most one live session."""
    return {"pk": _issue(repository_id, issue_number), "sk": LOCK}


def last_key(repository_id: int, issue_number: int) -> Key:
    """Key of the session that was requested last on an issue."""
    return {"pk": _issue(repository_id, issue_number), "sk": "LAST"}


def branch_key(repository_id: int, branch: str) -> Key:
    """Key of the row that says which issue a branch belongs to."""
    return {"pk": f"BRANCH#{repository_id}#{branch}", "sk": "ISSUE"}


def pull_key(repository_id: int, pull_number: int) -> Key:
    """Key of the row that says which session a pull request belongs to."""
    return {"pk": f"PULL#{repository_id}#{pull_number}", "sk": SESSION}


def commit_key(repository_id: int, sha: str) -> Key:
    """Key of the row that says on which branch a commit was first seen."""
    return {"pk": f"COMMIT#{repository_id}#{sha}", "sk": "BRANCH"}


def explained_key(repository_id: int, subject: str, topic: str) -> Key:
    """Key of the row that says for whom a topic has been explained on a subject."""
    return {"pk": f"EXPLAINED#{repository_id}#{subject}", "sk": topic}


def token_key(repository_id: int, scope: str) -> Key:
    """Key of a token for GitHub, sealed, by a digest of what it is good for."""
    return {"pk": f"TOKEN#{repository_id}", "sk": scope}


def kind_and_name(value: str) -> tuple[str, str]:
    """Take a `pk` or `sk` apart: `SESSION#09e22a8b` is a SESSION named 09e22a8b."""
    kind, _, name = value.partition("#")
    return kind, name


def _session(session_id: str) -> str:
    return f"{SESSION}#{session_id}"


def _issue(repository_id: int, issue_number: int) -> str:
    return f"ISSUE#{repository_id}#{issue_number}"
