"""The Step Functions features a session's state machine uses, run as JSONata."""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws, Json

SEND = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
TOKEN = "{% $states.context.Task.Token %}"
TRANSACT = "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems"


@pytest.fixture
def queue(aws: EmbeddedAws) -> str:
    url: str = aws.client("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    return url


def waiting(queue: str, **fields: object) -> Json:
    """A state that puts its task token on the queue and waits."""
    arguments = {"QueueUrl": queue, "MessageBody": TOKEN}
    return {"Type": "Task", "Resource": SEND, "Arguments": arguments, "End": True, **fields}


def token_from(aws: EmbeddedAws, queue: str) -> str:
    messages = eventually(lambda: aws.client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])
    body: str = messages[0]["Body"]
    return body


def test_a_wait_without_a_heartbeat_fails_with_heartbeat_timeout(aws: EmbeddedAws, queue: str) -> None:
    state = waiting(queue, HeartbeatSeconds=1, TimeoutSeconds=60)
    assert aws.execute({"Wait": state})["error"] == "States.HeartbeatTimeout"


def test_heartbeats_keep_a_wait_alive_and_its_answer_is_the_output(aws: EmbeddedAws, queue: str) -> None:
    execution = aws.begin({"Wait": waiting(queue, HeartbeatSeconds=1, TimeoutSeconds=60)})
    token = token_from(aws, queue)
    for _ in range(8):
        time.sleep(0.25)
        aws.client("stepfunctions").send_task_heartbeat(taskToken=token)
    aws.client("stepfunctions").send_task_success(taskToken=token, output='{"port": 3000}')
    assert json.loads(aws.ended(execution)["output"]) == {"port": 3000}


@pytest.mark.parametrize("seconds", [1, "{% $number('1') %}", "{% $states.input.seconds %}"])
def test_a_wait_ends_after_its_timeout_given_as_number_or_expression(
    aws: EmbeddedAws, queue: str, seconds: int | str
) -> None:
    state = waiting(queue, TimeoutSeconds=seconds)
    assert aws.execute({"Wait": state}, {"seconds": 1})["error"] == "States.Timeout"


def test_a_heartbeat_interval_may_be_an_expression(aws: EmbeddedAws, queue: str) -> None:
    state = waiting(queue, TimeoutSeconds="{% $number('60') %}", HeartbeatSeconds="{% $number('1') %}")
    assert aws.execute({"Wait": state})["error"] == "States.HeartbeatTimeout"


def test_a_plain_task_ends_after_its_timeout_given_as_expression(aws: EmbeddedAws) -> None:
    function = aws.function("import time\ndef handler(event, context): time.sleep(5)", Timeout=10)
    state = {"Type": "Task", "Resource": function, "TimeoutSeconds": "{% $number('1') %}", "End": True}
    assert aws.execute({"Slow": state})["error"] == "States.Timeout"


def test_a_timeout_expression_that_is_no_number_is_caught_by_the_state(aws: EmbeddedAws, queue: str) -> None:
    catch = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Caught"}]
    state = waiting(queue, TimeoutSeconds="{% 'soon' %}", Catch=catch)
    execution = aws.execute({"Wait": state, "Caught": {"Type": "Pass", "Output": "caught", "End": True}})
    assert execution["output"] == '"caught"'


def test_each_attempt_has_a_token_of_its_own_and_one_that_is_over_is_timed_out(aws: EmbeddedAws, queue: str) -> None:
    functions = aws.client("stepfunctions")
    retry = [{"ErrorEquals": ["Again"], "MaxAttempts": 1, "IntervalSeconds": 1}]
    execution = aws.begin({"Wait": waiting(queue, TimeoutSeconds=60, Retry=retry)})
    first = token_from(aws, queue)
    assert len(first) == 700
    functions.send_task_failure(taskToken=first, error="Again")
    second = token_from(aws, queue)
    assert first != second
    with pytest.raises(functions.exceptions.TaskTimedOut):
        functions.send_task_success(taskToken=first, output='"straggler"')
    functions.send_task_success(taskToken=second, output='"right"')
    assert aws.ended(execution)["output"] == '"right"'
    with pytest.raises(functions.exceptions.TaskTimedOut):
        functions.send_task_heartbeat(taskToken=second)


def test_a_token_never_issued_is_invalid(aws: EmbeddedAws) -> None:
    functions = aws.client("stepfunctions")
    with pytest.raises(functions.exceptions.InvalidToken):
        functions.send_task_success(taskToken="made-up", output="{}")


def test_retries_back_off_no_longer_than_max_delay(aws: EmbeddedAws) -> None:
    function = aws.function("class HiccupError(Exception): pass\ndef handler(event, context): raise HiccupError()")
    retry = {"ErrorEquals": ["HiccupError"], "IntervalSeconds": 1, "BackoffRate": 50, "MaxAttempts": 3}
    retry |= {"MaxDelaySeconds": 2, "JitterStrategy": "FULL"}
    state = {"Type": "Task", "Resource": function, "Retry": [retry], "End": True}
    execution = aws.execute({"Flaky": state})  # without MaxDelaySeconds: a minute and more
    assert execution["error"] == "HiccupError"
    history = aws.client("stepfunctions").get_execution_history(executionArn=execution["executionArn"])
    assert sum(event["type"] == "TaskFailed" for event in history["events"]) == 4


def test_the_expressions_of_an_assign_see_the_values_from_before_the_state(aws: EmbeddedAws) -> None:
    states = {
        "First": {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "Swap"},
        "Swap": {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Next": "Show"},
        "Show": {"Type": "Pass", "Output": "{% [$a, $b] %}", "End": True},
    }
    assert json.loads(aws.execute(states)["output"]) == [2, 1]


def test_a_catch_assigns_and_outputs_from_the_error(aws: EmbeddedAws) -> None:
    function = aws.function(
        "class RepositoryNotFoundError(Exception): pass\n"
        "def handler(event, context): raise RepositoryNotFoundError('no acme/shop')"
    )
    catch = {
        "ErrorEquals": ["RepositoryNotFoundError"],
        "Assign": {"failure": "{% $states.errorOutput.Error %}"},
        "Output": "{% $parse($states.errorOutput.Cause).errorMessage %}",
        "Next": "Report",
    }
    states = {
        "Try": {"Type": "Task", "Resource": function, "Catch": [catch], "End": True},
        "Report": {"Type": "Pass", "Output": "{% [$failure, $states.input] %}", "End": True},
    }
    output = json.loads(aws.execute(states)["output"])
    assert output == ["RepositoryNotFoundError", "no acme/shop"]


def test_the_output_of_a_succeed_state_is_the_executions(aws: EmbeddedAws) -> None:
    done = {"Type": "Succeed", "Output": {"ended": "{% $states.input.by %}"}}
    assert json.loads(aws.execute({"Done": done}, {"by": "close"})["output"]) == {"ended": "close"}


def test_uuid_and_hash_are_there(aws: EmbeddedAws) -> None:
    output = {"id": "{% $uuid() %}", "hash": "{% $hash('token', 'SHA-256') %}"}
    made = json.loads(aws.execute({"Make": {"Type": "Pass", "Output": output, "End": True}})["output"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["id"])
    assert hashlib.sha256(b"token").hexdigest() == made["hash"]


def claim(table: str, session: str, maximum: int) -> Json:
    """Take a slot, unless `maximum` others have one, and the lock of issue 42."""
    slot = {
        "TableName": table,
        "Key": {"pk": {"S": "SLOTS"}, "sk": {"S": "SLOTS"}},
        "UpdateExpression": "ADD live :one",
        "ConditionExpression": "attribute_not_exists(live) OR size(live) < :max OR contains(live, :sid)",
        "ExpressionAttributeValues": {":one": {"Ss": [session]}, ":max": {"N": str(maximum)}, ":sid": {"S": session}},
    }
    lock = {
        "TableName": table,
        "Item": {"pk": {"S": f"ISSUE#{session}"}, "sk": {"S": "LOCK"}},
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    row = {"TableName": table, "Item": {"pk": {"S": f"SESSION#{session}"}, "sk": {"S": "SESSION"}}}
    items = [{"Update": slot}, {"Put": lock}, {"Put": row}]
    catch = {"ErrorEquals": ["DynamoDb.TransactionCanceledException"], "Output": "{% $states.errorOutput %}"}
    return {
        "Claim": {
            "Type": "Task",
            "Resource": TRANSACT,
            "Arguments": {"TransactItems": items},
            "Catch": [catch | {"Next": "Refused"}],
            "End": True,
        },
        "Refused": {"Type": "Pass", "End": True},
    }


def test_a_transaction_takes_slots_up_to_the_maximum_and_names_what_refused_it(aws: EmbeddedAws, table: str) -> None:
    reasons = "Transaction cancelled, please refer cancellation reasons for specific reasons"
    assert "Error" not in aws.execute(claim(table, "aaaaaaaa", 2))["output"]
    assert "Error" not in aws.execute(claim(table, "bbbbbbbb", 2))["output"]
    full = json.loads(aws.execute(claim(table, "cccccccc", 2))["output"])
    assert f"{reasons} [ConditionalCheckFailed, None, None]" in full["Cause"]
    twice = json.loads(aws.execute(claim(table, "aaaaaaaa", 2))["output"])
    assert f"{reasons} [None, ConditionalCheckFailed, None]" in twice["Cause"]
    slots = {"pk": {"S": "SLOTS"}, "sk": {"S": "SLOTS"}}
    dynamodb = aws.client("dynamodb")
    live = dynamodb.get_item(TableName=table, Key=slots)["Item"]["live"]
    assert {"aaaaaaaa", "bbbbbbbb"} == set(live["SS"])
    dynamodb.update_item(
        TableName=table,
        Key=slots,
        UpdateExpression="DELETE live :gone",
        ExpressionAttributeValues={":gone": {"SS": ["aaaaaaaa"]}},
    )
    assert dynamodb.get_item(TableName=table, Key=slots)["Item"]["live"]["SS"] == ["bbbbbbbb"]


def run_task_state(aws: EmbeddedAws, definition: str, **fields: object) -> Json:
    environment = [{"Name": "TASK_TOKEN", "Value": TOKEN}]
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::ecs:runTask.waitForTaskToken",
        "Arguments": {
            "Cluster": aws.cluster,
            "TaskDefinition": definition,
            "LaunchType": "FARGATE",
            "Group": "{% $states.input.session %}",
            "Overrides": {"ContainerOverrides": [{"Name": "main", "Environment": environment}]},
        },
        "TimeoutSeconds": 30,
        **fields,
    }


def test_a_task_answers_with_its_token_and_is_stopped_by_the_state_machine(aws: EmbeddedAws) -> None:
    answer = """
        import boto3
        output = json.dumps({"session": "s-42"})
        boto3.client("stepfunctions").send_task_success(taskToken=os.environ["TASK_TOKEN"], output=output)
        time.sleep(300)
    """
    role = f"arn:aws:iam::000000000000:role/task-{uuid.uuid4().hex[:8]}"
    definition = aws.define_task(answer, role=role)
    session = f"s-{uuid.uuid4().hex[:8]}"
    list_tasks = {"Cluster": aws.cluster, "Family": definition.rpartition("/")[2].partition(":")[0]}
    states = {
        "Run": run_task_state(aws, definition, Next="Find"),
        "Find": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ecs:listTasks",
            "Arguments": list_tasks,
            "Output": "{% $states.result.TaskArns[0] %}",
            "Next": "Stop",
        },
        "Stop": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ecs:stopTask",
            "Arguments": {"Cluster": aws.cluster, "Task": "{% $states.input %}", "Reason": "done"},
            "Output": "{% $states.result.Task.TaskArn %}",
            "End": True,
        },
    }
    execution = aws.execute(states, {"session": session})
    assert execution["status"] == "SUCCEEDED", execution
    stopped = aws.task_when(json.loads(execution["output"]), "STOPPED")
    assert ("done", session) == (stopped["stoppedReason"], stopped["group"])


def test_a_run_task_that_is_refused_fails_by_the_class_of_the_refusal(aws: EmbeddedAws) -> None:
    state = run_task_state(aws, "no-such-family", End=True)
    execution = aws.execute({"Run": state}, {"session": "s"})
    assert (execution["error"], "no-such-family" in execution["cause"]) == ("ECS.ClientException", True)


def test_a_field_that_the_integration_does_not_support_fails_the_state(aws: EmbeddedAws) -> None:
    state = run_task_state(aws, aws.define_task(), End=True)
    state["Arguments"]["StartedBy"] = "s-42"
    execution = aws.execute({"Run": state}, {"session": "s"})
    words = "The field 'StartedBy' is not supported by Step Functions"
    assert ("States.Runtime", words) == (execution["error"], execution["cause"])


def test_a_task_that_dies_is_told_to_the_waiting_state_by_its_event(aws: EmbeddedAws) -> None:
    functions, events, session = aws.client("stepfunctions"), aws.client("events"), f"s-{uuid.uuid4().hex[:8]}"
    fail = aws.function(
        """
        import boto3
        def handler(event, context):
            detail = event["detail"]
            environment = detail["overrides"]["containerOverrides"][0]["environment"]
            token = next(each["value"] for each in environment if each["name"] == "TASK_TOKEN")
            code = detail["containers"][0]["exitCode"]
            boto3.client("stepfunctions").send_task_failure(
                taskToken=token, error="TaskStoppedError", cause=f"{detail['stoppedReason']} ({code})")
        """
    )
    pattern = {"source": ["aws.ecs"], "detail": {"lastStatus": ["STOPPED"], "group": [session]}}
    events.put_rule(Name=session, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=session, Targets=[{"Id": "fail", "Arn": fail}])
    state = run_task_state(aws, aws.define_task("sys.exit(9)"), End=True)
    execution = aws.execute({"Run": state}, {"session": session})
    assert (execution["error"], execution["cause"]) == ("TaskStoppedError", "Essential container in task exited (9)")
    assert functions.describe_execution(executionArn=execution["executionArn"])["status"] == "FAILED"


def test_starting_the_same_execution_twice_answers_with_the_first_while_it_runs(aws: EmbeddedAws) -> None:
    functions = aws.client("stepfunctions")
    wait = {"Type": "Wait", "Seconds": 2, "End": True}
    request = {"stateMachineArn": aws.machine({"Wait": wait}), "name": "acme-shop-42", "input": '{"issue": 42}'}
    first, second = (functions.start_execution(**request) for _ in range(2))
    assert (first["executionArn"], first["startDate"]) == (second["executionArn"], second["startDate"])
    with pytest.raises(functions.exceptions.ExecutionAlreadyExists):
        functions.start_execution(**request | {"input": '{"issue": 43}'})
    aws.ended(first["executionArn"])
    with pytest.raises(functions.exceptions.ExecutionAlreadyExists):
        functions.start_execution(**request)
