"""The rules of a template's security groups, in a form to compare."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
Rule = tuple[str, str, int, int, str]
"""`in` or `out`, protocol, first and last port, and the other end."""


def group_name(reference: object) -> str:
    """The logical id of the group, or the range, list or foreign group, that a rule speaks of."""
    if isinstance(reference, dict):
        logical_id, attribute = reference["Fn::GetAtt"]
        assert attribute == "GroupId"
        return str(logical_id)
    return str(reference)


def _rule(direction: str, rule: Document) -> Rule:
    others = (
        {"SourceSecurityGroupId"} if direction == "in" else {"DestinationSecurityGroupId", "DestinationPrefixListId"}
    )
    ends = (others | {"CidrIp"}) & set(rule)
    known = {"IpProtocol", "FromPort", "ToPort", "Description", "GroupId"}
    assert len(ends) == 1, rule
    assert set() == set(rule) - known - ends, "a kind of rule that is not read here"
    return direction, rule["IpProtocol"], rule["FromPort"], rule["ToPort"], group_name(rule[ends.pop()])


def group_rules(resources: Document) -> dict[str, set[Rule]]:
    """Every rule of every security group, whether it stands in the group or beside it."""
    found: dict[str, set[Rule]] = {}
    for name, resource in resources.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::EC2::SecurityGroup":
            group = found.setdefault(name, set())
            group |= {_rule("in", rule) for rule in properties.get("SecurityGroupIngress", [])}
            group |= {_rule("out", rule) for rule in properties.get("SecurityGroupEgress", [])}
            # Without a rule of its own for the way out, EC2 gives a group one that admits everything.
            assert properties.get("SecurityGroupEgress"), name
        elif resource["Type"] in {"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"}:
            direction = "in" if resource["Type"].endswith("Ingress") else "out"
            found.setdefault(group_name(properties["GroupId"]), set()).add(_rule(direction, properties))
    return found
