"""A fleet of sessions, each with its rows, its execution and its task, for the reconciler to go over."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from tests.kit.sessions import REPO, REPOSITORY_ID, a_row

from cloud_agent.adapters.table.keys import SLOTS_KEY, lock_key, session_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.adapters.table.slots import Slots
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind, PromptState
from cloud_agent.domain.session.session import timestamp
from cloud_agent.reconciler.handler import handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import Ecs, StepFunctions

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:test-session:acme-storefront-42-"


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


@dataclass(frozen=True)
class Reconciled:
    """The context of an invocation with so much time left."""

    milliseconds: list[int] = field(default_factory=lambda: [60_000])
    function_name: str = "reconciler"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:reconciler"
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    def get_remaining_time_in_millis(self) -> int:
        """The last of them for good, each before it once."""
        return self.milliseconds.pop(0) if len(self.milliseconds) > 1 else self.milliseconds[0]


@dataclass
class Fleet:
    """What is live, and what AWS knows of it."""

    table: Table
    ecs: Ecs
    step_functions: StepFunctions

    def put(  # noqa: PLR0913 - what may be missing
        self,
        session_id: str = "09e22a8b",
        status: str = "RUNNING",
        *,
        idle_minutes: float = 5,
        execution: str | None = "RUNNING",
        task: bool = True,
        row: bool = True,
        **attributes: Any,  # noqa: ANN401 - a row's values
    ) -> str:
        """A session as it stands after an hour, each of its parts unless the test leaves it out; returns its id."""
        if task and status in {"STARTING", "RUNNING"}:
            arn = self.ecs.add(f"task-{session_id}", session_id, int(ago(60).timestamp()), "10.0.2.133")
            attributes = {"task_arn": arn} | attributes
        if execution is not None:
            self.step_functions.statuses[EXECUTION + session_id] = execution
        if row:
            self._put_row(session_id, status, ago(idle_minutes), attributes)
        Slots(self.table.name).ensure()
        place: Any = {"repo": REPO, "since": timestamp(ago(60))} if status == "QUEUED" else REPO
        self.table.update_item(
            Key=SLOTS_KEY,
            UpdateExpression="SET #map.#id = :place",
            ExpressionAttributeNames={"#map": "waiting" if status == "QUEUED" else "live", "#id": session_id},
            ExpressionAttributeValues={":place": place},
        )
        return session_id

    def _put_row(self, session_id: str, status: str, active_at: datetime, attributes: dict[str, Any]) -> None:
        issue_number = int(session_id, 16)
        own = {
            "status": status,
            "issue_number": issue_number,
            "execution_arn": EXECUTION + session_id,
            "created_at": timestamp(ago(60 * 24)),
            "last_active_at": timestamp(active_at),
            "lifecycle_token": f"lifecycle-{session_id}",
        }
        row = a_row(session_id, **own | attributes)
        if status == "QUEUED":
            del row["lifecycle_token"], row["last_active_at"]
        self.table.put_item(Item=row)
        lock: dict[str, Any] = {"session_id": session_id, "expires_at": int(ago(-60).timestamp())}
        self.table.put_item(Item=lock_key(REPOSITORY_ID, issue_number) | lock)

    def put_many(self, count: int) -> None:
        """Running sessions, like the one that is there, which becomes the first of them."""
        ids = [f"{number:08x}" for number in range(count)]
        pattern, (task,) = self.row(), self.ecs.tasks
        self.ecs.tasks[:] = [task | {"taskArn": f"task-{one}", "group": f"session:{one}"} for one in ids]
        self.step_functions.statuses = dict.fromkeys((EXECUTION + one for one in ids), "RUNNING")
        with self.table.batch_writer() as batch:
            for one in ids:
                own = {"session_id": one, "task_arn": f"task-{one}", "execution_arn": EXECUTION + one}
                batch.put_item(Item=pattern | session_key(one) | own)
            batch.put_item(Item=SLOTS_KEY | {"live": dict.fromkeys(ids, REPO), "waiting": {}, "version": 1})

    def ask(self, session_id: str, state: PromptState) -> None:
        """An issue in this state."""
        prompt = Prompt(
            id=INITIAL_PROMPT_ID, kind=PromptKind.ISSUE, body="", author="a", url="u", created_at="", state=state
        )
        Prompts(self.table.name).put(session_id, prompt)

    def row(self, session_id: str = "09e22a8b") -> dict[str, Any]:
        return dict(self.table.get_item(Key=session_key(session_id)).get("Item", {}))

    def in_slots(self) -> set[str]:
        occupancy = Slots(self.table.name).occupancy()
        return set(occupancy.live) | {waiting.session_id for waiting in occupancy.waiting}


@pytest.fixture
def fleet(table: Table, ecs: Ecs, step_functions: StepFunctions) -> Fleet:
    Slots(table.name).ensure()
    return Fleet(table, ecs, step_functions)


@pytest.fixture
def reconcile(environment: Callable[..., None], fleet: Fleet) -> Callable[..., dict[str, int]]:
    """Reconcile once; returns what was done, by kind. `milliseconds`: what is left of the time, at each question."""

    def run(*milliseconds: int) -> dict[str, int]:
        done: dict[str, int] = handler({}, Reconciled(list(milliseconds)) if milliseconds else Reconciled())
        done.pop("sessions")
        return done

    return run


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Have the reconciler's clock stand so many minutes from now."""

    def set_clock(minutes: float) -> None:
        clock = Mock(now=lambda zone: datetime.now(zone) + timedelta(minutes=minutes))
        monkeypatch.setattr("cloud_agent.reconciler.handler.datetime", clock)

    return set_clock
