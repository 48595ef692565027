"""The state machine's definition: well formed, every state reachable and ending, every task bounded and caught.

Each check is proven by a definition that has been broken in the way it is there to find.
"""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Document = dict[str, Any]
    Mutation = Callable[[Document], object]

ENDS = {"Succeed", "Fail"}
OTHERWISE_SPELT = {"NULL", "BOOL", "SS", "NS", "BS"}
LONGEST_WAIT_WITHOUT_A_HEARTBEAT = 300  # seconds; who waits in the queue has no container yet that could send one


def _successors(state: Document) -> Iterator[str]:
    for branch in [state, *state.get("Choices", []), *state.get("Catch", [])]:
        if "Next" in branch:
            yield branch["Next"]
    if "Default" in state:
        yield state["Default"]


def _reachable(states: Document, start: str) -> set[str]:
    seen, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in states:
            continue
        seen.add(name)
        waiting.extend(_successors(states[name]))
    return seen


def _path_faults(definition: Document) -> Iterator[str]:
    states = definition["States"]
    for name, state in states.items():
        yield from (
            f"{name}: goes to {next_}, which does not exist" for next_ in _successors(state) if next_ not in states
        )
        if state["Type"] in ENDS and list(_successors(state)):
            yield f"{name}: ends and goes on"
        if state["Type"] not in ENDS | {"Choice"} and not state.get("End") and "Next" not in state:
            yield f"{name}: neither goes on nor ends"
        if state["Type"] == "Choice" and "Default" not in state:
            yield f"{name}: has no Default"
        if not any(states[end]["Type"] in ENDS or states[end].get("End") for end in _reachable(states, name)):
            yield f"{name}: no path from here ends"
    yield from (f"{name}: cannot be reached" for name in states.keys() - _reachable(states, definition["StartAt"]))


def _task_faults(name: str, state: Document) -> Iterator[str]:
    yield from (f"{name}: has no {member}" for member in ("TimeoutSeconds", "Retry", "Catch") if not state.get(member))
    if state["Resource"].endswith(".waitForTaskToken") and "HeartbeatSeconds" not in state:
        timeout = state.get("TimeoutSeconds")
        if not isinstance(timeout, int) or timeout > LONGEST_WAIT_WITHOUT_A_HEARTBEAT:
            yield f"{name}: waits without HeartbeatSeconds"
    for retrier in state.get("Retry", []):
        bounds = {"IntervalSeconds", "BackoffRate", "MaxAttempts", "MaxDelaySeconds", "JitterStrategy"}
        yield from (f"{name}: retries without {bound}" for bound in sorted(bounds - set(retrier)))
        if {"States.ALL", "States.TaskFailed"} & set(retrier["ErrorEquals"]):
            yield f"{name}: retries whatever went wrong"
    if state.get("Catch") and state["Catch"][-1]["ErrorEquals"] != ["States.ALL"]:
        yield f"{name}: lets an error through"


def _type_faults(name: str, value: object) -> Iterator[str]:
    """DynamoDB's types that the workflow's SDK integrations spell otherwise (`Nul`, `Bool`, `Ss`): none may stand."""
    if isinstance(value, dict):
        yield from (f"{name}: uses DynamoDB's {type_}" for type_ in OTHERWISE_SPELT & value.keys())
        for member in value.values():
            yield from _type_faults(name, member)
    elif isinstance(value, list):
        for member in value:
            yield from _type_faults(name, member)


def _faults(definition: Document) -> list[str]:
    faults = list(_path_faults(definition))
    for name, state in definition["States"].items():
        if not state.get("Comment"):
            faults.append(f"{name}: has no Comment")
        if state["Type"] == "Task":
            faults += _task_faults(name, state)
        faults += _type_faults(name, [state.get("Arguments"), state.get("Assign")])
    return faults


def _lint(definition: Document, substitutions: Document) -> list[str]:
    """cfn-lint's findings; it reads a definition only where it stands inside the template.

    It wants a number where Step Functions takes an expression as well, so a bound is given as what it comes to.
    """
    from cfnlint.api import lint_all  # noqa: PLC0415 - each worker collects this module, and one alone needs it

    bounded = json.loads(re.sub(r'(Seconds": )"\{%[^"]+%\}"', r"\g<1>60", json.dumps(definition)))
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "SessionStateMachine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "RoleArn": "arn:aws:iam::123456789012:role/any",
                    "Definition": bounded,
                    "DefinitionSubstitutions": dict.fromkeys(substitutions, "1"),
                },
            }
        },
    }
    return [f"{match.rule.id} {match.message}" for match in lint_all(json.dumps(template))]


@pytest.fixture
def broken(definition: Document) -> Callable[[Mutation], Document]:
    """A copy of the definition, broken by the mutation."""

    def break_(mutation: Mutation) -> Document:
        document = copy.deepcopy(definition)
        mutation(document["States"])
        return document

    return break_


def test_the_definition_is_without_fault(definition: Document) -> None:
    assert _faults(definition) == []


@pytest.mark.parametrize(
    ("mutation", "fault"),
    [
        (lambda s: s["Register IP"].update(Next="Nowhere"), "Register IP: goes to Nowhere"),
        (
            lambda s: s["Supervise Session"]["Arguments"]["Key"].update(sk={"SS": ["SESSION"]}),
            "Supervise Session: uses DynamoDB's SS",
        ),
        (
            lambda s: s["Prepare Session"]["Assign"]["row"].update(follows={"NULL": True}),
            "Prepare Session: uses DynamoDB's NULL",
        ),
        (lambda s: s["Stop Task"]["Catch"][0].update(Next="Nowhere"), "Stop Task: goes to Nowhere"),
        (lambda s: s["Why Refused?"]["Choices"][0].update(Next="Nowhere"), "Why Refused?: goes to Nowhere"),
        (lambda s: s["Task Running?"].update(Default="Nowhere"), "Task Running?: goes to Nowhere"),
        (lambda s: s["Task Running?"].pop("Default"), "Task Running?: has no Default"),
        (lambda s: s["Create Branch"].update(Next="Run Agent"), "Open Draft Pull Request: cannot be reached"),
        (lambda s: s["Close Session"].pop("Next"), "Close Session: neither goes on nor ends"),
        (lambda s: s["Session Ended"].update(Next="Claim Session"), "Session Ended: ends and goes on"),
        (
            lambda s: s.update({"Spin": {"Type": "Wait", "Comment": "x", "Next": "Spin"}}),
            "Spin: no path from here ends",
        ),
        (lambda s: s["Find Task"].pop("Comment"), "Find Task: has no Comment"),
        (lambda s: s["Create Branch"].pop("Retry"), "Create Branch: has no Retry"),
        (lambda s: s["Create Branch"].pop("Catch"), "Create Branch: has no Catch"),
        (lambda s: s["Find Task"].pop("TimeoutSeconds"), "Find Task: has no TimeoutSeconds"),
        (lambda s: s["Run Agent"].pop("HeartbeatSeconds"), "Run Agent: waits without HeartbeatSeconds"),
        (lambda s: s["Wait For Slot"].update(TimeoutSeconds=301), "Wait For Slot: waits without HeartbeatSeconds"),
        (lambda s: s["Run Agent"]["Retry"][0].pop("JitterStrategy"), "Run Agent: retries without JitterStrategy"),
        (
            lambda s: s["Run Agent"]["Retry"][0].update(ErrorEquals=["States.ALL"]),
            "Run Agent: retries whatever went wrong",
        ),
        (lambda s: s["Supervise Session"]["Catch"].pop(), "Supervise Session: lets an error through"),
    ],
)
def test_a_broken_definition_is_found(broken: Callable[[Mutation], Document], mutation: Mutation, fault: str) -> None:
    assert [found for found in _faults(broken(mutation)) if found.startswith(fault)]


def test_cfn_lint_finds_nothing(definition: Document, substitutions: Document) -> None:
    assert _lint(definition, substitutions) == []


@pytest.mark.parametrize(
    "mutation",
    [
        lambda s: s["Create Branch"].update(Type="Tsk"),
        lambda s: s["Create Branch"].update(ResultPath="$.x"),
        lambda s: s["Create Branch"].pop("Resource"),
        lambda s: s["Create Branch"]["Retry"][0].update(MaxAttempts="many"),
    ],
)
def test_cfn_lint_reads_the_definition(
    broken: Callable[[Mutation], Document], substitutions: Document, mutation: Mutation
) -> None:
    assert "E3601" in {finding.split()[0] for finding in _lint(broken(mutation), substitutions)}


def test_every_wait_is_bounded_those_for_the_agent_by_the_templates_parameters(
    definition: Document,
) -> None:
    bounds = {
        name: (state.get("HeartbeatSeconds"), state["TimeoutSeconds"])
        for name, state in definition["States"].items()
        if state.get("Resource", "").endswith(".waitForTaskToken")
    }
    # Step Functions refuses a heartbeat that is not shorter than the timeout.
    shorter = "{{% $min([$number('${{AgentHeartbeatTimeoutSeconds}}'), $number('${{{0}}}') - 1]) %}}"
    assert {
        "Wait For Slot": (None, 300),
        "Run Agent": (shorter.format("AgentReadyTimeoutSeconds"), "{% $number('${AgentReadyTimeoutSeconds}') %}"),
        "Supervise Session": (shorter.format("MaxSessionAgeSeconds"), "{% $number('${MaxSessionAgeSeconds}') %}"),
    } == bounds


def test_a_slot_is_waited_for_a_day_and_the_lock_outlasts_it(definition: Document) -> None:
    states = definition["States"]
    day = 86_400
    assert states["Prepare Session"]["Assign"]["queuedUntil"] == f"{{% $millis() + {day * 1000} %}}"
    for state in ("Slot Taken?", "Out Of Capacity?"):
        assert "$queuedUntil" in json.dumps(states[state])
    lock = states["Claim Session"]["Arguments"]["TransactItems"][0]["Update"]
    assert f" + {day} + " in lock["ExpressionAttributeValues"][":expires"]["N"]


def test_the_refusals_are_read_in_the_order_of_the_transactions_items(definition: Document) -> None:
    items = definition["States"]["Claim Session"]["Arguments"]["TransactItems"]
    keys = [next(iter(item.values())) for item in items]
    assert [re.findall(r"[A-Z]+#?", key["Key"]["pk"]["S"])[0] for key in keys[:3]] == ["ISSUE#", "BRANCH#", "SLOTS"]
    assert "$row" in keys[3]["Item"]


def test_only_take_slot_lets_an_agent_run(definition: Document) -> None:
    states = definition["States"]
    assert {"Slot Taken?"} == {name for name, state in states.items() if "Run Agent" in _successors(state)}
    assert {"Take Slot"} == {name for name, state in states.items() if "Slot Taken?" in _successors(state)}


def test_a_failure_is_told_before_the_task_is_stopped_and_the_session_closed(definition: Document) -> None:
    states = definition["States"]
    reported = {
        n for n, s in states.items() for c in s.get("Catch", []) if c["Next"] in {"Report Failure", "Read Ending"}
    }
    after = {"Read Ending", "Report Failure", "Find Task", "Stop Task", "Close Session"}
    assert {name for name, state in states.items() if state["Type"] == "Task"} - after == reported
    assert {"End Requested?"} == set(_successors(states["Read Ending"]))
    assert {"Find Task", "Report Failure"} == set(_successors(states["End Requested?"]))
    assert {"Find Task"} == set(_successors(states["Report Failure"]))
    assert {"Session Failed", "Ended Well?"} == set(_successors(states["Close Session"]))
