"""Further faults, one hop each, by the calls that a hand makes in a hurry; and which check is to find each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from tests.eventually import eventually
from tests.infrastructure.certificates import import_certificate
from tests.infrastructure.faults import (
    PROXY_PORT,
    change_record,
    revoke_ingress,
    run_revision,
    update_service,
)
from tests.infrastructure.world import DOMAIN, UAT_NAME, Mode, redeliver_lost

from cloud_agent_local import deployment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infrastructure.world import World

AGENT_PORT = 3000


@dataclass(frozen=True)
class FurtherFault:
    """One fault of one hop."""

    set_up: Callable[[World], None]
    check: str
    """The check that is to find it."""
    modes: tuple[Mode, ...]
    """Where it is tried: a fault behind the proxy is the same in both modes."""

    @property
    def name(self) -> str:
        """What was done, in the words of the function that does it."""
        return self.set_up.__name__


FURTHER: list[FurtherFault] = []


def found_by(check: str, *modes: Mode) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    """Add a fault to the list; without modes it is tried in one."""

    def add(set_up: Callable[[World], None]) -> Callable[[World], None]:
        FURTHER.append(FurtherFault(set_up, check, modes or (Mode.OWN,)))
        return set_up

    return add


# ---------------------------------------------------------------- from the browser to the proxy


@found_by("dns-record", *Mode)
def record_is_deleted(world: World) -> None:
    """No session's name resolves."""
    records = world.client("route53").list_resource_record_sets(HostedZoneId=world.zone_id)["ResourceRecordSets"]
    (record,) = (one for one in records if one["Name"].rstrip(".") == UAT_NAME)
    change_record(world, "DELETE", record)


@found_by("certificate", *Mode)
def certificate_has_expired(world: World) -> None:
    """Nobody renewed what was imported."""
    import_certificate(world.client("acm"), UAT_NAME, began_days_ago=120, over=world.certificate_arn)


@found_by("certificate", *Mode)
def certificate_is_for_another_name(world: World) -> None:
    """It was imported anew, without the wildcard."""
    import_certificate(world.client("acm"), f"uat.{DOMAIN}", over=world.certificate_arn)


@found_by("listener", *Mode)
def listener_is_deleted(world: World) -> None:
    """Nobody answers on 443."""
    world.client("elbv2").delete_listener(ListenerArn=world.listener_arn)


@found_by("listener-rule", *Mode)
def rule_is_shadowed(world: World) -> None:
    """An earlier rule takes all names of the domain."""
    _create_rule(world, world.listener_arn, 5, [f"*.{DOMAIN}"], world.other.target_group_arn)


@found_by("listener-rule", *Mode)
def rule_forwards_elsewhere(world: World) -> None:
    """Session URLs show another team's service."""
    actions = [{"Type": "forward", "TargetGroupArn": world.other.target_group_arn}]
    world.client("elbv2").modify_rule(RuleArn=world.resources["UatListenerRule"], Actions=actions)


@found_by("listener-rule", *Mode)
def rule_is_for_another_host(world: World) -> None:
    """A misspelt domain."""
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.uat.acme-preview.net"]}}]
    world.client("elbv2").modify_rule(RuleArn=world.resources["UatListenerRule"], Conditions=conditions)


@found_by("target-group", *Mode)
def health_is_asked_for_elsewhere(world: World) -> None:
    """The proxy does not answer there, so it is taken for dead."""
    group = world.resources["ProxyTargetGroup"]
    world.client("elbv2").modify_target_group(TargetGroupArn=group, HealthCheckPath="/healthz")


@found_by("target-health", *Mode)
def no_proxy_is_registered(world: World) -> None:
    """The load balancer knows nobody to forward to."""
    elbv2, group = world.client("elbv2"), world.resources["ProxyTargetGroup"]
    described = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    targets = [one["Target"] for one in described]
    elbv2.deregister_targets(TargetGroupArn=group, Targets=targets)
    world.undo.callback(lambda: elbv2.register_targets(TargetGroupArn=group, Targets=targets))


@found_by("proxy-ingress", *Mode)
def proxy_is_open_to_everybody(world: World) -> None:
    """Whoever reaches the proxy's address passes the load balancer by."""
    _authorize(world, "ProxySecurityGroup", PROXY_PORT, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})


@found_by("agent-ingress", *Mode)
def agents_admit_another_group(world: World) -> None:
    """Another team's service reaches dev servers, past the proxy's access control."""
    _authorize(
        world, "AgentSecurityGroup", AGENT_PORT, {"UserIdGroupPairs": [{"GroupId": world.other.security_group_id}]}
    )


@found_by("agent-ingress", *Mode)
def agents_admit_nobody(world: World) -> None:
    """The proxy does not get through to any dev server."""
    revoke_ingress(world, "AgentSecurityGroup", "AgentIngress")


# ---------------------------------------------------------------- what runs


@found_by("proxy-service")
def proxy_is_stopped(world: World) -> None:
    """Somebody saved money."""
    update_service(world, desiredCount=0)


@found_by("proxy-service")
def proxy_runs_a_revision_made_by_hand(world: World) -> None:
    """With another log level, which the next deployment will not have."""

    def set_log_level(container: dict[str, Any]) -> None:
        container["stopTimeout"] = 5

    run_revision(world, set_log_level)


@found_by("images")
def proxys_image_is_deleted(world: World) -> None:
    """The next task that starts finds none."""
    definition = world.resources["ProxyTaskDefinition"]
    described = world.client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
    repository, _, tag = described["containerDefinitions"][0]["image"].partition("/")[2].partition(":")
    world.client("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])


@found_by("environment")
def function_lacks_a_variable(world: World) -> None:
    """It was taken out in the console."""
    _change_variables(world, lambda variables: variables.pop("GITHUB_SECRET_ARN"))


@found_by("environment")
def function_has_a_variable_too_many(world: World) -> None:
    """Nobody reads it; who set it believes it does something."""
    _change_variables(world, lambda variables: variables.update(SESSION_TABLE="sessions"))


@found_by("stack-drift")
def function_has_less_memory(world: World) -> None:
    """What no hop speaks of is left to CloudFormation's drift detection."""
    name = world.resources["ReportFailureFunction"]
    world.client("lambda").update_function_configuration(FunctionName=name, MemorySize=128)


@found_by("state-machine")
def workflow_is_changed(world: World) -> None:
    """Somebody gave the agents more time in the console."""
    client, arn = world.client("stepfunctions"), world.resources["SessionStateMachine"]
    definition = json.loads(client.describe_state_machine(stateMachineArn=arn)["definition"])
    definition["States"].pop(next(reversed(definition["States"])))
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))


# ---------------------------------------------------------------- what is allowed and what is secret


@found_by("roles")
def workflow_may_not_pass_roles(world: World) -> None:
    """No agent can be started; found only in production, once."""
    _change_role(world, "SessionStateMachineRole", _without("iam:PassRole"))


@found_by("roles")
def proxy_may_not_read_sessions(world: World) -> None:
    """It finds no session."""
    _change_role(world, "ProxyTaskRole", _without("dynamodb:GetItem"))


@found_by("roles")
def agents_may_do_more(world: World) -> None:
    """What a model runs in its shell may now read every bucket."""
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = world.resources["AgentTaskRole"]
    world.client("iam").put_role_policy(RoleName=role, PolicyName="debugging", PolicyDocument=document)


@found_by("secrets")
def github_secret_lacks_the_key(world: World) -> None:
    """Half of it was pasted."""
    _put_secret(world, "GitHubSecret", json.dumps({"app_id": "1"}))


@found_by("secrets")
def access_keys_are_no_json(world: World) -> None:
    """The value alone was pasted."""
    _put_secret(world, "UatAccessKeysSecret", "signing_key")


@found_by("secrets")
def key_is_to_be_deleted(world: World) -> None:
    """It is refused from now on, and gone in a week."""
    arn = world.resources["AnthropicApiKeySecret"]
    world.client("secretsmanager").delete_secret(SecretId=arn, RecoveryWindowInDays=7)


# ---------------------------------------------------------------- GitHub, the workflow's start and the sessions


@found_by("webhook")
def webhook_leads_elsewhere(world: World) -> None:
    """Labels are heard by nobody."""
    _change_webhook(world, url=f"{world.system.installation.aws_endpoint}/elsewhere")


@found_by("webhook")
def webhook_is_signed_with_another_secret(world: World) -> None:
    """Every delivery is refused."""
    _change_webhook(world, secret="another")
    last = world.system.deliveries()[0]["id"]
    world.system.github.call("POST", f"/app/hook/deliveries/{last}/attempts", as_app=True)
    eventually(lambda: world.system.deliveries()[0]["status_code"] == httpx.codes.UNAUTHORIZED)


@found_by("github-app")
def app_is_suspended(world: World) -> None:
    """Nothing can be read or written any more."""
    github = world.system.github
    installation = github.call("GET", f"/repos/{world.system.repository}/installation", as_app=True)
    path = f"/app/installations/{installation['id']}/suspended"
    github.call("PUT", path, as_app=True)
    world.undo.callback(lambda: github.call("DELETE", path, as_app=True))


@found_by("session")
def row_has_a_stale_address(world: World) -> None:
    """The proxy sends its visitors where nobody is."""
    _change_row(world, "ip", "127.99.99.99")


@found_by("session")
def row_names_a_task_that_is_gone(world: World) -> None:
    """The session runs on paper."""
    _change_row(world, "task_arn", f"{world.cluster.replace(':cluster/', ':task/')}/{'0' * 32}")


# ---------------------------------------------------------------- what is left over


@found_by("orphans")
def security_group_is_left_behind(world: World) -> None:
    """It was made beside the stack's, by its name, and nothing has it."""
    group = world.client("ec2").describe_security_groups(GroupIds=[world.resources["ProxySecurityGroup"]])
    world.client("ec2").create_security_group(
        GroupName=f"{world.stack}-old", Description="Before the move", VpcId=group["SecurityGroups"][0]["VpcId"]
    )


@found_by("orphans")
def target_group_is_left_behind(world: World) -> None:
    """No load balancer forwards to it."""
    world.client("elbv2").create_target_group(Name=f"{world.stack}-old", Protocol="HTTP", Port=PROXY_PORT)


@found_by("orphans")
def rule_is_left_on_another_load_balancer(world: World) -> None:
    """Session URLs would show another team's service, if the record led there."""
    _create_rule(world, world.other.listener_arn, 10, [UAT_NAME], world.other.target_group_arn)


def _create_rule(world: World, listener: str, priority: int, hosts: list[str], target_group: str) -> None:
    world.client("elbv2").create_rule(
        ListenerArn=listener,
        Priority=priority,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": hosts}}],
        Actions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )


def _authorize(world: World, group: str, port: int, peers: dict[str, Any]) -> None:
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peers}
    world.client("ec2").authorize_security_group_ingress(GroupId=world.resources[group], IpPermissions=[permission])


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
    github.call("PATCH", "/app/hook/config", change, as_app=True)
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
