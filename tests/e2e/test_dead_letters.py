"""What a function fails at for good is kept in its dead-letter queue, and replayed from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import System

STACK = "claude-cloud-agent-local"  # samconfig.toml's


def resource(stage: System, logical_id: str) -> str:
    """The physical id of a resource of the deployed stack."""
    cloudformation = stage.client("cloudformation")
    detail = cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
    return str(detail["StackResourceDetail"]["PhysicalResourceId"])


def test_a_stopped_task_that_nobody_understands_is_kept_with_its_error_and_can_be_replayed(stage: System) -> None:
    sqs, queue = stage.client("sqs"), resource(stage, "TaskEventsDeadLetterQueue")
    event = json.loads((Path(__file__).parents[2] / "events/task_events/container_exited.json").read_text())
    whole = event["detail"]
    detail = event["detail"] = {name: value for name, value in whole.items() if name != "taskArn"}
    function, invoked = stage.client("lambda"), resource(stage, "TaskEventsFunction")

    function.invoke(FunctionName=invoked, InvocationType="Event", Payload=json.dumps(event))  # as EventBridge does

    def kept() -> list[Any]:
        return list(sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0).get("Messages", []))

    (message,) = wait_for(kept, bool, 60)
    failure = json.loads(message["Body"])
    assert ("RetriesExhausted", detail) == (failure["requestContext"]["condition"], failure["requestPayload"]["detail"])
    assert "taskArn" in failure["responsePayload"]["errorMessage"]
    # As the runbook says, with what was wrong put right.
    replayed = failure["requestPayload"] | {"detail": whole}
    answer = function.invoke(FunctionName=invoked, Payload=json.dumps(replayed))
    assert json.loads(answer["Payload"].read()) == {"failed_waits": 0}
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert kept() == []
