"""The functions of a template, resolved in a stack."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.functions.doctor.inside_account import ACCOUNT, REGION, stack_of

from cloud_agent_doctor.stack.template_values import TemplateValues, UnresolvableError

CONDITIONS = {
    "UsesBedrock": {"Fn::Equals": [{"Ref": "ModelProvider"}, "bedrock"]},
    "UsesAnthropic": {"Fn::Not": [{"Condition": "UsesBedrock"}]},
    "Both": {"Fn::And": [{"Condition": "UsesBedrock"}, {"Condition": "UsesAnthropic"}]},
    "Either": {"Fn::Or": [{"Condition": "UsesBedrock"}, {"Condition": "UsesAnthropic"}]},
}
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/acme-SessionsTable-1"


def resolve(value: Any, **parameters: str) -> Any:  # noqa: ANN401 - template
    return TemplateValues({"Conditions": CONDITIONS}, stack_of(**parameters)).resolve(value)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "AWS::Region"}, REGION),
        ({"Ref": "LogLevel"}, "INFO"),
        ({"Ref": "SessionsTable"}, "acme-SessionsTable-1"),
        ({"Fn::GetAtt": ["SessionsTable", "Arn"]}, TABLE_ARN),
        ({"Fn::GetAtt": "SessionsTable.Arn"}, TABLE_ARN),
        ({"Fn::GetAtt": ["AgentTaskRole", "Arn"]}, f"arn:aws:iam::{ACCOUNT}:role/acme-AgentTaskRole-1"),
        ({"Fn::GetAtt": ["AgentLogGroup", "Arn"]}, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/acme/agents:*"),
        (
            {"Fn::GetAtt": ["SessionStateMachine", "Arn"]},
            f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:acme-session",
        ),
        ({"Fn::GetAtt": ["AgentSecurityGroup", "GroupId"]}, "sg-0a1b2c3d4e5f60718"),
        (
            {"Fn::Sub": "arn:${AWS::Partition}:x:${SessionsTable.Arn}/${!Literal}"},
            f"arn:aws:x:{TABLE_ARN}/${{Literal}}",
        ),
        ({"Fn::Sub": ["${Own}-${LogLevel}", {"Own": {"Ref": "AWS::StackName"}}]}, "acme-INFO"),
        ({"Fn::Join": ["", ["a", {"Ref": "LogLevel"}]]}, "aINFO"),
        ({"Fn::Join": ["/", {"Ref": "AgentSubnetIds"}]}, "subnet-1/subnet-2"),
        ({"Fn::If": ["UsesBedrock", "yes", "no"]}, "no"),
        ([{"Fn::If": ["UsesBedrock", "yes", {"Ref": "AWS::NoValue"}]}, "other"], ["other"]),
        ({"one": {"Ref": "AWS::NoValue"}, "two": 2}, {"two": 2}),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Either", 1, 2]}, 1),
    ],
)
def test_a_function_comes_to_its_value_in_the_stack(value: object, resolved: object) -> None:
    assert resolved == resolve(value, AgentSubnetIds="subnet-1,subnet-2")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"Fn::Split": [",", "a,b"]}, "Fn::Split isn't supported"),
        ({"Ref": "NoSuchThing"}, "the stack has no NoSuchThing"),
        ({"Fn::GetAtt": ["NoSuchThing", "Arn"]}, "the stack has no NoSuchThing"),
        ({"Fn::GetAtt": ["SessionsTable", "StreamArn"]}, "SessionsTable.StreamArn of a AWS::DynamoDB::Table"),
        ({"Fn::If": ["NoSuchCondition", 1, 2]}, "the template has no condition NoSuchCondition"),
        ({"Fn::Sub": "${NoSuchThing}"}, "the stack has no NoSuchThing"),
    ],
)
def test_what_cannot_be_resolved_is_refused_with_the_reason(value: object, reason: str) -> None:
    with pytest.raises(UnresolvableError, match=reason):
        resolve(value)
