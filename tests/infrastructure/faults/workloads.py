"""Faults of what runs, of permissions and secrets, and of GitHub's side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
from tests.infrastructure.faults.fault import Fault
from tests.infrastructure.faults.incident import register_revision, run_revision, update_service
from tests.infrastructure.world import redeliver_lost

from cloud_agent_local import deployment
from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infrastructure.world import World


def proxy_is_stopped(world: World) -> None:
    """Somebody saved money."""
    update_service(world, desiredCount=0)


def proxy_runs_a_revision_made_by_hand(world: World) -> None:
    """It gives requests less time to end, until the next deployment."""

    def hurry(container: dict[str, Any]) -> None:
        container["stopTimeout"] = 5

    run_revision(world, hurry)


def proxys_image_is_deleted(world: World) -> None:
    """The next task that starts finds none."""
    definition = world.resources["ProxyTaskDefinition"]
    described = world.client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
    repository, _, tag = described["containerDefinitions"][0]["image"].partition("/")[2].partition(":")
    world.client("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])


def function_lacks_a_variable(world: World) -> None:
    """It was taken out in the console."""
    _change_variables(world, lambda variables: variables.pop("GITHUB_SECRET_ARN"))


def function_has_a_variable_too_many(world: World) -> None:
    """Nobody reads it; who set it believes it does something."""
    _change_variables(world, lambda variables: variables.update(SESSION_TABLE="sessions"))


def function_has_less_memory(world: World) -> None:
    """What no hop speaks of is left to CloudFormation's drift detection."""
    name = world.resources["ReportFailureFunction"]
    world.client("lambda").update_function_configuration(FunctionName=name, MemorySize=128)


def workflow_is_changed(world: World) -> None:
    """Somebody gave the agents more time in the console."""
    client, arn = world.client("stepfunctions"), world.resources["SessionStateMachine"]
    definition = json.loads(client.describe_state_machine(stateMachineArn=arn)["definition"])
    definition["States"].pop(next(reversed(definition["States"])))
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))


def agents_start_from_a_revision_made_by_hand(world: World) -> None:
    """It gives them less time to end, until somebody deregisters it."""

    def hurry(container: dict[str, Any]) -> None:
        container["stopTimeout"] = 5

    register_revision(world, "AgentTaskDefinition", hurry)


def workflow_may_not_pass_roles(world: World) -> None:
    """No agent can be started; found only in production, once."""
    _change_role(world, "SessionStateMachineRole", _without("iam:PassRole"))


def proxy_may_not_read_sessions(world: World) -> None:
    """It finds no session."""
    _change_role(world, "ProxyTaskRole", _without("dynamodb:GetItem"))


def agents_may_do_more(world: World) -> None:
    """What a model runs in its shell may now read every bucket."""
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = world.resources["AgentTaskRole"]
    world.client("iam").put_role_policy(RoleName=role, PolicyName="debugging", PolicyDocument=document)


def github_secret_lacks_the_key(world: World) -> None:
    """Half of it was pasted."""
    _put_secret(world, "GitHubSecret", json.dumps({"app_id": "1"}))


def access_keys_are_no_json(world: World) -> None:
    """The value alone was pasted."""
    _put_secret(world, "UatAccessKeysSecret", "signing_key")


def key_is_to_be_deleted(world: World) -> None:
    """It is refused from now on, and gone in a week."""
    arn = world.resources["AnthropicApiKeySecret"]
    world.client("secretsmanager").delete_secret(SecretId=arn, RecoveryWindowInDays=7)


def webhook_leads_elsewhere(world: World) -> None:
    """Labels reach nobody."""
    _change_webhook(world, url=f"{world.system.installation.aws_endpoint}/elsewhere")


def webhook_is_signed_with_another_secret(world: World) -> None:
    """Every delivery is refused, as the one that greets the address."""
    _change_webhook(world, secret="another")
    eventually(lambda: world.system.deliveries()[0]["status_code"] == httpx.codes.UNAUTHORIZED)


def app_is_suspended(world: World) -> None:
    """Nothing can be read or written any more."""
    github = world.system.github
    installation = github.call("GET", f"/repos/{world.system.repository}/installation", as_app=True)
    path = f"/app/installations/{installation['id']}/suspended"
    github.call("PUT", path, as_app=True)
    world.undo.callback(lambda: github.call("DELETE", path, as_app=True))


def row_has_a_stale_address(world: World) -> None:
    """The proxy sends its visitors where nobody is."""
    _change_row(world, "ip", "127.99.99.99")


def row_names_a_task_that_is_gone(world: World) -> None:
    """The session runs on paper."""
    _change_row(world, "task_arn", f"{world.cluster.replace(':cluster/', ':task/')}/{'0' * 32}")


def _change_variables(world: World, change: Callable[[dict[str, str]], object]) -> None:
    # A function that no other fault has invoked: a worker of its would keep the environment that it began with.
    client, name = world.client("lambda"), world.resources["ReportFailureFunction"]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    change(variables)
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def _change_role(world: World, role: str, change: Callable[[dict[str, Any]], None]) -> None:
    iam, name = world.client("iam"), world.resources[role]
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        change(document)
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


def _without(action: str) -> Callable[[dict[str, Any]], None]:
    def remove(document: dict[str, Any]) -> None:
        for statement in document["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            statement["Action"] = [one for one in actions if one != action]
        document["Statement"] = [one for one in document["Statement"] if one["Action"]]

    return remove


def _put_secret(world: World, secret: str, value: str) -> None:
    world.client("secretsmanager").put_secret_value(SecretId=world.resources[secret], SecretString=value)


def _change_webhook(world: World, **change: str) -> None:
    github = world.system.github
    before = github.call("GET", "/app/hook/config", as_app=True)
    secret = deployment.webhook_secret(world.system.installation)
    github.call("PATCH", "/app/hook/config", {"url": before["url"], **change}, as_app=True)
    restored = {"url": before["url"], "secret": secret}
    world.undo.callback(lambda: _restore_webhook(world, restored))


def _restore_webhook(world: World, config: dict[str, str]) -> None:
    """And have what was lost meanwhile delivered after all."""
    world.system.github.call("PATCH", "/app/hook/config", config, as_app=True)
    redeliver_lost(world.system)


def _change_row(world: World, attribute: str, value: str) -> None:
    table, key = world.client("dynamodb"), {"pk": {"S": f"SESSION#{world.session.id}"}, "sk": {"S": "SESSION"}}
    name = world.resources["SessionsTable"]
    before = table.get_item(TableName=name, Key=key)["Item"][attribute]

    def write(attribute_value: dict[str, str]) -> None:
        table.update_item(
            TableName=name,
            Key=key,
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": attribute},
            ExpressionAttributeValues={":value": attribute_value},
        )

    write({"S": value})
    world.undo.callback(lambda: write(before))


WORKLOAD_FAULTS = (
    Fault(proxy_is_stopped, "proxy-service"),
    Fault(proxy_runs_a_revision_made_by_hand, "proxy-service"),
    Fault(proxys_image_is_deleted, "images"),
    Fault(function_lacks_a_variable, "environment"),
    Fault(function_has_a_variable_too_many, "environment"),
    Fault(function_has_less_memory, "stack-drift"),
    Fault(workflow_is_changed, "state-machine"),
    Fault(agents_start_from_a_revision_made_by_hand, "state-machine"),
    Fault(workflow_may_not_pass_roles, "roles"),
    Fault(proxy_may_not_read_sessions, "roles"),
    Fault(agents_may_do_more, "roles"),
    Fault(github_secret_lacks_the_key, "secrets"),
    Fault(access_keys_are_no_json, "secrets"),
    Fault(key_is_to_be_deleted, "secrets"),
    Fault(webhook_leads_elsewhere, "webhook"),
    Fault(webhook_is_signed_with_another_secret, "webhook"),
    Fault(app_is_suspended, "github-app"),
    Fault(row_has_a_stale_address, "session"),
    Fault(row_names_a_task_that_is_gone, "session"),
)
