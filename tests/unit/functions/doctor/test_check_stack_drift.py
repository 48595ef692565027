from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.functions.doctor.account import STACK, Account, long_ago

from cloud_agent_doctor.checks import stack
from cloud_agent_doctor.checks.stack_drift import CHECK, run
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.context import CheckContext
from cloud_agent_doctor.engine.errors import DataUnavailableError
from cloud_agent_doctor.engine.findings import Finding, Status
from cloud_agent_doctor.engine.stack import load_stack
from cloud_agent_doctor.probe import SessionProbe

if TYPE_CHECKING:
    from collections.abc import Iterator


def drifted(logical_id: str, status: str = "DELETED", *paths: str) -> dict[str, object]:
    return {
        "StackId": STACK,
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": f"physical-{logical_id}",
        "ResourceType": "AWS::ECS::Service",
        "StackResourceDriftStatus": status,
        "Timestamp": long_ago(),
        "PropertyDifferences": [
            {"PropertyPath": path, "ExpectedValue": "1", "ActualValue": "2", "DifferenceType": "NOT_EQUAL"}
            for path in paths
        ],
    }


class Watch:
    """A clock that stands still: the pauses that were asked for."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def looked_at(account: Account, watch: Watch) -> Iterator[Finding]:
    aws = account.aws()
    loaded = load_stack(aws, STACK)
    assert loaded is not None
    return run(CheckContext(aws, loaded, lambda _: frozenset(), lambda *_: SessionProbe()), watch.sleep)


def test_each_drifted_resource_is_a_finding_with_what_was_and_what_is(account: Account) -> None:
    account.drifts = [drifted("A"), drifted("B", "MODIFIED", "/X", "/Y"), drifted("C", "IN_SYNC")]
    deleted, modified = account.outcome(CHECK).findings
    assert deleted.problem == "A (AWS::ECS::Service) was deleted."
    assert modified.problem == "B (AWS::ECS::Service) was changed: /X is 2, not 1; /Y is 2, not 1."
    assert (modified.resource, modified.logical_ids) == ("physical-B", ("B",))


def test_of_many_differences_the_first_are_shown(account: Account) -> None:
    account.drifts = [drifted("A", "MODIFIED", *(f"/{n}" for n in range(9)))]
    assert account.outcome(CHECK).findings[0].problem.endswith("/4 is 2, not 1; and 4 more.")


def test_it_waits_for_the_comparison(account: Account) -> None:
    account.detection = ["DETECTION_IN_PROGRESS", "DETECTION_IN_PROGRESS", "DETECTION_COMPLETE"]
    account.drifts = [drifted("A")]
    watch = Watch()
    assert len(list(looked_at(account, watch))) == 1
    assert watch.pauses == [3, 3]


def test_it_waits_for_a_comparison_that_somebody_else_began(account: Account) -> None:
    account.others_detections = 4
    watch = Watch()
    assert list(looked_at(account, watch)) == []
    assert len(watch.pauses) == 4


def test_a_refusal_for_another_reason_is_reported_at_once(account: Account) -> None:
    account.refuses_detection = "Drift detection cannot be performed on stack in ROLLBACK_COMPLETE"
    watch = Watch()
    with pytest.raises(DataUnavailableError, match="ROLLBACK_COMPLETE"):
        list(looked_at(account, watch))
    assert watch.pauses == []


@pytest.mark.parametrize("others", [0, 1000])
def test_it_waits_two_minutes_at_most(account: Account, others: int) -> None:
    account.detection = ["DETECTION_IN_PROGRESS"]
    account.others_detections = others
    watch = Watch()
    with pytest.raises(DataUnavailableError, match="120 s"):
        list(looked_at(account, watch))
    assert sum(watch.pauses) == 120


def test_a_comparison_that_failed_for_one_resource_tells_of_the_others(account: Account) -> None:
    account.detection = ["DETECTION_FAILED"]
    account.drifts = [drifted("A")]
    outcome = account.outcome(CHECK)
    assert (outcome.status, len(outcome.findings)) == (Status.UNKNOWN, 1)
    assert "Failed to detect drift on resource [HttpApi]" in outcome.reason


def test_what_an_earlier_check_reported_is_suppressed_but_counted(account: Account) -> None:
    def earlier(_: CheckContext) -> list[Finding]:
        return [Finding("x", "x", "x", "x", "x", ("A", "ProxyTaskDefinition"))]

    account.drifts = [drifted("A"), drifted("B"), drifted("ProxyService", "MODIFIED", "/TaskDefinition")]
    outcome = account.report([Check("earlier", "?", earlier, ()), CHECK]).outcomes[-1]
    assert [one.resource for one in outcome.findings] == ["physical-B"]
    assert [one.resource for one in outcome.suppressed] == ["physical-A", "physical-ProxyService"]


def test_a_service_of_which_more_than_the_revision_was_changed_is_reported(account: Account) -> None:
    account.drifts = [drifted("ProxyService", "MODIFIED", "/TaskDefinition", "/DesiredCount")]
    assert account.outcome(CHECK).findings[0].logical_ids == ("ProxyService",)


def test_a_stack_that_is_changing_is_not_compared(account: Account) -> None:
    account.stack_status = "UPDATE_IN_PROGRESS"
    outcome = account.report([stack.CHECK, CHECK]).outcomes[-1]
    assert Status.SKIPPED is outcome.status
    assert "cloudformation:DetectStackDrift" not in account.asked
