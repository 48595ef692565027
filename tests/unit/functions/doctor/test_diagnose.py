"""How the doctor runs its checks: in order, each problem once, whatever fails on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import NoRegionError
from botocore.stub import Stubber

from cloud_agent_doctor.checks import stack as stack_check
from cloud_agent_doctor.diagnose import diagnose
from cloud_agent_doctor.engine.aws import Aws
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding, Report, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloud_agent_doctor.engine.context import CheckContext

STACK_ARN = "arn:aws:cloudformation:eu-central-1:123456789012:stack/agents/5a0a6d80"


def finding(*logical_ids: str) -> Finding:
    return Finding("thing", "it is broken", "nothing works", "fix the template", "aws look", logical_ids)


def check(
    name: str, *results: Finding | Exception, depends_on: tuple[str, ...] = (), suppress_repeats: bool = False
) -> Check:
    def look(_: CheckContext) -> Iterator[Finding]:
        for result in results:
            if isinstance(result, Exception):
                raise result
            yield result

    return Check(name, f"Is {name} well?", look, actions=(), depends_on=depends_on, suppress_repeats=suppress_repeats)


def cloudformation(answer: Callable[[Stubber], None]) -> Aws:
    client: Any = boto3.client(
        "cloudformation", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stubber = Stubber(client)
    answer(stubber)
    stubber.activate()
    return Aws(lambda _: client)


def settled(stubber: Stubber, status: str = "UPDATE_COMPLETE") -> None:
    described = {"StackName": "agents", "StackId": STACK_ARN, "StackStatus": status, "CreationTime": "2026-01-01"}
    stubber.add_response("describe_stacks", {"Stacks": [described]}, {"StackName": "agents"})
    stubber.add_response("list_stack_resources", {"StackResourceSummaries": []}, {"StackName": "agents"})


def diagnosed(*checks: Check, status: str = "UPDATE_COMPLETE") -> Report:
    return diagnose("agents", cloudformation(lambda stubber: settled(stubber, status)), checks=checks)


def statuses(report: Report) -> dict[str, Status]:
    return {outcome.check: outcome.status for outcome in report.outcomes}


def test_a_healthy_stack_passes() -> None:
    report = diagnosed(check("one"), check("two"))
    assert statuses(report) == {"one": Status.HEALTHY, "two": Status.HEALTHY}
    assert report.exit_code == 0


def test_the_first_broken_hop_is_the_first_on_the_path() -> None:
    report = diagnosed(check("one"), check("two", finding()), check("three", finding(), finding()))
    assert [outcome.check for outcome in report.broken] == ["two", "three"]
    assert (report.finding_count, report.exit_code) == (3, 1)
    assert report.as_document()["first_broken"] == "two"


def test_what_depends_on_a_broken_hop_is_skipped() -> None:
    report = diagnosed(
        check("one", finding()),
        check("two", finding(), depends_on=("one",)),
        check("three", finding(), depends_on=("two",)),
    )
    assert statuses(report) == {"one": Status.BROKEN, "two": Status.SKIPPED, "three": Status.SKIPPED}
    assert report.outcomes[2].reason == "skipped: depends on two"


def test_what_an_earlier_hop_found_is_not_reported_again() -> None:
    report = diagnosed(
        check("one", finding("ProxyIngress", "ProxySecurityGroup")),
        check("drift", finding("ProxyIngress"), finding("Cluster"), suppress_repeats=True),
    )
    assert [found.logical_ids for outcome in report.outcomes for found in outcome.findings] == [
        ("ProxyIngress", "ProxySecurityGroup"),
        ("Cluster",),
    ]


def test_a_check_that_may_not_look_says_which_permission_it_lacks_and_keeps_what_it_found() -> None:
    report = diagnosed(
        check("one", finding(), DataUnavailableError("not allowed: iam:GetRole", "iam:GetRole")), check("two")
    )
    assert statuses(report) == {"one": Status.UNKNOWN, "two": Status.HEALTHY}
    assert report.outcomes[0].reason == "not allowed: iam:GetRole"
    assert (len(report.outcomes[0].findings), report.exit_code) == (1, 1)


def test_to_see_nothing_wrong_without_seeing_everything_is_not_to_be_healthy() -> None:
    assert diagnosed(check("one", DataUnavailableError("not allowed: iam:GetRole")), check("two")).exit_code == 2


def test_a_hop_that_need_not_be_there_is_no_fault() -> None:
    report = diagnosed(check("one", NotApplicableError("no zone was given")))
    assert (statuses(report), report.exit_code) == ({"one": Status.NOT_APPLICABLE}, 0)


def test_a_defect_of_one_check_hides_no_other_hop() -> None:
    report = diagnosed(check("one", KeyError("Rules")), check("two", finding()))
    assert statuses(report) == {"one": Status.UNKNOWN, "two": Status.BROKEN}
    assert report.outcomes[0].reason == "the check itself failed: KeyError: 'Rules'"


def test_the_caller_is_notified_as_each_check_ends() -> None:
    told: list[str] = []
    aws = cloudformation(settled)
    diagnose("agents", aws, checks=[check("one"), check("two")], on_outcome=lambda outcome: told.append(outcome.check))
    assert told == ["one", "two"]


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_COMPLETE"])
def test_a_stack_whose_last_change_failed_is_broken(status: str) -> None:
    (found,) = diagnosed(stack_check.CHECK, status=status).broken
    assert status in found.findings[0].problem
    assert "continue the rollback" in found.findings[0].remediation


def test_a_stack_that_is_changing_is_to_be_waited_for() -> None:
    (found,) = diagnosed(stack_check.CHECK, status="UPDATE_IN_PROGRESS").broken
    assert "Wait" in found.findings[0].remediation


def test_a_stack_that_is_not_there_is_the_one_finding() -> None:
    def absent(stubber: Stubber) -> None:
        stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id agents doesn't exist")

    report = diagnose("agents", cloudformation(absent), checks=[stack_check.CHECK, check("one")])
    assert statuses(report) == {"stack": Status.BROKEN, "one": Status.SKIPPED}
    assert "There is no stack agents" in report.broken[0].findings[0].problem


def test_without_access_to_the_stack_the_report_says_so() -> None:
    def refuse(stubber: Stubber) -> None:
        stubber.add_client_error("describe_stacks", "AccessDenied", "no")

    report = diagnose("agents", cloudformation(refuse), checks=[stack_check.CHECK, check("one")])
    assert report.exit_code == 2
    assert report.outcomes[0].reason == "not allowed: cloudformation:DescribeStacks"


def test_without_a_region_nothing_can_be_looked_at() -> None:
    def no_client(_: str) -> Any:  # noqa: ANN401 - as boto3 makes its clients
        raise NoRegionError

    report = diagnose("agents", Aws(no_client), checks=[stack_check.CHECK])
    assert report.exit_code == 2
    assert report.outcomes[0].reason == "no client for cloudformation: You must specify a region."
