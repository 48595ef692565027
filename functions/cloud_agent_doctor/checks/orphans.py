"""Is anything left that belongs to nobody?

Looks for what carries this stack's name and is neither the stack's nor in use: security groups that no network
interface has, target groups that no load balancer has, rules of other load balancers for the sessions' names that lead
elsewhere, and agent tasks older than 15 minutes whose session is over or unknown. What carries another stack's tag is
that stack's.

Orphans cost money, and one day somebody takes them for what is in use: a rule that still admits the group of a load
balancer long gone looks right. They are brought into a stack by an import, or deleted by whoever made them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloud_agent.domain.session.session import LIVE
from cloud_agent_doctor.containers.workloads import TASK_ACTIONS, described_tasks
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.parts import all_parts
from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.load_balancer.host_patterns import includes
from cloud_agent_doctor.load_balancer.listener_rules import Rule, read_rule
from cloud_agent_doctor.load_balancer.load_balancer_in_use import (
    ACTIONS,
    LISTENERS_ACTION,
    application_load_balancers,
    listeners,
    load_balancer_in_use,
)
from cloud_agent_doctor.network.security_groups import ACTION as GROUPS_ACTION
from cloud_agent_doctor.session.session_rows import ACTIONS as ROW_ACTIONS
from cloud_agent_doctor.session.session_rows import session_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]

_STACK_TAG = "aws:cloudformation:stack-name"
_SETTLED = timedelta(minutes=15)
_BATCH_OF_TAGS = 20  # resources, the limit of DescribeTags
_AGENTS = ("AgentTaskDefinition", "StagingAgentTaskDefinition")


def examine(examination: Examination) -> Iterator[Finding]:
    """Find what is left over."""
    return all_parts(
        _security_groups(examination), _target_groups(examination), _rules(examination), _tasks(examination)
    )


def _is_ours(examination: Examination, name: str, tags: Mapping[str, str]) -> bool:
    """Whether it carries the stack's name: CloudFormation's tag where there is one, else the name it begins with."""
    stack = examination.stack.name
    return tags[_STACK_TAG] == stack if _STACK_TAG in tags else name.startswith(f"{stack}-")


def _managed(examination: Examination) -> set[str]:
    return {resource.physical_id for resource in examination.stack.resources.values()}


def _tags(tags: Sequence[Document]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _security_groups(examination: Examination) -> Iterator[Finding]:
    filters = [{"Name": "vpc-id", "Values": [examination.stack.parameters["VpcId"]]}]
    groups = examination.aws.ask_all("ec2", "describe_security_groups", "SecurityGroups", Filters=filters)
    managed = _managed(examination)
    for group in groups:
        group_id = group["GroupId"]
        if group_id in managed or not _is_ours(examination, group["GroupName"], _tags(group.get("Tags", ()))):
            continue
        filters = [{"Name": "group-id", "Values": [group_id]}]
        if not examination.aws.ask_all("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=filters):
            yield _finding(
                group_id,
                f"The security group {group_id} ({group['GroupName']}) is not the stack's, and no network interface "
                "has it.",
                f"aws ec2 describe-network-interfaces --filters Name=group-id,Values={group_id}",
            )


def _target_groups(examination: Examination) -> Iterator[Finding]:
    managed = _managed(examination)
    unused = {
        group["TargetGroupArn"]: group["TargetGroupName"]
        for group in examination.aws.ask_all("elbv2", "describe_target_groups", "TargetGroups")
        if not group.get("LoadBalancerArns") and group["TargetGroupArn"] not in managed
    }
    arns = list(unused)
    for start in range(0, len(arns), _BATCH_OF_TAGS):
        batch = arns[start : start + _BATCH_OF_TAGS]
        for one in examination.aws.tell("elbv2", "describe_tags", ResourceArns=batch)["TagDescriptions"]:
            arn = one["ResourceArn"]
            if _is_ours(examination, unused[arn], _tags(one.get("Tags", ()))):
                yield _finding(
                    arn,
                    f"The target group {unused[arn]} is not the stack's, and no load balancer has it.",
                    f"aws elbv2 describe-target-groups --target-group-arns {arn}",
                )


def _rules(examination: Examination) -> Iterator[Finding]:
    in_use, host = load_balancer_in_use(examination), uat_record.name(examination)
    managed, target_group = _managed(examination), examination.stack.physical_id("ProxyTargetGroup")
    for load_balancer in application_load_balancers(examination):
        if in_use and load_balancer.arn == in_use.arn:
            continue  # listener-rule judges those
        for listener in listeners(examination, load_balancer):
            for rule in _rules_of(examination, listener["ListenerArn"]):
                ours = any(includes(host, pattern) for pattern in rule.hosts)
                if ours and rule.arn not in managed and not rule.leads_to(target_group):
                    yield _finding(
                        rule.arn,
                        f"On the load balancer {load_balancer.name}, which visitors do not come by, {rule.label} for "
                        f"{', '.join(rule.hosts)} {rule.action}.",
                        f"aws elbv2 describe-rules --listener-arn {listener['ListenerArn']}",
                    )


def _rules_of(examination: Examination, listener_arn: str) -> list[Rule]:
    found = examination.aws.ask_all("elbv2", "describe_rules", "Rules", ListenerArn=listener_arn)
    return [read_rule(document) for document in found]


def _tasks(examination: Examination) -> Iterator[Finding]:
    cluster = examination.stack.physical_id("Cluster")
    # A row is written before its task is started: rows are read after the tasks.
    tasks = [task for name in _AGENTS for task in _running(examination, cluster, name)]
    settled = [task for task in tasks if task["createdAt"] < datetime.now(UTC) - _SETTLED]
    sessions = sorted({task.get("startedBy", "") for task in settled} - {""})
    rows = {session: session_row(examination, session) for session in sessions}
    status = {session: row["status"] for session, row in rows.items() if row}
    for task in settled:
        session = task.get("startedBy", "")
        if status.get(session) not in LIVE:
            known = f"is {status[session]}" if session in status else "is unknown"
            yield _finding(
                task["taskArn"],
                f"The agent task {task['taskArn']} has been running since {task['createdAt']:%Y-%m-%d %H:%M} UTC; its "
                f"session {session or '(none)'} {known}. ReconcilerFunction should have stopped it.",
                f"aws ecs describe-tasks --cluster {cluster} --tasks {task['taskArn']}",
                "See the log of ReconcilerFunction, which stops such tasks; mend what it says and `sam deploy`.",
            )


def _running(examination: Examination, cluster: str, logical_id: str) -> Iterator[Document]:
    arn = examination.stack.physical_id(logical_id)
    if not arn:
        return
    family = arn.rpartition("/")[2].partition(":")[0]
    arns = examination.aws.ask_all(
        "ecs",
        "list_tasks",
        "taskArns",
        missing=["ClusterNotFoundException"],
        cluster=cluster,
        family=family,
        desiredStatus="RUNNING",
    )
    yield from described_tasks(examination, arns)


def _finding(resource: str, problem: str, confirm: str, mend: str = "") -> Finding:
    return Finding(
        resource=resource,
        problem=problem,
        meaning="It costs money, or is one day taken for what is in use.",
        mend=mend
        or "Take it into the stack that needs it by an import (`cloud-agent adopt`), or have it deleted in the "
        "template that made it.",
        confirm=confirm,
    )


CHECK = Check(
    name="orphans",
    question="Is anything left that belongs to nobody?",
    examine=examine,
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
