"""The session's status comment: its row, rendered for people, and rendered again whenever the row changes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.closing_keywords import closing_note
from cloud_agent.domain.conversation.messages import code, marker, plain, sentence, shortened
from cloud_agent.domain.conversation.preview_text import preview_log, preview_state
from cloud_agent.domain.session.agents import Agent
from cloud_agent.domain.session.comment_trigger import CommentTrigger
from cloud_agent.domain.session.preview import PreviewState
from cloud_agent.domain.session.session import Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.session.provenance import Commit

KIND = "session"
REASON_LIMIT = 500  # characters of why a session ended; a comment is read, a log is searched
ACTIVITY_LIMIT = 200  # characters of what Claude is doing
AUTHOR_LIMIT = 40  # characters of a commit's author
SUBJECT_LIMIT = 72  # characters of a commit's first line, as Git itself advises
UNFOLDED = 10  # commits that are shown without unfolding
LISTED = 100  # commits that are shown at all: more would take the comment towards GitHub's 65,536 characters

_ACTIVITIES = {"": "Getting ready", "turn_started": "Thinking", "turn_finished": "Thinking", "turn_failed": "Thinking"}


@dataclass(frozen=True)
class StatusView:
    """Everything the comment shows. `place` is the session's place in the queue and the queue's length, if it waits.

    `is_out_of_capacity` says that the queue doesn't wait for a slot, but for AWS.
    `link` is what a click on `url` opens: it may hold a token, which nobody has to read.
    `unanswered` counts the follow-ups, `working` says whether any prompt is still being worked on or about to be.
    """

    session: Session
    url: str
    link: str
    execution_url: str
    logs_url: str
    trigger_label: str
    comment_trigger: CommentTrigger = CommentTrigger.ALL
    place: tuple[int, int] | None = None
    is_out_of_capacity: bool = False
    working: bool = False
    unanswered: int = 0
    commits: Sequence[Commit] = ()
    commit_count: int = 0
    other_commits: int = 0
    closes: Sequence[str] = ()

    @property
    def essence(self) -> str:
        """The comment without what changes with every tool that Claude uses, and with every line of a log."""
        preview = self.session.preview and self.session.preview.model_copy(update={"log": ""})
        return render(replace(self, session=self.session.model_copy(update={"activity": "", "preview": preview})))


def session_marker(session_id: str) -> str:
    """Return what the comment begins with."""
    return marker(KIND, session_id)


def render(view: StatusView) -> str:
    """Return the comment's text. Bounded by its parts: each untrusted one is shortened, none is markup."""
    parts = [
        _heading(view),
        *_now(view),
        _facts(view),
        _log(view),
        _commits(view),
        _others(view),
        closing_note(view.closes),
    ]
    parts += [_how_to_go_on(view), _links(view)]
    return f"{session_marker(view.session.session_id)}\n" + "\n\n".join(part for part in parts if part) + "\n"


def _heading(view: StatusView) -> str:
    session = view.session
    match session.status:
        case SessionStatus.QUEUED if view.place:
            place, length = view.place
            return f"### 🕓 Queued: {'next in line' if place == 1 else f'place {place} of {length}'}"
        case SessionStatus.QUEUED | SessionStatus.STARTING:
            return "### 🚀 Starting"
        case SessionStatus.RUNNING:
            return f"### 🟢 Running: {'Claude is working' if view.working else 'waiting for you'}"
        case SessionStatus.FAILED:
            return "### ❌ Failed"
        case SessionStatus.COMPLETED:
            return "### ✅ Completed"
        case SessionStatus.STOPPED:
            return "### ⏹️ Stopped"


def _now(view: StatusView) -> list[str]:
    """Return what happens at this moment, or why nothing does any more."""
    session = view.session
    if not session.status.is_live:
        reason = shortened(session.end_reason or "No reason was given", REASON_LIMIT)
        return [sentence(plain(reason)), _left_over(view)]
    lines = [_expectation(view)]
    if session.ending:
        lines.append(f"**Ending:** {sentence(plain(shortened(session.ending.reason, REASON_LIMIT)))}")
    elif session.idle_ends_at:
        lines.append(
            f"> [!WARNING]\n> This session is idle. It stops at {_clock(session.idle_ends_at)} unless someone comments "
            "on this pull request or opens the preview."
        )
    return lines


def _expectation(view: StatusView) -> str:
    waiting = f" {_counted(view.unanswered, 'follow-up')} queued." if view.unanswered else ""
    match view.session.status:
        case SessionStatus.QUEUED if view.is_out_of_capacity:
            return (
                "AWS Fargate has no room for another container right now. Your session starts automatically when it "
                f"has.{waiting}"
            )
        case SessionStatus.QUEUED if view.place:
            return f"All sessions are in use. Yours starts automatically.{waiting}"
        case SessionStatus.QUEUED | SessionStatus.STARTING:
            return f"Setting up a container with this branch.{waiting}"
    if not view.working:
        return "Claude has replied to every comment. Add another whenever you like."
    activity = view.session.activity
    doing = _ACTIVITIES.get(activity) or plain(shortened(activity, ACTIVITY_LIMIT))
    return f"**Now:** {doing}{waiting and ' ·'}{waiting}"


def _left_over(view: StatusView) -> str:
    if not view.unanswered:
        return ""
    verb, pronoun = ("wasn't", "it") if view.unanswered == 1 else ("weren't", "them")
    return f"{_counted(view.unanswered, 'comment')} {verb} answered; `/restart` picks {pronoun} up."


def _facts(view: StatusView) -> str:
    session = view.session
    turns = f"{session.turns}" + (f" of {session.max_turns}" if session.max_turns else "")
    cost = f"${session.cost_usd:.2f}" + (f" of ${session.budget_usd:.2f}" if session.budget_usd else "")
    rows = [
        ("Preview", _preview(view)),
        ("Agent", _agent(view)),
        ("Model", _model(view)),
        ("Branch", code(session.branch)),
        ("Model turns", turns),
        ("Cost", cost),
    ]
    lines = [f"| **{name}** | {value} |" for name, value in rows if value]
    return "\n".join([lines[0], "|:--|:--|", *lines[1:]])


def _preview(view: StatusView) -> str:
    """Return the preview's address, and what there is to say of it unless it simply works."""
    session, link = view.session, f"[{view.url}]({view.link})"
    if not session.status.is_live:
        return ""
    if session.status is not SessionStatus.RUNNING:
        return f"{link} (available once the session is running)"
    preview = session.preview
    if preview is None or (preview.state is PreviewState.LIVE and not preview.detail):
        return link
    state = re.sub(r"(?<!\\)\|", r"\\|", preview_state(preview))  # in code, too, it would end the table's cell
    return f"{link}<br>{state}"


def _log(view: StatusView) -> str:
    return preview_log(view.session.preview) if view.session.status is SessionStatus.RUNNING else ""


def _agent(view: StatusView) -> str:
    """Return the agent's name, unless it is the standard one."""
    return f"{view.session.agent}" if view.session.agent is not Agent.STANDARD else ""


def _model(view: StatusView) -> str:
    """Return the model that the next turn is taken with, and the effort where one is set."""
    session = view.session
    chosen = session.chosen_model
    model = chosen.model if chosen else session.model
    effort = (chosen.effort if chosen else None) or session.effort
    return (code(model) + (f" · {effort} effort" if effort else "")) if model else ""


def _commits(view: StatusView) -> str:
    count = view.commit_count
    if not count:
        return "" if view.session.status.is_live or view.other_commits else "There are no commits on this branch."
    lines = commit_lines(view.commits[:LISTED])
    shown = "\n".join(lines[:UNFOLDED])
    text = f"**{_counted(count, 'commit')} on this branch**, newest first\n\n{shown}"
    if len(lines) > UNFOLDED:
        rest = "\n".join(lines[UNFOLDED:])
        more = f"\n\n… and {_counted(count - len(lines), 'older commit')}." if count > len(lines) else ""
        text += f"\n\n<details><summary>{count - UNFOLDED} more</summary>\n\n{rest}{more}\n\n</details>"
    return text


def _others(view: StatusView) -> str:
    """Return that there is more on the branch than the list: nothing that merging brings goes without a word."""
    if not view.other_commits:
        return ""
    verb, pronoun = ("isn't", "it's") if view.other_commits == 1 else ("aren't", "they're")
    count = _counted(view.other_commits, "more commit")
    return f"{count} on this branch {verb} listed, because {pronoun} from another session's branch."


def commit_lines(commits: Sequence[Commit]) -> list[str]:
    """Return a list item for each commit: its sha, linked, its first line, and its author unless that is Claude."""
    return [
        f"- [`{c.sha[:7]}`]({c.url}) {plain(shortened(c.subject, SUBJECT_LIMIT))}".rstrip() + _by(c) for c in commits
    ]


def _by(commit: Commit) -> str:
    if commit.author is None:
        return ""
    return f" · by {plain(shortened(commit.author, AUTHOR_LIMIT)) or 'an unnamed author'}"


def _how_to_go_on(view: StatusView) -> str:
    label = code(view.trigger_label)
    if not view.session.status.is_live:
        return (
            f"**Start another session** on this branch: comment `/restart`, or remove and re-add the label {label} on "
            "the issue."
        )
    how = (
        "mention `@claude` in a comment on this pull request or in a review"
        if view.comment_trigger is CommentTrigger.MENTIONS
        else "comment on this pull request or review its lines"
    )
    return (
        f"**Steer:** {how}. Claude works through comments in order.\n"
        "**Commands**, each on a line of its own: `/interrupt` stops the current turn, `/stop` stops the session, "
        "`/restart` replaces it with a new one, `/status` shows how it's going, `/help` lists the commands."
    )


def _links(view: StatusView) -> str:
    links = f"[Execution]({view.execution_url}) · [Logs]({view.logs_url})"
    return f"<sub>Session `{view.session.session_id}` · {links}</sub>"


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime("%H:%M UTC")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
