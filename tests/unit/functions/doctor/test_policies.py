"""Policies, taken apart into single permissions."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_agent_doctor.iam.policies import permissions, statements

READ = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "table"}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return set(permissions(statements({"Statement": one}))) == set(permissions(statements({"Statement": [other]})))


@pytest.mark.parametrize(
    "other",
    [
        READ | {"Action": ["dynamodb:GetItem"]},
        READ | {"Resource": ["table"]},
        READ | {"Sid": "Read"},
    ],
)
def test_the_same_written_in_another_way_is_the_same(other: dict[str, Any]) -> None:
    assert same(READ, other)


def test_the_order_of_a_conditions_values_does_not_matter() -> None:
    assert same(
        READ | {"Condition": {"StringEquals": {"a": ["1", "2"], "b": "3"}}},
        READ | {"Condition": {"StringEquals": {"b": ["3"], "a": ["2", "1"]}}},
    )


def test_iam_writes_a_boolean_as_text() -> None:
    assert same(READ | {"Condition": {"Bool": {"a": True}}}, READ | {"Condition": {"Bool": {"a": "true"}}})


@pytest.mark.parametrize(
    "other",
    [
        READ | {"Effect": "Deny"},
        READ | {"Action": "dynamodb:PutItem"},
        READ | {"Resource": "*"},
        READ | {"Condition": {"StringEquals": {"a": "1"}}},
        {"Effect": "Allow", "NotAction": "dynamodb:GetItem", "Resource": "table"},
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "NotResource": "table"},
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "Principal": "*"},
    ],
)
def test_whatever_says_something_else_differs(other: dict[str, Any]) -> None:
    assert not same(READ, other)


def test_a_trust_policy_is_reported_by_its_principals() -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["a", "b"], "AWS": "c"}}
    assert {"Service a", "Service b", "AWS c"} == {one.resource for one in permissions([trust])}


def test_a_request_is_made_up_that_fulfils_the_condition() -> None:
    (one,) = permissions(
        [
            READ
            | {
                "Condition": {
                    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["SESSION#*"]},
                    "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk"]},
                    "StringEqualsIfExists": {"dynamodb:ReturnValues": ["NONE", "UPDATED_NEW"]},
                }
            }
        ]
    )
    assert one.context == {
        "dynamodb:LeadingKeys": ["SESSION#x"],
        "dynamodb:Attributes": ["pk", "sk"],
        "dynamodb:ReturnValues": ["NONE"],
    }
