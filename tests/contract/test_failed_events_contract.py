"""What is invoked asynchronously: whatever fails is kept, encrypted, for two weeks, and alerted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    Document = dict[str, Any]

TWO_WEEKS = 14 * 24 * 3600


def _of_type(resources: Document, kind: str) -> dict[str, Document]:
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


def _queue(arn: Document) -> str:
    name, attribute = arn["Fn::GetAtt"]
    assert attribute == "Arn"
    return str(name)


@pytest.fixture(scope="module")
def targets(resources: Document) -> list[tuple[str, str, Document]]:
    """Rule, function and target of everything that EventBridge invokes."""
    rules = _of_type(resources, "AWS::Events::Rule").items()
    return [(rule, target["Arn"]["Fn::GetAtt"][0], target) for rule, p in rules for target in p["Targets"]]


def test_an_event_that_cannot_be_delivered_is_kept_in_its_functions_queue(
    targets: list[tuple[str, str, Document]],
) -> None:
    assert {"TaskEventsFunction", "ReconcilerFunction", "DoctorFunction"} <= {function for _, function, _ in targets}
    for _, function, target in targets:
        assert f"{function.removesuffix('Function')}DeadLetterQueue" == _queue(target["DeadLetterConfig"]["Arn"])
        assert {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"} == set(target["RetryPolicy"])


def test_only_the_rule_itself_may_put_an_event_into_the_queue(
    targets: list[tuple[str, str, Document]], resources: Document
) -> None:
    policies = _of_type(resources, "AWS::SQS::QueuePolicy")
    for rule, function, target in targets:
        queue = _queue(target["DeadLetterConfig"]["Arn"])
        (policy,) = [p for p in policies.values() if {"Ref": queue} in p["Queues"]]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert ("sqs:SendMessage", queue) == (statement["Action"], _queue(statement["Resource"]))
        assert {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}} == statement["Condition"], function


def test_an_event_that_a_function_fails_at_is_kept_in_the_same_queue(
    targets: list[tuple[str, str, Document]], resources: Document
) -> None:
    kept = {
        config["FunctionName"]["Ref"]: _queue(config["DestinationConfig"]["OnFailure"]["Destination"])
        for config in _of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    }
    assert {function: _queue(target["DeadLetterConfig"]["Arn"]) for _, function, target in targets} == kept


def test_a_batch_of_a_stream_that_is_given_up_is_kept(resources: Document) -> None:
    (mapping,) = _of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    assert _queue(mapping["DestinationConfig"]["OnFailure"]["Destination"]) == "PublisherDeadLetterQueue"
    assert mapping["MaximumRetryAttempts"] >= 0  # else it would be tried for ever, and never be given up


def test_a_function_may_put_what_it_failed_at_into_its_queue(resources: Document) -> None:
    queues = _of_type(resources, "AWS::SQS::Queue")
    for queue in queues:
        role = resources[f"{queue.removesuffix('DeadLetterQueue')}FunctionRole"]["Properties"]
        statements = [s for p in role["Policies"] for s in p["PolicyDocument"]["Statement"]]
        sent_to = [_queue(s["Resource"]) for s in statements if s["Action"] == "sqs:SendMessage"]
        assert [queue] == sent_to


def test_every_queue_is_encrypted_kept_for_two_weeks_and_watched(resources: Document) -> None:
    queues = _of_type(resources, "AWS::SQS::Queue")
    assert len(queues) >= 4
    for name, queue in queues.items():
        assert (queue["MessageRetentionPeriod"], queue["SqsManagedSseEnabled"]) == (TWO_WEEKS, True)
        alarm = resources[f"{name}Alarm"]
        assert [{"Name": "QueueName", "Value": {"Fn::GetAtt": [name, "QueueName"]}}] == alarm["Properties"][
            "Dimensions"
        ]
        assert resources[name].get("Condition") == alarm.get("Condition")
