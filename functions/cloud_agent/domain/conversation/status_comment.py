"""The session's status comment: its row, rendered for people, and rendered again whenever the row changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.branch_rules import rules_for_people
from cloud_agent.domain.conversation.closing_keywords import closing_note
from cloud_agent.domain.conversation.commit_list import branch_commits
from cloud_agent.domain.conversation.messages import code, counted, marker, plain, sentence, shortened
from cloud_agent.domain.conversation.moments import clock, moment, span
from cloud_agent.domain.conversation.preview_text import preview_log, preview_state
from cloud_agent.domain.conversation.unpublished_note import unpublished_note
from cloud_agent.domain.session.agents import Agent
from cloud_agent.domain.session.comment_trigger import CommentTrigger
from cloud_agent.domain.session.preview import PreviewState
from cloud_agent.domain.session.session import Session, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.session.provenance import Commit

KIND = "session"
REASON_LIMIT = 500  # characters of why a session ended; a comment is read, a log is searched
ACTIVITY_LIMIT = 200  # characters of what Claude is doing, or of an item of its to-do list

_COMMANDS = (
    "**Commands**, each on a line of its own: `/interrupt` stops the current turn, `/update` merges the base branch "
    "into this one, `/stop` stops the session, `/restart` replaces it with a new one, `/status` shows how it's going, "
    "`/help` lists the commands."
)
_ACTIVITIES = {"": "Getting ready", "turn_started": "Thinking", "turn_finished": "Thinking", "turn_failed": "Thinking"}


@dataclass(frozen=True)
class StatusView:
    """Everything the comment shows. `place` is the session's place in the queue and the queue's length, if it waits.

    `is_out_of_capacity` says that the queue doesn't wait for a slot, but for AWS.
    `link` leads to the preview, `page_link` to the session's own page.
    `as_of` is when the view was taken, `max_age` how long a session may run.
    `unanswered` counts the follow-ups, `working` says whether any prompt is still being worked on or about to be.
    """

    session: Session
    link: str
    page_link: str
    execution_url: str
    trigger_label: str
    max_age: timedelta
    as_of: datetime | None
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
    def timeless(self) -> StatusView:
        """The view without what the clock alone changes: no comment is edited because time goes by."""
        return replace(self, as_of=None)

    @property
    def essence(self) -> str:
        """The comment without what changes with every tool that Claude uses, and with every line of a log."""
        preview = self.session.preview and self.session.preview.model_copy(update={"log": ""})
        session = self.session.model_copy(update={"activity": "", "todo": None, "preview": preview})
        return render(replace(self.timeless, session=session))


def session_marker(session_id: str) -> str:
    """Return what the comment begins with."""
    return marker(KIND, session_id)


def render(view: StatusView) -> str:
    """Return the comment's text. Bounded by its parts: each untrusted one is shortened, none is markup."""
    now = "\n".join(filter(None, [_now(view), _todo(view), _preview(view), _so_far(view)]))
    parts = [
        _heading(view),
        _buttons(view),
        now,
        rules_for_people(view.session.branch_rules) if view.session.status.is_live else "",
        _end_by_itself(view),
        unpublished_note(view.session),
        _conflicts(view),
        _commits(view),
        _others(view),
        closing_note(view.closes, "the pull request's title or a commit message"),
        _how_to_go_on(view),
        _log(view),
        _details(view),
    ]
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


def _now(view: StatusView) -> str:
    """Return what happens at this moment, or why nothing does any more."""
    if view.session.status.is_live:
        return _expectation(view)
    reason = shortened(view.session.end_reason or "No reason was given", REASON_LIMIT)
    return "\n".join(filter(None, [sentence(plain(reason)), _left_over(view)]))


def _expectation(view: StatusView) -> str:
    waiting = f" {counted(view.unanswered, 'follow-up')} queued." if view.unanswered else ""
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
    return f"{counted(view.unanswered, 'comment')} {verb} answered; `/restart` picks {pronoun} up."


def _conflicts(view: StatusView) -> str:
    """Return that the branch couldn't be merged, and who resolves that, while the session runs."""
    session = view.session
    if not session.conflicts or session.status is not SessionStatus.RUNNING:
        return ""
    return (
        "> [!WARNING]\n> After Claude's last turn, this branch conflicted with its base branch: `/update` has Claude "
        "resolve that."
    )


def _buttons(view: StatusView) -> str:
    """Return what people come for. A link may hold a token, which nobody has to read."""
    session = view.session
    if not session.status.is_live:
        return ""
    has_preview = session.preview is None or session.preview.state is not PreviewState.NONE
    links = f"[Open preview]({view.link}) · " if has_preview else ""
    until = "" if session.status is SessionStatus.RUNNING else " · available once the session is running"
    return f"**{links}[Session]({view.page_link})**{until}"


def _todo(view: StatusView) -> str:
    """Return how far Claude is with its to-do list, and with which item it's busy."""
    todo = view.session.todo
    if todo is None or not todo.total:
        return ""
    is_busy = view.session.status is SessionStatus.RUNNING and view.working
    current = plain(shortened(todo.current, ACTIVITY_LIMIT)) if is_busy else ""
    return f"**To-do list:** {todo.done} of {todo.total} done" + (f" · {current}" if current else "")


def _preview(view: StatusView) -> str:
    """Return how the preview is, while there is one."""
    session = view.session
    if session.status is not SessionStatus.RUNNING or session.preview is None:
        return ""
    return f"**Preview:** {preview_state(session.preview)}"


def _so_far(view: StatusView) -> str:
    """Return what the session has used, and of how much; the time is that of the comment's last edit."""
    session = view.session
    turns = f"{session.turns}" + (f" of {session.max_turns}" if session.max_turns else "")
    cost = f"${session.cost_usd:.2f}" + (f" of ${session.budget_usd:.2f}" if session.budget_usd else "")
    used = f"{turns} model turns · {cost}"
    if not session.status.is_live:
        return f"**In all:** {used}" + (f" · {span(_age(session, session.ended_at))}" if session.ended_at else "")
    if view.as_of is None:
        return f"**So far:** {used}"
    return f"**So far:** {used} · {span(_age(session, view.as_of))}, as of {moment(view.as_of)}"


def _age(session: Session, now: datetime | str) -> timedelta:
    now = datetime.fromisoformat(now) if isinstance(now, str) else now
    return now - datetime.fromisoformat(session.created_at)


def _end_by_itself(view: StatusView) -> str:
    """Return when the session ends if nobody ends it: in words that stay true, unless that's about to happen."""
    session = view.session
    if session.status is not SessionStatus.RUNNING:
        return ""
    if session.ending:
        return f"**Ending:** {sentence(plain(shortened(session.ending.reason, REASON_LIMIT)))}"
    if session.idle_ends_at:
        return (
            f"> [!WARNING]\n> This session is idle. It stops at {clock(session.idle_ends_at)} unless someone comments "
            "on this pull request or opens the preview."
        )
    idle = f"{span(timedelta(minutes=session.idle_minutes))} without activity or " if session.idle_minutes else ""
    return f"**Stops by itself** after {idle}{span(view.max_age)} in all."


def _facts(view: StatusView) -> str:
    session = view.session
    rows = [("Branch", _branch(session)), ("Model", _model(view)), ("Agent", _agent(view))]
    lines = [f"| **{name}** | {value} |" for name, value in rows if value]
    return "\n".join([lines[0], "|:--|:--|", *lines[1:]])


def _log(view: StatusView) -> str:
    return preview_log(view.session.preview) if view.session.status is SessionStatus.RUNNING else ""


def _agent(view: StatusView) -> str:
    """Return the agent's name, unless it is the standard one."""
    return f"{view.session.agent}" if view.session.agent is not Agent.STANDARD else ""


def _branch(session: Session) -> str:
    """Return the branch, and why it doesn't have the name that it would have."""
    other = session.blocking_branch
    return code(session.branch) + (f" (the repository already has a branch {code(other)})" if other else "")


def _model(view: StatusView) -> str:
    """Return the model that the next turn is taken with, and the effort where one is set."""
    session = view.session
    chosen = session.chosen_model
    model = chosen.model if chosen else session.model
    effort = (chosen.effort if chosen else None) or session.effort
    return (code(model) + (f" · {effort} effort" if effort else "")) if model else ""


def _commits(view: StatusView) -> str:
    if view.commit_count:
        return branch_commits(view.commits, view.commit_count)
    return "" if view.session.status.is_live or view.other_commits else "There are no commits on this branch."


def _others(view: StatusView) -> str:
    """Return that there is more on the branch than the list: nothing that merging brings goes without a word."""
    if not view.other_commits:
        return ""
    verb, pronoun = ("isn't", "it's") if view.other_commits == 1 else ("aren't", "they're")
    count = counted(view.other_commits, "more commit")
    return f"{count} on this branch {verb} listed, because {pronoun} from another session's branch."


def _how_to_go_on(view: StatusView) -> str:
    label = code(view.trigger_label)
    if not view.session.status.is_live:
        return (
            f"**Start another session** on this branch: comment `/restart`, or remove and re-add the label {label} "
            f"{'here' if view.session.is_of_pull_request else 'on the issue'}."
        )
    how = (
        "mention `@claude` in a comment on this pull request or in a review"
        if view.comment_trigger is CommentTrigger.MENTIONS
        else "comment on this pull request or review its lines"
    )
    return f"**Steer:** {how}. Claude works through comments in order."


def _details(view: StatusView) -> str:
    """Return what few people look for."""
    links = f"Session `{view.session.session_id}` · [Execution]({view.execution_url})"
    if view.session.logs_url:
        links += f" · [Logs]({view.session.logs_url})"
    commands = _COMMANDS if view.session.status.is_live else ""
    inside = "\n\n".join(filter(None, [_facts(view), commands, links]))
    return f"<details><summary>{'Details and commands' if commands else 'Details'}</summary>\n\n{inside}\n\n</details>"
