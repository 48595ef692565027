"""Permissions that the embedded AWS does not ask for, proven from the template: what AWS needs, each role grants.

Each check is proven by the template without one permission: it is the one that misses it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.stack_template import expanded, read_template
from tests.mutation import needs
from tests.mutation.grants import ASSUME, MANAGED, branches, grants, short
from tests.mutation.needs import unmet
from tests.mutation.proofs import STATIC, proof_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    Document = dict[str, Any]


def test_every_role_is_assumed_by_the_service_that_works_as_it(resources: Document) -> None:
    assert unmet(resources, needs.assumed) == []


def test_the_workflow_may_pass_both_roles_of_each_task_that_it_runs(resources: Document) -> None:
    assert unmet(resources, needs.passed) == []


def test_each_secret_of_a_container_is_read_by_its_execution_role(resources: Document) -> None:
    assert unmet(resources, needs.secrets) == []


def test_each_containers_log_is_written_by_its_execution_role(resources: Document) -> None:
    assert unmet(resources, needs.container_logs) == []


def test_each_containers_image_is_pulled_by_its_execution_role(resources: Document) -> None:
    assert unmet(resources, needs.images) == []


def test_an_agent_may_invoke_models_where_bedrock_is_chosen(resources: Document) -> None:
    assert unmet(resources, needs.models) == []


def test_the_workflows_log_is_delivered_by_its_role(resources: Document) -> None:
    assert unmet(resources, needs.workflow_logs) == []


def test_each_functions_log_is_written_by_its_role(resources: Document) -> None:
    assert unmet(resources, needs.function_logs) == []


def test_whatever_is_traced_sends_its_traces(resources: Document) -> None:
    assert unmet(resources, needs.traces) == []


def test_a_tables_stream_is_read_by_the_functions_role(resources: Document) -> None:
    assert unmet(resources, needs.streams) == []


def test_what_a_function_failed_at_is_sent_by_its_role(resources: Document) -> None:
    assert unmet(resources, needs.dead_letters) == []


def test_the_doctor_may_read_what_drift_detection_reads(resources: Document) -> None:
    assert unmet(resources, needs.drift) == []


def test_the_doctor_may_call_what_this_machine_lacks(resources: Document) -> None:
    assert unmet(resources, needs.asked_beyond) == []


def _static_permissions() -> list[Any]:
    found = grants(expanded(read_template())["Resources"])
    return [
        pytest.param(grant.key, proof.test, id="-".join(grant.key))
        for grant in found
        if (proof := proof_of(grant)) is not None and proof.test.startswith(STATIC)
    ]


@pytest.mark.parametrize(("key", "test"), _static_permissions())
def test_a_permission_taken_away_is_missed_by_its_own_check(
    resources: Document, key: tuple[str, str, str], test: str
) -> None:
    left = _without(resources, *key)
    missed = unmet(left, needs.TESTS[test.removeprefix(f"{STATIC}::")])
    assert any(line.startswith(needs.lacks(*key)) for line in missed), missed


def _without(resources: Document, role: str, action: str, resource: str) -> Document:
    """The same resources with the role's statement less this action or, where it has but one action, this resource."""
    left = copy.deepcopy(resources)
    properties = left[role]["Properties"]
    if action == ASSUME:
        properties["AssumeRolePolicyDocument"]["Statement"] = []
    elif action == MANAGED:
        managed = properties["ManagedPolicyArns"]
        properties["ManagedPolicyArns"] = [arn for arn in managed if short(arn).rpartition("/")[2] != resource]
    for statement in _statements(properties):
        actions, targets = list(branches(statement["Action"])), list(branches(statement["Resource"]))
        if action in actions and resource in map(short, targets):
            if len(actions) > 1:
                statement["Action"] = [one for one in actions if one != action]
            else:
                statement["Resource"] = [one for one in targets if short(one) != resource]
    return left


def _statements(role: Document) -> Iterator[Document]:
    for policy in branches(role.get("Policies", [])):
        yield from branches(policy["PolicyDocument"]["Statement"])
