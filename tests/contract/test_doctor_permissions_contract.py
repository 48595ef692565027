"""The doctor's role: it reads, and writes nothing but its own memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.mutation.drift_reads import NOT_GIVEN, WITHOUT_HANDLERS, reads

if TYPE_CHECKING:
    Document = dict[str, Any]

OWN = {"dynamodb:PutItem", "sqs:SendMessage"}  # what the last run found, and a run that failed


@pytest.fixture(scope="module")
def statements(resources: Document) -> list[Document]:
    policies = resources["DoctorFunctionRole"]["Properties"]["Policies"]
    found: list[Document] = []
    for policy in policies:
        listed = policy["PolicyDocument"]["Statement"]
        found += listed if isinstance(listed, list) else [listed]
    return found


def _allowed(statements: list[Document]) -> set[str]:
    return {
        action
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


@pytest.fixture(scope="module")
def kinds(resources: Document) -> set[str]:
    return {resource["Type"] for resource in resources.values()}


def test_what_the_schemas_of_the_templates_types_read_is_given_or_has_a_reason(
    kinds: set[str], statements: list[Document]
) -> None:
    named = {action for kind in kinds - WITHOUT_HANDLERS.keys() for action in reads(kind)}
    assert named - _allowed(statements) == NOT_GIVEN.keys(), "CloudFormation's schemas name more, or less, than before"


def test_only_a_type_without_handlers_has_its_reads_written_down(kinds: set[str]) -> None:
    assert WITHOUT_HANDLERS.keys() <= kinds
    for kind in WITHOUT_HANDLERS:
        with pytest.raises(KeyError, match="handlers"):
            reads(kind)


def test_it_writes_nothing_but_its_own_memory(statements: list[Document]) -> None:
    reading = ("Describe", "Detect", "Get", "GET", "List", "Simulate")
    writing = {action for action in _allowed(statements) if not action.partition(":")[2].startswith(reading)}
    assert writing == OWN
    (memory,) = [statement for statement in statements if statement["Action"] == "dynamodb:PutItem"]
    assert memory["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["DOCTOR"]}}
