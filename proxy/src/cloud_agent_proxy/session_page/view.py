"""What the page says of a session, from its row and its transcript."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cloud_agent_proxy.pages import about, web_link
from cloud_agent_proxy.session import Session, SessionStatus
from cloud_agent_proxy.session_page.times import moment, span
from cloud_agent_proxy.steps import StepState, steps_of_start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_agent_proxy.pages import Page
    from cloud_agent_proxy.session_page.conversation import Conversation
    from cloud_agent_proxy.session_page.events import Event, Fields

_EXECUTION = re.compile(r"arn:(?P<partition>aws[a-z-]*):states:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):[\w:.-]+")
_NO_ACCOUNT = "000000000000"  # of a system on one machine
_CONSOLES = {"aws-us-gov": "console.amazonaws-us-gov.com", "aws-cn": "console.amazonaws.cn"}
_TO_RESTART = "To start another session on this branch, comment /restart on the pull request."
_TO_WRITE = "To write to Claude, comment on the pull request."
_IN_ORDER = "Claude works through comments in order."


@dataclass(frozen=True)
class PageView:
    """Everything that the page shows beside the conversation."""

    session: Session
    viewers: int = 0
    writing_url: str = ""
    """Where visitors write to Claude; empty where that's only possible on GitHub."""
    index_url: str = ""
    """Where the sessions that they may see are listed; empty where nothing is."""
    not_up: Page | None = None
    """What is wrong with a dev server that should be live; None unless that was found."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    working_since: str = ""
    todo: tuple[Fields, ...] = ()
    commits: tuple[Event, ...] = ()
    total_diff: Event | None = None
    services: dict[str, str] = field(default_factory=dict)
    logs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    history: tuple[Event, ...] = ()
    """The states that the session's execution went through, and that there were more."""
    last_turn: Event | None = None
    reported: Event | None = None
    """What the agent last said of its model and limits."""

    @property
    def title(self) -> str:
        """What it is about."""
        return self.session.issue_title or f"Session {self.session.id}"

    @property
    def status(self) -> str:
        """Its status, in capitals."""
        return self.session.status.value

    @property
    def is_live(self) -> bool:
        """Whether anything can still happen."""
        return not self.session.status.is_final

    @property
    def is_working(self) -> bool:
        """Whether Claude is in a turn."""
        return self.session.status is SessionStatus.RUNNING and bool(self.working_since)

    @property
    def activity(self) -> str:
        """What is going on, in a few words."""
        if self.session.status is not SessionStatus.RUNNING:
            steps = steps_of_start(self.session) if self.is_live else ()
            return next((step.name for step in steps if step.state is StepState.CURRENT), "")
        return "Claude is working" if self.is_working else "Waiting for a comment"

    @property
    def reason(self) -> str:
        """Why it has ended."""
        return self.session.end_reason if self.session.status.is_final else ""

    @property
    def files_url(self) -> str:
        """Where the pull request's changes are."""
        return f"{self.session.pull_url}/files" if web_link(self.session.pull_url) else ""

    @property
    def links(self) -> list[tuple[str, str]]:
        """Where else there is something about the session: address and text."""
        session = self.session
        is_of_pull_request = session.pull_number == session.issue_number
        return [
            ("" if is_of_pull_request else session.issue_url, f"Issue #{session.issue_number}"),
            (session.pull_url, f"Pull request #{session.pull_number}"),
            (_execution_url(session.execution_arn), "Execution"),
            ("" if self._is_local else session.logs_url, "Logs"),
        ]

    @property
    def logs_command(self) -> str:
        """What shows its logs where there's no console to link to."""
        return f"cloud-agent local logs {self.session.id}" if self._is_local and self.session.logs_url else ""

    @property
    def model(self) -> str:
        """Which model works on it."""
        return (self.reported.text("model") if self.reported else "") or self.session.model

    @property
    def elapsed(self) -> str:
        """For how long it lives."""
        return span(moment(self.session.created_at), self.now)

    @property
    def ends_at(self) -> str:
        """When it ends by itself, if nobody needs it until then."""
        return self.session.idle_ends_at if self.session.status is SessionStatus.RUNNING and not self.is_working else ""

    @property
    def turns(self) -> int:
        """How many model turns it has taken: the row has them at a turn's end, the transcript no earlier."""
        return max(self.session.turns, self.last_turn.count("turns") if self.last_turn else 0)

    @property
    def cost_usd(self) -> float:
        """What it has cost."""
        return max(self.session.cost_usd, (self.last_turn.number("cost_usd") or 0) if self.last_turn else 0)

    @property
    def todo_done(self) -> int:
        """How many items of the to-do list are done."""
        return sum(item.text("status") == "completed" for item in self.todo)

    @property
    def revision(self) -> int:
        """How many changes of the preview's pages there have been."""
        return self.session.page_revision or 0

    @property
    def instead(self) -> Page | None:
        """What is shown in the preview's place; None while there is a dev server to show."""
        return self.not_up if self.session.has_live_preview else about(self.session)

    @property
    def preview_address(self) -> str:
        """What stands where a browser has its address."""
        state = self.session.preview.state.value if self.session.preview else "live"
        if self.not_up is not None and self.session.has_live_preview:
            state = "not responding"
        return f"Preview · {state if self.session.status is SessionStatus.RUNNING else self.status.lower()}"

    @property
    def nothing(self) -> str:
        """What to say where there is no conversation."""
        return "Claude's work appears here as it happens." if self.is_live else ""

    @property
    def how_to_write(self) -> str:
        """How to have Claude do something."""
        if self.writing_url:
            return _IN_ORDER if self.is_live else ""
        return f"{_TO_WRITE} {_IN_ORDER}" if self.is_live else _TO_RESTART

    @property
    def _is_local(self) -> bool:
        named = _EXECUTION.fullmatch(self.session.execution_arn)
        return named is not None and named["account"] == _NO_ACCOUNT


def view_of(  # noqa: PLR0913 - what the page shows beside the transcript
    session: Session,
    conversation: Conversation,
    viewers: int = 0,
    *,
    writing_url: str = "",
    index_url: str = "",
    not_up: Page | None = None,
) -> PageView:
    """Return the view of a session as it is now."""
    now = conversation.now
    return PageView(
        session=session,
        viewers=viewers,
        writing_url=writing_url,
        index_url=index_url,
        not_up=not_up,
        working_since=now.working_since,
        todo=tuple(now.todo),
        commits=tuple(_newest_first(now.commits)),
        total_diff=now.total_diff,
        services=dict(now.services),
        logs={source: tuple(lines) for source, lines in now.logs.items()},
        history=tuple(conversation.history),
        last_turn=now.turn,
        reported=now.session,
    )


def _newest_first(events: Iterable[Event]) -> list[Event]:
    return list(events)[::-1]


def _execution_url(arn: str) -> str:
    """Return the execution's page in the AWS console; nothing for one that isn't on AWS."""
    named = _EXECUTION.fullmatch(arn)
    if named is None or named["account"] == _NO_ACCOUNT:
        return ""
    region, console = named["region"], _CONSOLES.get(named["partition"], "console.aws.amazon.com")
    return f"https://{region}.{console}/states/home?region={region}#/v2/executions/details/{arn}"
