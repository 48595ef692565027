"""Listener rules for the sessions' host names, and the target groups that they lead to, in CloudFormation's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_cli.adopt.resources import LISTENER_RULE, TARGET_GROUP, Found

if TYPE_CHECKING:
    from cloud_agent_cli.adopt.search import Search
    from cloud_agent_doctor.engine.aws import Aws

    Document = dict[str, Any]

_DEREGISTRATION = "deregistration_delay.timeout_seconds"  # the attribute that template.yaml sets


def rules(aws: Aws, search: Search) -> list[Found]:
    """Return the rules of the account's application load balancers that forward the sessions' host names, or are named.

    Raises:
        DataUnavailableError: AWS refused or did not respond.
    """
    named = search.named(LISTENER_RULE)
    found = []
    for balancer in aws.describe_all("elbv2", "describe_load_balancers", "LoadBalancers"):
        if balancer["Type"] == "application":
            arn = balancer["LoadBalancerArn"]
            for listener in aws.describe_all("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn):
                found += [
                    (listener["ListenerArn"], rule)
                    for rule in aws.describe_all(
                        "elbv2", "describe_rules", "Rules", ListenerArn=listener["ListenerArn"]
                    )
                ]
    return [
        Found(
            LISTENER_RULE,
            rule["RuleArn"],
            named.get(rule["RuleArn"], f"its host name {search.host_name}"),
            {
                "ListenerArn": listener,
                "Priority": int(rule["Priority"]),
                "Conditions": [_condition(one) for one in rule["Conditions"]],
                "Actions": [_action(one) for one in rule["Actions"]],
            },
        )
        for listener, rule in found
        if not rule["IsDefault"] and (search.host_name in _host_names(rule) or rule["RuleArn"] in named)
    ]


def target_groups(aws: Aws, search: Search, tagged: list[str], leading: list[Found]) -> list[Found]:
    """Return the target groups that a rule of `leading`, the stack's tags, or a person point at, and that exist.

    Raises:
        DataUnavailableError: AWS refused or did not respond.
    """
    candidates = dict.fromkeys(tagged, "its tags")
    for rule in leading:
        candidates |= {
            arn: f"the rule for {search.host_name}" for action in rule.properties["Actions"] for arn in _targets(action)
        }
    candidates |= search.named(TARGET_GROUP)
    found = []
    for arn, why in candidates.items():
        missing = ("TargetGroupNotFound", "ValidationError")
        groups = aws.describe_all(
            "elbv2", "describe_target_groups", "TargetGroups", missing=missing, TargetGroupArns=[arn]
        )
        attributes = aws.describe_all(
            "elbv2", "describe_target_group_attributes", "Attributes", missing=missing, TargetGroupArn=arn
        )
        found += [Found(TARGET_GROUP, arn, why, _properties(group, attributes)) for group in groups]
    return found


def parameters(aws: Aws, search: Search, rule: Document) -> dict[str, str]:
    """Return the parameters of template.yaml with which the stack keeps this rule, and uses its load balancer.

    Raises:
        DataUnavailableError: AWS refused or did not respond.
    """
    listener = rule["ListenerArn"]
    (described,) = aws.describe_all("elbv2", "describe_listeners", "Listeners", ListenerArns=[listener])
    arn = described["LoadBalancerArn"]
    (balancer,) = aws.describe_all("elbv2", "describe_load_balancers", "LoadBalancers", LoadBalancerArns=[arn])
    return {
        "LoadBalancer": "existing",
        "ListenerArn": listener,
        "ListenerRulePriority": str(rule["Priority"]),
        # What comes from the load balancer comes from each of its groups: any one of them says so.
        "LoadBalancerSecurityGroupId": next(iter(balancer.get("SecurityGroups", [])), ""),
        "LoadBalancerDnsName": balancer["DNSName"],
        "LoadBalancerHostedZoneId": balancer["CanonicalHostedZoneId"],
    } | ({"IndexAtUatDomain": "true"} if search.index_host_name in _host_names(rule) else {})


def _host_names(rule: Document) -> set[str]:
    return {
        name.lower()
        for condition in rule["Conditions"]
        if condition["Field"] == "host-header"
        for name in [*condition.get("Values", []), *condition.get("HostHeaderConfig", {}).get("Values", [])]
    }


def _condition(condition: Document) -> Document:
    """Elastic Load Balancing says values twice; template.yaml says a host name's once, under its own key."""
    if condition["Field"] == "host-header":
        values = condition.get("HostHeaderConfig", {}).get("Values") or condition["Values"]
        return {"Field": "host-header", "HostHeaderConfig": {"Values": values}}
    if any(key.endswith("Config") for key in condition):
        return {key: value for key, value in condition.items() if key != "Values"}
    return dict(condition)


def _action(action: Document) -> Document:
    """Return the same of a forward to one target group."""
    if action["Type"] == "forward" and len(_targets(action)) == 1:
        return {"Type": "forward", "TargetGroupArn": _targets(action)[0]}
    return {key: value for key, value in action.items() if key != "TargetGroupArn"}


def _targets(action: Document) -> list[str]:
    weighted = [one["TargetGroupArn"] for one in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    return weighted or ([action["TargetGroupArn"]] if "TargetGroupArn" in action else [])


def _properties(group: Document, attributes: list[Document]) -> Document:
    delay = [{"Key": one["Key"], "Value": one["Value"]} for one in attributes if one["Key"] == _DEREGISTRATION]
    stated = {name: group[name] for name in (*TARGET_GROUP.stated, "ProtocolVersion") if name in group}
    return {"ProtocolVersion": "HTTP1"} | stated | {"TargetGroupAttributes": delay}  # HTTP1 where nothing is said
