"""Faults to come: which requests fail, how often and in which way."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return text


class Matching(BaseModel):
    """Which requests a fault meets, and when.

    `path` is a regular expression for the whole path: `/repos/acme/app/git/refs`, `/graphql`,
    `/acme/app.git/git-receive-pack`. The first `skip` matching requests pass, the next `count` fail.
    `when` is "before" (nothing is done) or "after" (the request is carried out, its answer is lost).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "*"] = "*"
    path: Annotated[str, AfterValidator(_regular_expression)] = ".*"
    actor: Literal["app", "person", "any"] = "any"
    skip: int = Field(default=0, ge=0)
    count: int = Field(default=1, ge=1)
    when: Literal["before", "after"] = "before"


class Status(Matching):
    """An answer of 5xx."""

    kind: Literal["status"]
    status: Literal[500, 502, 503, 504] = 500


class RateLimit(Matching):
    """A primary rate limit, over in `reset_after` seconds, or with `retry_after` (seconds) a secondary one."""

    kind: Literal["rate_limit"]
    status: Literal[403, 429] = 403
    retry_after: int | None = Field(default=None, ge=0)
    reset_after: int = Field(default=60, ge=0)


class Timeout(Matching):
    """An answer that comes after `seconds` only, and then is 504."""

    kind: Literal["timeout"]
    seconds: float = Field(gt=0, le=600)


class Drop(Matching):
    """A connection that is closed without an answer."""

    kind: Literal["drop"]


Fault = Status | RateLimit | Timeout | Drop
FAULT: TypeAdapter[Fault] = TypeAdapter(Annotated[Fault, Field(discriminator="kind")])


@dataclass
class _Planned:
    id: int
    fault: Fault
    seen: int = 0

    @property
    def remaining(self) -> int:
        return self.fault.count - max(self.seen - self.fault.skip, 0)

    def meets(self, method: str, path: str, kind_of_actor: str) -> bool:
        fault = self.fault
        wanted = fault.method in {"*", method} and fault.actor in {"any", kind_of_actor}
        return wanted and self.remaining > 0 and re.fullmatch(fault.path, path) is not None

    def document(self) -> dict[str, Any]:
        return {"id": self.id, "remaining": self.remaining, **self.fault.model_dump(mode="json")}


class Faults:
    """The faults that were asked for, the used ones too, until they are cleared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[_Planned] = []
        self._last_id = 0

    def add(self, fault: Fault) -> dict[str, Any]:
        """Plan a fault and return its document."""
        with self._lock:
            self._last_id += 1
            planned = _Planned(self._last_id, fault)
            self._planned.append(planned)
            return planned.document()

    def documents(self) -> list[dict[str, Any]]:
        """Describe the faults, in the order in which they were planned, each with its number still to come."""
        with self._lock:
            return [planned.document() for planned in self._planned]

    def clear(self) -> None:
        """Let nothing fail any more."""
        with self._lock:
            self._planned.clear()

    def __bool__(self) -> bool:
        """Tell whether anything may fail still."""
        with self._lock:
            return any(planned.remaining > 0 for planned in self._planned)

    def take(self, method: str, path: str, kind_of_actor: str) -> Fault | None:
        """Return the fault that this request meets, counting it; the one planned first goes first."""
        with self._lock:
            for planned in self._planned:
                if planned.meets(method, path, kind_of_actor):
                    planned.seen += 1
                    if planned.seen > planned.fault.skip:
                        return planned.fault
        return None
