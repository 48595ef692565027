"""What the account has that may be the stack's, described in CloudFormation's words. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_cli.adopt import load_balancers, tables
from cloud_agent_cli.adopt.resources import CLUSTER, SESSIONS_TABLE, TARGET_GROUP, Found

if TYPE_CHECKING:
    from cloud_agent_cli.adopt.search import Search
    from cloud_agent_doctor.engine.aws import Aws

_TAGGED_TYPES = ["dynamodb:table", "ecs:cluster", "elasticloadbalancing:targetgroup"]


def find(aws: Aws, search: Search) -> list[Found]:
    """Every resource that may be the stack's, with the stack that it belongs to already, if any.

    A table, a cluster or a target group is known by the tags or the name that CloudFormation gave it, a rule by its
    host name, a target group also by such a rule; anything by being named.

    Raises:
        DataUnavailableError: AWS refused or did not respond.
    """
    tagged = _tagged(aws, search.stack)
    rules = load_balancers.rules(aws, search)
    found = [
        *tables.tables(aws, search, tagged[SESSIONS_TABLE.logical_id]),
        *_clusters(aws, search, tagged[CLUSTER.logical_id]),
        *load_balancers.target_groups(aws, search, tagged[TARGET_GROUP.logical_id], rules),
        *rules,
    ]
    return [
        Found(each.kind, each.identifier, each.why, each.properties, _owner(aws, each.identifier)) for each in found
    ]


def _tagged(aws: Aws, stack: str) -> dict[str, list[str]]:
    """ARNs of what has the tags that CloudFormation gives a stack's resources, by logical id."""
    filters = [{"Key": "aws:cloudformation:stack-name", "Values": [stack]}]
    mappings = aws.describe_all(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=filters,
        ResourceTypeFilters=_TAGGED_TYPES,
    )
    arns: dict[str, list[str]] = {kind.logical_id: [] for kind in (SESSIONS_TABLE, CLUSTER, TARGET_GROUP)}
    for mapping in mappings:
        tags = {tag["Key"]: tag["Value"] for tag in mapping["Tags"]}
        arns.get(tags.get("aws:cloudformation:logical-id", ""), []).append(mapping["ResourceARN"])
    return arns


def _clusters(aws: Aws, search: Search, tagged: list[str]) -> list[Found]:
    names = [arn.rpartition("/")[2] for arn in aws.describe_all("ecs", "list_clusters", "clusterArns")]
    candidates = {name: "its name" for name in names if search.is_own_name(CLUSTER, name)}
    candidates |= {arn.rpartition("/")[2]: "its tags" for arn in tagged} | search.named(CLUSTER)
    described = (
        (name, why, aws.describe_all("ecs", "describe_clusters", "clusters", clusters=[name], include=["SETTINGS"]))
        for name, why in candidates.items()
    )
    return [
        Found(
            CLUSTER,
            name,
            why,
            {"ClusterSettings": [{"Name": one["name"], "Value": one["value"]} for one in cluster["settings"]]},
        )
        for name, why, clusters in described
        for cluster in clusters
        if cluster["status"] == "ACTIVE"
    ]


def _owner(aws: Aws, physical_id: str) -> str | None:
    """Return the name of the resource's stack; CloudFormation calls it a ValidationError where there is none."""
    resources = aws.describe_all(
        "cloudformation",
        "describe_stack_resources",
        "StackResources",
        missing=("ValidationError",),
        PhysicalResourceId=physical_id,
    )
    return str(resources[0]["StackName"]) if resources else None
