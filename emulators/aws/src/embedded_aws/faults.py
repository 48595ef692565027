"""Planned faults of AWS itself."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

NO_CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
NO_NETWORK_INTERFACE = "Timeout waiting for network interface provisioning to complete."


class _Counted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(default=1, ge=1)


class NoCapacity(_Counted):
    """RunTask answers 200 with no task and, in `failures`, the reason: how Fargate says that it has no capacity."""

    kind: Literal["no_capacity"]
    reason: str = NO_CAPACITY

    @property
    def operation(self) -> str:
        """The operation that fails, as service:Operation."""
        return "ecs:RunTask"


class FailsToStart(_Counted):
    """RunTask's task is accepted and then STOPPED with TaskFailedToStart, without having run."""

    kind: Literal["fails_to_start"]
    reason: str = NO_NETWORK_INTERFACE

    @property
    def operation(self) -> str:
        """The operation that fails, as service:Operation."""
        return "ecs:RunTask"


class Throttled(_Counted):
    """A request to DynamoDB, ECS or Lambda is refused as one too many."""

    kind: Literal["throttled"]
    operation: str = Field(pattern=r"^(dynamodb:[A-Z]\w+|ecs:[A-Z]\w+|lambda:Invoke)$")


Fault = NoCapacity | FailsToStart | Throttled
FAULT: TypeAdapter[Fault] = TypeAdapter(Annotated[Fault, Field(discriminator="kind")])


@dataclass
class _Planned:
    fault: Fault
    remaining: int


class Faults:
    """The planned faults, until they are cleared. Safe to use from all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[_Planned] = []

    def add(self, fault: Fault) -> None:
        """Let the next `count` requests that fit fail."""
        with self._lock:
            self._planned.append(_Planned(fault, fault.count))

    def clear(self) -> None:
        """Let nothing fail any more."""
        with self._lock:
            self._planned.clear()

    def documents(self) -> list[dict[str, Any]]:
        """Describe the faults in the order in which they were planned, each with its number still to come."""
        with self._lock:
            return [
                planned.fault.model_dump(mode="json")
                | {"operation": planned.fault.operation, "remaining": planned.remaining}
                for planned in self._planned
            ]

    def take(self, kind: str, operation: str) -> Fault | None:
        """Return the fault of this kind that a request meets, counting it; the one planned first goes first."""
        with self._lock:
            for planned in self._planned:
                fault = planned.fault
                if planned.remaining and (fault.kind, fault.operation) == (kind, operation):
                    planned.remaining -= 1
                    return fault
        return None
