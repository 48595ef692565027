"""What the agent may say: every word is bounded."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from cloud_agent.domain.session.agent_reports import Done, EnvironmentNames, Heartbeat, Progress, Ready, TurnFinished

PROMPT = "0" * 26
PROGRESS: TypeAdapter[Progress] = TypeAdapter(Progress)
FINISHED: dict[str, Any] = {
    "event": "turn_finished",
    "prompt_id": PROMPT,
    "is_error": False,
    "result": "The cart shows its total.",
    "turns": 7,
    "cost_usd": 0.1834,
    "head_sha": "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
}
TOOL: dict[str, Any] = {"event": "tool_used", "prompt_id": PROMPT, "tool": "Edit", "detail": "src/cart.py"}
DONE: dict[str, Any] = {"task_token": "t", "outcome": "failed", "error": "CloneFailedError", "message": "npm"}


def _read(report: dict[str, Any]) -> Progress:
    return PROGRESS.validate_json(json.dumps(report))


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (Ready, {"task_token": "t", "port": 1023}),
        (Ready, {"task_token": "t", "port": 65_536}),
        (Ready, {"task_token": "t", "port": "3000; rm"}),
        (Ready, {"task_token": "t", "port": 3000, "ip": "10.0.0.1"}),
        (Ready, {"task_token": "", "port": 3000}),
        (Ready, {"port": 3000}),
        (Ready, {"task_token": "t", "port": 3000, "host_header": "evil.example"}),
        (Ready, {"task_token": "t", "port": 3000, "host_header": None}),
        (Ready, {"task_token": "t", "port": 3000, "limits": {"idle_minutes": 0}}),
        (Ready, {"task_token": "t", "port": 3000, "limits": {"idle_minutes": 1_441}}),
        (Ready, {"task_token": "t", "port": 3000, "limits": {"max_turns": 0}}),
        (Ready, {"task_token": "t", "port": 3000, "limits": {"max_turns": 1.5}}),
        (Ready, {"task_token": "t", "port": 3000, "limits": {"budget_usd": 0}}),
        (Ready, {"task_token": "t", "port": 3000, "limits": {"budget_usd": float("nan")}}),
        (Ready, {"task_token": "t", "port": 3000, "limits": {"budget_usd": 100_001}}),
        (Ready, {"task_token": "t", "port": 3000, "limits": {"ready_for_review": None}}),
        (Ready, {"task_token": "t", "port": 3000, "limits": {"max_sessions": 1}}),
        (EnvironmentNames, {}),
        (EnvironmentNames, {"names": "STRIPE_KEY"}),
        (EnvironmentNames, {"names": ["stripe_key"]}),
        (EnvironmentNames, {"names": ["../../other/repo/KEY"]}),
        (EnvironmentNames, {"names": ["KEY\n"]}),
        (EnvironmentNames, {"names": ["K" * 65]}),
        (EnvironmentNames, {"names": [""]}),
        (EnvironmentNames, {"names": [f"KEY_{number}" for number in range(51)]}),
        (Heartbeat, {"task_token": "t" * 2_049}),
        (Heartbeat, {}),
        (Done, DONE | {"outcome": "stopped"}),
        (Done, DONE | {"error": "States.ALL"}),
        (Done, DONE | {"error": "installFailedError"}),
        (Done, DONE | {"error": "Install Failed Error"}),
        (Done, DONE | {"error": "A" * 70 + "Error"}),
        (Done, DONE | {"message": "x" * 32_001}),
    ],
)
def test_a_body_out_of_bounds_is_refused(model: type[BaseModel], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate_json(json.dumps(wrong))


@pytest.mark.parametrize(
    "report",
    [
        {"event": "turn_paused", "prompt_id": PROMPT},
        {"prompt_id": PROMPT},
        {"event": "turn_started", "prompt_id": "../../x"},
        {"event": "turn_started", "prompt_id": PROMPT.replace("0", "I")},
        {"event": "turn_started", "prompt_id": PROMPT, "status": "COMPLETED"},
        TOOL | {"tool": "x" * 101},
        TOOL | {"detail": "x" * 1_001},
        TOOL | {"todo": {"done": -1, "total": 5}},
        TOOL | {"todo": {"done": 1, "total": 1_001}},
        TOOL | {"todo": {"done": 1, "total": 5, "current": "x" * 201}},
        FINISHED | {"result": "x" * 8_001},
        FINISHED | {"turns": -1},
        FINISHED | {"turns": 1.5},
        FINISHED | {"interrupted": None},
        FINISHED | {"cost_usd": -0.01},
        FINISHED | {"cost_usd": float("nan")},
        FINISHED | {"cost_usd": float("inf")},
        FINISHED | {"cost_usd": 100_001},
        FINISHED | {"head_sha": "main"},
        FINISHED | {"head_sha": "F" * 40},
    ],
)
def test_a_progress_report_out_of_bounds_is_refused(report: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _read(report)


def test_a_report_at_the_bounds_is_taken() -> None:
    assert Ready(task_token="t" * 2_048, port=1024)
    assert Ready.model_validate({"task_token": "t", "port": 3000, "limits": {"idle_minutes": 1_440, "max_turns": None}})
    assert EnvironmentNames.model_validate({"names": ["K" * 64] * 50})
    assert EnvironmentNames(names=())
    assert Done.model_validate(DONE | {"message": "😀" * 32_000, "error": ""})
    assert _read(FINISHED | {"result": "x" * 8_000, "turns": 0, "cost_usd": 0, "head_sha": None})
    assert _read(TOOL | {"tool": "x" * 100, "detail": "😀" * 1_000})


def test_progress_says_what_the_row_is_to_hold() -> None:
    assert _read({"event": "turn_started", "prompt_id": PROMPT}).attributes() == {"activity": "turn_started"}
    assert _read(TOOL).attributes() == {"activity": "Edit src/cart.py"}
    assert _read(TOOL | {"tool": "Bash", "detail": ""}).attributes() == {"activity": "Bash"}
    todo = {"done": 2, "total": 5, "current": "Adding the total"}
    assert _read(TOOL | {"tool": "TodoWrite", "todo": todo}).attributes() == {"todo": todo}
    assert {
        "activity": "turn_finished",
        "turns": 7,
        "cost_usd": Decimal("0.183400"),
        "latest_turn_id": FINISHED["prompt_id"],
        "unpublished": 0,
        "conflicts": False,
        "reported_head_sha": FINISHED["head_sha"],
        "question": "",
    } == _read(FINISHED).attributes()


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_turns_answer_is_for_its_prompt(interrupted: bool) -> None:  # noqa: FBT001 - a parameter of the test
    report = _read(FINISHED | {"interrupted": interrupted, "description": "Show the total.", "pictures": 2})
    assert isinstance(report, TurnFinished)
    answer = report.turn_result("2026-11-22T10:00:00.000Z")
    assert {
        "prompt_id": PROMPT,
        "is_error": False,
        "interrupted": interrupted,
        "result": "The cart shows its total.",
        "head_sha": FINISHED["head_sha"],
        "description": "Show the total.",
        "pictures": 2,
        "created_at": "2026-11-22T10:00:00.000Z",
        "reply_id": None,
    } == answer.model_dump()


def test_a_turn_is_not_interrupted_unless_it_says_so() -> None:
    report = _read({name: value for name, value in FINISHED.items() if name != "interrupted"})
    assert isinstance(report, TurnFinished)
    assert not report.interrupted


def test_a_turn_that_pushed_nothing_leaves_the_last_commit_on_record() -> None:
    attributes = _read(FINISHED | {"head_sha": None, "is_error": True, "unpublished": 3}).attributes()
    assert "reported_head_sha" not in attributes
    assert attributes["unpublished"] == 3
    assert attributes["activity"] == "turn_failed"


@given(cost=st.floats(min_value=0, max_value=100_000))
@example(cost=1e-300)
@example(cost=0.1 + 0.2)
def test_every_cost_is_a_number_that_dynamodb_takes(cost: float) -> None:
    stored = _read(FINISHED | {"cost_usd": cost}).attributes()["cost_usd"]
    assert TypeSerializer().serialize(stored)
    assert abs(float(stored) - cost) <= 0.000_001
