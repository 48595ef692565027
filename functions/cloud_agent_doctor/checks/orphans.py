"""Has anything been left behind that nobody uses?

Looks for resources that carry this stack's name but neither belong to it nor are in use: security groups without a
network interface, target groups without a load balancer, rules of other load balancers that send the sessions' names
elsewhere, and agent tasks older than 15 minutes whose session has ended or is unknown. Anything with another stack's
tag is that stack's.

Orphans cost money, and sooner or later somebody takes them for the real thing: a rule that still admits the security
group of a deleted load balancer looks right. The fix is to import them into a stack, or to have their owner delete
them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloud_agent.domain.session.agent_task import session_of_group
from cloud_agent.domain.session.session import LIVE
from cloud_agent_doctor.containers.task_definitions import TASK_ACTIONS, running_agent_tasks
from cloud_agent_doctor.engine.check import Check, combine
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.load_balancer.host_patterns import includes
from cloud_agent_doctor.load_balancer.in_use import (
    ACTIONS,
    LISTENERS_ACTION,
    application_load_balancers,
    listeners,
    load_balancer_in_use,
)
from cloud_agent_doctor.load_balancer.listener_rules import Rule, read_rule
from cloud_agent_doctor.network.security_groups import ACTION as GROUPS_ACTION
from cloud_agent_doctor.session.rows import ACTIONS as ROW_ACTIONS
from cloud_agent_doctor.session.rows import session_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_agent_doctor.engine.context import CheckContext

    Document = dict[str, Any]

_STACK_TAG = "aws:cloudformation:stack-name"
_SETTLED = timedelta(minutes=15)
_BATCH_OF_TAGS = 20  # resources, the limit of DescribeTags


def run(context: CheckContext) -> Iterator[Finding]:
    """Find what was left behind."""
    return combine(_security_groups(context), _target_groups(context), _rules(context), _tasks(context))


def _is_ours(context: CheckContext, name: str, tags: Mapping[str, str]) -> bool:
    """Whether it carries the stack's name: CloudFormation's tag where there is one, else the name it begins with."""
    stack = context.stack.name
    return tags[_STACK_TAG] == stack if _STACK_TAG in tags else name.startswith(f"{stack}-")


def _managed(context: CheckContext) -> set[str]:
    return {resource.physical_id for resource in context.stack.resources.values()}


def _tags(tags: Sequence[Document]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _security_groups(context: CheckContext) -> Iterator[Finding]:
    filters = [{"Name": "vpc-id", "Values": [context.stack.parameters["VpcId"]]}]
    groups = context.aws.describe_all("ec2", "describe_security_groups", "SecurityGroups", Filters=filters)
    managed = _managed(context)
    for group in groups:
        group_id = group["GroupId"]
        if group_id in managed or not _is_ours(context, group["GroupName"], _tags(group.get("Tags", ()))):
            continue
        filters = [{"Name": "group-id", "Values": [group_id]}]
        if not context.aws.describe_all("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=filters):
            yield _finding(
                group_id,
                f"The security group {group_id} ({group['GroupName']}) isn't the stack's, and no network interface "
                "uses it.",
                f"aws ec2 describe-network-interfaces --filters Name=group-id,Values={group_id}",
            )


def _target_groups(context: CheckContext) -> Iterator[Finding]:
    managed = _managed(context)
    unused = {
        group["TargetGroupArn"]: group["TargetGroupName"]
        for group in context.aws.describe_all("elbv2", "describe_target_groups", "TargetGroups")
        if not group.get("LoadBalancerArns") and group["TargetGroupArn"] not in managed
    }
    arns = list(unused)
    for start in range(0, len(arns), _BATCH_OF_TAGS):
        batch = arns[start : start + _BATCH_OF_TAGS]
        for one in context.aws.describe_uncached("elbv2", "describe_tags", ResourceArns=batch)["TagDescriptions"]:
            arn = one["ResourceArn"]
            if _is_ours(context, unused[arn], _tags(one.get("Tags", ()))):
                yield _finding(
                    arn,
                    f"The target group {unused[arn]} isn't the stack's, and no load balancer uses it.",
                    f"aws elbv2 describe-target-groups --target-group-arns {arn}",
                )


def _rules(context: CheckContext) -> Iterator[Finding]:
    in_use, hosts = load_balancer_in_use(context), [host.name for host in uat_record.hosts(context)]
    managed, target_group = _managed(context), context.stack.physical_id("ProxyTargetGroup")
    for load_balancer in application_load_balancers(context):
        if in_use and load_balancer.arn == in_use.arn:
            continue  # listener-rule judges those
        for listener in listeners(context, load_balancer):
            for rule in _rules_of(context, listener["ListenerArn"]):
                ours = any(includes(host, pattern) for host in hosts for pattern in rule.hosts)
                if ours and rule.arn not in managed and not rule.forwards_to(target_group):
                    yield _finding(
                        rule.arn,
                        f"On the load balancer {load_balancer.name}, which visitors don't use, {rule.label} for "
                        f"{', '.join(rule.hosts)} {rule.action}.",
                        f"aws elbv2 describe-rules --listener-arn {listener['ListenerArn']}",
                    )


def _rules_of(context: CheckContext, listener_arn: str) -> list[Rule]:
    found = context.aws.describe_all("elbv2", "describe_rules", "Rules", ListenerArn=listener_arn)
    return [read_rule(document) for document in found]


def _tasks(context: CheckContext) -> Iterator[Finding]:
    cluster = context.stack.physical_id("Cluster")
    # A row is written before its task is started: rows are read after the tasks.
    tasks = running_agent_tasks(context)
    settled = [task for task in tasks if task["createdAt"] < datetime.now(UTC) - _SETTLED]
    sessions = {session for task in settled if (session := session_of_group(task.get("group", "")))}
    rows = {session: session_row(context, session) for session in sorted(sessions)}
    status = {session: row["status"] for session, row in rows.items() if row}
    for task in settled:
        session = session_of_group(task.get("group", "")) or ""
        if status.get(session) not in LIVE:
            known = f"is {status[session]}" if session in status else "is unknown"
            yield _finding(
                task["taskArn"],
                f"The agent task {task['taskArn']} has been running since {task['createdAt']:%Y-%m-%d %H:%M} UTC; its "
                f"session {session or '(none)'} {known}. ReconcilerFunction should have stopped it.",
                f"aws ecs describe-tasks --cluster {cluster} --tasks {task['taskArn']}",
                "See the log of ReconcilerFunction, which stops such tasks; fix what it reports and `sam deploy`.",
            )


def _finding(resource: str, problem: str, confirm: str, remediation: str = "") -> Finding:
    return Finding(
        resource=resource,
        problem=problem,
        impact="It costs money, and may be mistaken for what's in use.",
        remediation=remediation
        or "Import it into the stack that needs it (`cloud-agent adopt`), or delete it in the template that created "
        "it.",
        confirm=confirm,
    )


CHECK = Check(
    name="orphans",
    question="Has anything been left behind that nobody uses?",
    run=run,
    actions=(
        *ACTIONS,
        LISTENERS_ACTION,
        GROUPS_ACTION,
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroups",
        "ec2:DescribeNetworkInterfaces",
        *TASK_ACTIONS,
        *ROW_ACTIONS,
    ),
)
