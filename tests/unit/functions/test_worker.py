"""What a Lambda worker keeps, and for how long."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import boto3
import pytest

from cloud_agent.adapters.aws import clients
from cloud_agent.domain.errors import ConfigurationError
from cloud_agent.settings import Settings, load
from cloud_agent.worker import once_per_worker

if TYPE_CHECKING:
    from collections.abc import Callable

_made = count()


@once_per_worker
def _made_for(name: str) -> tuple[str, int]:
    return name, next(_made)


def test_a_worker_makes_each_thing_once(new_worker: Callable[[], None]) -> None:
    first = _made_for("a")
    assert _made_for("a") == first
    assert _made_for("b") != first
    new_worker()
    assert _made_for("a") != first


@pytest.mark.usefixtures("aws")
def test_a_new_worker_has_clients_of_its_own(new_worker: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())  # which shares none, as in Lambda

    def kept() -> set[int]:
        things = [clients.ecs(), clients.step_functions(), clients.secrets_manager(), clients.table("sessions")]
        one_by_one.extend(things)  # alive, so that no id is given out twice
        return {id(thing) for thing in things}

    one_by_one: list[object] = []
    first = kept()
    assert kept() == first
    new_worker()
    assert kept().isdisjoint(first)


def test_what_could_not_be_made_is_made_when_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SESSIONS_TABLE", raising=False)
    with pytest.raises(ConfigurationError, match="SESSIONS_TABLE"):
        load(Settings)
    monkeypatch.setenv("SESSIONS_TABLE", "sessions")
    assert load(Settings).sessions_table == "sessions"
    monkeypatch.setenv("SESSIONS_TABLE", "another")
    assert load(Settings).sessions_table == "sessions"  # read once
