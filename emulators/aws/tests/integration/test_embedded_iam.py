"""With --enforce-iam, roles may do what their policies say and nothing else."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws, Json

ARN = "arn:aws:{service}:us-east-1:000000000000:{resource}"
READ_AND_WRITE = """
    import boto3, os
    from botocore.exceptions import ClientError
    def handler(event, context):
        table, seen = event["table"], {"who": boto3.client("sts").get_caller_identity()["Arn"]}
        dynamodb = boto3.client("dynamodb")
        key = {"pk": {"S": "1"}}
        for name, call in {
            "put": lambda: dynamodb.put_item(TableName=table, Item=key),
            "get": lambda: dynamodb.get_item(TableName=table, Key=key),
        }.items():
            try:
                call()
                seen[name] = "allowed"
            except ClientError as error:
                seen[name] = error.response["Error"]["Code"]
        return seen
"""


@pytest.fixture
def strict_table(strict_aws: EmbeddedAws) -> str:
    name = f"table-{uuid.uuid4().hex[:8]}"
    strict_aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return name


def table_arn(name: str) -> str:
    return ARN.format(service="dynamodb", resource=f"table/{name}")


def test_a_function_has_its_roles_permissions_only(strict_aws: EmbeddedAws, strict_table: str) -> None:
    allowed = strict_aws.role("lambda.amazonaws.com", ("dynamodb:GetItem", table_arn(strict_table)))
    seen = strict_aws.invoke(strict_aws.function(READ_AND_WRITE, role=allowed), {"table": strict_table})
    assert (seen["get"], seen["put"]) == ("allowed", "AccessDeniedException")
    assert f":assumed-role/{allowed.rsplit('/', 1)[-1]}/" in seen["who"]


def test_a_refusal_is_in_the_log_with_who_what_and_where(strict_aws: EmbeddedAws, strict_table: str) -> None:
    role = strict_aws.role("lambda.amazonaws.com", ("dynamodb:GetItem", table_arn(strict_table)))
    strict_aws.invoke(strict_aws.function(READ_AND_WRITE, role=role), {"table": strict_table})
    lines = [line for line in strict_aws.log().splitlines() if role.rsplit("/", 1)[-1] in line]
    (refused,) = [line.partition("refused by IAM: ")[2].split() for line in lines if "refused by IAM" in line]
    assert ["dynamodb:PutItem", table_arn(strict_table)] == refused[1:]


TASK = """
    from botocore.exceptions import ClientError
    import boto3
    seen = {"who": boto3.client("sts").get_caller_identity()["Arn"]}
    try:
        boto3.client("dynamodb").describe_table(TableName=os.environ["TABLE"])
        seen["describe"] = "allowed"
        boto3.client("dynamodb").scan(TableName=os.environ["TABLE"])
    except ClientError as error:
        seen["scan"] = error.response["Error"]["Code"]
    print(json.dumps(seen))
"""


def test_a_task_has_its_roles_permissions_only(strict_aws: EmbeddedAws, strict_table: str) -> None:
    allowed = strict_aws.role("ecs-tasks.amazonaws.com", ("dynamodb:DescribeTable", table_arn(strict_table)))
    arn = strict_aws.run_task(TASK, role=allowed, environment=[{"name": "TABLE", "value": strict_table}])
    seen = strict_aws.task_output(arn)
    assert (seen["describe"], seen["scan"]) == ("allowed", "AccessDeniedException")
    assert seen["who"].endswith(f":assumed-role/{allowed.rsplit('/', 1)[-1]}/{arn.rsplit('/', 1)[-1]}")


def test_a_task_without_a_role_has_no_credentials(strict_aws: EmbeddedAws) -> None:
    code = "import boto3; print(json.dumps(boto3.Session().get_credentials() is None))"
    assert strict_aws.task_output(strict_aws.run_task(code)) is True


def test_credentials_are_for_the_task_they_were_made_for(strict_aws: EmbeddedAws) -> None:
    code = """
        import urllib.error, urllib.request
        try:
            urllib.request.urlopen(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        except urllib.error.HTTPError as error:
            print(json.dumps(error.code))
    """
    any_role = strict_aws.role("ecs-tasks.amazonaws.com")
    assert strict_aws.task_output(strict_aws.run_task(code, role=any_role)) == 403


def machine_role(aws: EmbeddedAws, *statements: tuple[object, ...]) -> str:
    return aws.role("states.amazonaws.com", *statements)


def transact(table: str) -> Json:
    put = {"Put": {"TableName": table, "Item": {"pk": {"S": "1"}}}}
    update = {"Update": {"TableName": table, "Key": {"pk": {"S": "2"}}, "UpdateExpression": "SET a = pk"}}
    return {
        "Write": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems",
            "Arguments": {"TransactItems": [put, update]},
            "End": True,
        }
    }


def test_a_transaction_needs_the_permission_of_each_of_its_writes(strict_aws: EmbeddedAws, strict_table: str) -> None:
    both, put_only = (
        machine_role(strict_aws, (actions, table_arn(strict_table)))
        for actions in (["dynamodb:PutItem", "dynamodb:UpdateItem"], ["dynamodb:PutItem"])
    )
    refused = strict_aws.execute(transact(strict_table), role=put_only)
    assert refused["error"] == "DynamoDb.DynamoDbException"
    assert "is not authorized to perform: dynamodb:UpdateItem" in refused["cause"]
    states = transact(strict_table)
    states["Write"]["Arguments"]["TransactItems"][1]["Update"]["UpdateExpression"] = "SET a = :a"
    states["Write"]["Arguments"]["TransactItems"][1]["Update"]["ExpressionAttributeValues"] = {":a": {"S": "a"}}
    assert strict_aws.execute(states, role=both)["status"] == "SUCCEEDED"


def test_a_state_machine_may_invoke_only_the_functions_its_role_names(strict_aws: EmbeddedAws) -> None:
    own = strict_aws.role("lambda.amazonaws.com")
    function = strict_aws.function("def handler(event, context): return 1", role=own)
    allowed = machine_role(strict_aws, ("lambda:InvokeFunction", function))
    arguments = {"FunctionName": function, "Payload": {}}
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": arguments, "End": True}
    assert strict_aws.execute({"Call": invoke}, role=allowed)["status"] == "SUCCEEDED"
    refused = strict_aws.execute({"Call": invoke}, role=machine_role(strict_aws))
    assert refused["error"] == "Lambda.AWSLambdaException"


def run_and_stop(aws: EmbeddedAws, definition: str) -> Json:
    cluster = ARN.format(service="ecs", resource=f"cluster/{aws.cluster}")
    return {
        "Run": {
            "Type": "Task",
            "Resource": "arn:aws:states:::ecs:runTask",
            "Arguments": {"Cluster": cluster, "TaskDefinition": definition, "LaunchType": "FARGATE"},
            "Output": "{% $states.result.Tasks[0].TaskArn %}",
            "Next": "Stop",
        },
        "Stop": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ecs:stopTask",
            "Arguments": {"Cluster": cluster, "Task": "{% $states.input %}"},
            "Output": "stopped",
            "End": True,
        },
    }


def test_running_and_stopping_a_task_need_the_definition_the_task_and_the_cluster(strict_aws: EmbeddedAws) -> None:
    definition = strict_aws.define_task("time.sleep(60)")
    cluster = ARN.format(service="ecs", resource=f"cluster/{strict_aws.cluster}")
    tasks = ARN.format(service="ecs", resource=f"task/{strict_aws.cluster}/*")
    run = ("ecs:RunTask", definition)
    stop = ("ecs:StopTask", tasks, {"ArnEquals": {"ecs:cluster": cluster}})
    states = run_and_stop(strict_aws, definition)
    done = strict_aws.execute(states, role=machine_role(strict_aws, run, stop))
    assert done.get("output") == '"stopped"', done
    no_stop = strict_aws.execute(states, role=machine_role(strict_aws, run, ("ecs:StopTask", cluster)))
    assert (no_stop["error"], "ecs:StopTask" in no_stop["cause"]) == ("Ecs.EcsException", True)
    no_run = strict_aws.execute(states, role=machine_role(strict_aws, stop))
    assert (no_run["error"], "ecs:RunTask" in no_run["cause"]) == ("ECS.AccessDeniedException", True)


def test_a_task_that_is_run_from_a_family_needs_the_permission_of_its_latest_revision(strict_aws: EmbeddedAws) -> None:
    family, _, _ = strict_aws.define_task().rpartition("/")[2].partition(":")
    states = {"Run": {**run_and_stop(strict_aws, family)["Run"], "End": True}}
    del states["Run"]["Next"]
    for revision, status in (("1", "SUCCEEDED"), ("*", "SUCCEEDED"), ("2", "FAILED")):
        definition = ARN.format(service="ecs", resource=f"task-definition/{family}:{revision}")
        ended = strict_aws.execute(states, role=machine_role(strict_aws, ("ecs:RunTask", definition)))
        assert status == ended["status"], ended


def test_a_task_that_is_tagged_as_it_is_run_needs_the_permission_to_tag_it_then(
    strict_aws: EmbeddedAws,
) -> None:
    definition = strict_aws.define_task()
    task = ARN.format(service="ecs", resource=f"task/{strict_aws.cluster}/*")
    states = {"Run": {**run_and_stop(strict_aws, definition)["Run"], "End": True}}
    del states["Run"]["Next"]
    run = ("ecs:RunTask", definition)
    untagged = strict_aws.execute(states, role=machine_role(strict_aws, run))
    assert untagged["status"] == "SUCCEEDED", untagged

    states["Run"]["Arguments"]["PropagateTags"] = "TASK_DEFINITION"
    refused = strict_aws.execute(states, role=machine_role(strict_aws, run))
    assert refused["error"] == "ECS.AccessDeniedException"
    reason = "because no identity-based policy allows the ecs:TagResource action"
    assert f"is not authorized to perform: ecs:TagResource on resource: {task} {reason}" in refused["cause"]
    for action, status in (("CreateCluster", "FAILED"), ("RunTask", "SUCCEEDED")):
        tag = ("ecs:TagResource", task, {"StringEquals": {"ecs:CreateAction": action}})
        ended = strict_aws.execute(states, role=machine_role(strict_aws, run, tag))
        assert status == ended["status"], ended


RUN_TASK = """
    import boto3, botocore.exceptions
    def handler(event, context):
        try:
            return boto3.client("ecs").run_task(**event)["tasks"][0]["taskArn"]
        except botocore.exceptions.ClientError as error:
            return str(error)
"""


@pytest.mark.parametrize(
    "tagged",
    [
        {"propagateTags": "TASK_DEFINITION"},
        {"tags": [{"key": "project", "value": "tests"}]},
        {"enableECSManagedTags": True},
    ],
    ids=lambda tagged: next(iter(tagged)),
)
def test_a_caller_who_runs_a_task_with_tags_needs_the_permission_to_tag_it_too(
    strict_aws: EmbeddedAws, tagged: Json
) -> None:
    definition = strict_aws.define_task()
    task = ARN.format(service="ecs", resource=f"task/{strict_aws.cluster}/*")
    request = {"cluster": strict_aws.cluster, "taskDefinition": definition, "launchType": "FARGATE"}
    run = ("ecs:RunTask", definition)
    caller = strict_aws.function(RUN_TASK, role=strict_aws.role("lambda.amazonaws.com", run))
    assert ":task/" in strict_aws.invoke(caller, request)
    refused = strict_aws.invoke(caller, request | tagged)
    assert f"is not authorized to perform: ecs:TagResource on resource: {task} " in refused
    tag = ("ecs:TagResource", task, {"StringEquals": {"ecs:CreateAction": "RunTask"}})
    caller = strict_aws.function(RUN_TASK, role=strict_aws.role("lambda.amazonaws.com", run, tag))
    assert ":task/" in strict_aws.invoke(caller, request | tagged)


def test_a_wait_by_update_item_needs_the_permission_too(strict_aws: EmbeddedAws, strict_table: str) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
        "Arguments": {
            "TableName": strict_table,
            "Key": {"pk": {"S": "1"}},
            "UpdateExpression": "SET lifecycle_token = :t",
            "ExpressionAttributeValues": {":t": {"S": "{% $states.context.Task.Token %}"}},
        },
        "TimeoutSeconds": 1,
        "End": True,
    }
    allowed = machine_role(strict_aws, ("dynamodb:UpdateItem", table_arn(strict_table)))
    assert strict_aws.execute({"Park": state}, role=allowed)["error"] == "States.Timeout"
    refused = strict_aws.execute({"Park": state}, role=machine_role(strict_aws))
    assert refused["error"] == "DynamoDb.DynamoDbException"


SIMULATE = """
    import boto3
    from botocore.exceptions import ClientError
    def handler(event, context):
        def simulate(role):
            try:
                boto3.client("iam").simulate_principal_policy(PolicySourceArn=role, ActionNames=["s3:GetObject"])
            except ClientError as error:
                return error.response["Error"]["Code"]
            return "allowed"
        return [simulate(role) for role in event]
"""


def test_policies_are_simulated_for_the_roles_that_a_policy_names(strict_aws: EmbeddedAws) -> None:
    one, other = strict_aws.role("lambda.amazonaws.com"), strict_aws.role("lambda.amazonaws.com")
    role = strict_aws.role("lambda.amazonaws.com", ("iam:SimulatePrincipalPolicy", one))
    assert strict_aws.invoke(strict_aws.function(SIMULATE, role=role), [one, other]) == ["allowed", "AccessDenied"]
