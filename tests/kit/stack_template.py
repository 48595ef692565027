"""What CloudFormation makes of template.yaml for certain parameters: which resources there are, with which values.

A value that only a deployed stack knows (the `Ref` of a resource, `Fn::GetAtt`) stays as it stands in the template.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.translator.transform import transform

Document = dict[str, Any]

ROOT = Path(__file__).parents[2]
_NO_VALUE = {"Ref": "AWS::NoValue"}

_EVERYWHERE = {
    "VpcId": "vpc-00000001",
    "VpcCidr": "10.0.0.0/16",
    "AgentSubnetIds": "subnet-00000001,subnet-00000002",
    "DomainName": "example.com",
    "HostedZoneId": "Z0123456789ABC",
    "AgentImageUri": "registry.example/agent:1",
    "ProxyImageUri": "registry.example/proxy:1",
}
# What must be given, and a hosted zone, for each value of LoadBalancer.
MODES: dict[str, dict[str, str]] = {
    "own": _EVERYWHERE
    | {
        "LoadBalancer": "own",
        "LoadBalancerSubnetIds": "subnet-00000001,subnet-00000002",
        "CertificateArn": "arn:aws:acm:eu-central-1:111122223333:certificate/sessions",
    },
    "existing": _EVERYWHERE
    | {
        "LoadBalancer": "existing",
        "ListenerArn": "arn:aws:elasticloadbalancing:eu-central-1:111122223333:listener/app/shared/1234/5678",
        "LoadBalancerSecurityGroupId": "sg-0123456789abcdef0",
        "LoadBalancerDnsName": "shared-1234567890.eu-central-1.elb.amazonaws.com",
        "LoadBalancerHostedZoneId": "Z215JYRZR1TBD5",
    },
}
# What AgentEgress=listed needs besides.
LISTED_EGRESS = {
    "AgentEgress": "listed",
    "VpcEndpointSecurityGroupId": "sg-0fedcba9876543210",
    "S3PrefixListId": "pl-6ea54007",
    "EgressProxyImageUri": "registry.example/egress:1",
}


class NoManagedPolicies:
    """SAM asks for the managed policies of an account; the template names none."""

    def load(self) -> dict[str, str]:
        return {}


def read_template() -> Document:
    """template.yaml, its short tags written out (`!Ref X` is {"Ref": "X"}): a copy of the caller's own."""
    return dict(json.loads(_template()))


@functools.cache
def _template() -> str:
    """Parse it once in a process: that takes a hundred times as long as to read it as JSON."""
    from cfnlint.decode import cfn_yaml  # noqa: PLC0415 - each worker imports this module, and few need so much

    return json.dumps(cfn_yaml.load(str(ROOT / "template.yaml")))


def packaged_as(template: Document, *, code: str, libraries: str, definition: str) -> Document:
    """The template as `sam package` leaves it: what lay in folders lies in a bucket, at these addresses."""
    addresses = {
        "AWS::Serverless::Function": {"CodeUri": code},
        "AWS::Serverless::LayerVersion": {"ContentUri": libraries},
        "AWS::Serverless::StateMachine": {"DefinitionUri": definition},
    }
    packaged = copy.deepcopy(template)
    for resource in packaged["Resources"].values():
        resource["Properties"] |= addresses.get(resource["Type"], {})
    return packaged


def expanded(template: Document) -> Document:
    """The template once SAM has expanded it; `sam package` has uploaded code and definition by then."""
    packaged = packaged_as(
        template, code="s3://bucket/code", libraries="s3://bucket/libraries", definition="s3://bucket/definition"
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        return dict(transform(packaged, {}, NoManagedPolicies()))


def evaluated(template: Document, parameters: dict[str, str]) -> Document:
    """An expanded template's sections with these parameters over the defaults.

    Resources and outputs whose condition is false are gone, `Fn::If` is decided, parameters stand for their `Ref`.
    """
    values = {name: str(p["Default"]) for name, p in template["Parameters"].items() if "Default" in p} | parameters
    missing = set(template["Parameters"]) - set(values)
    assert set() == missing, "no value and no default"
    evaluation = _Evaluation(values, template["Conditions"])
    return {
        section: {
            name: evaluation.value(entry)
            for name, entry in template[section].items()
            if "Condition" not in entry or evaluation.holds(entry["Condition"])
        }
        for section in ("Resources", "Outputs")
    }


def refusals(template: Document, parameters: dict[str, str]) -> list[str]:
    """Why CloudFormation would create nothing with these parameters over the defaults: what patterns and rules say."""
    values = {name: str(p["Default"]) for name, p in template["Parameters"].items() if "Default" in p} | parameters
    evaluation = _Evaluation(values, template["Conditions"])
    given = ((name, template["Parameters"][name], value) for name, value in parameters.items())
    broken = [
        f"{name}: {parameter['ConstraintDescription']}"
        for name, parameter, value in given
        if not re.fullmatch(parameter.get("AllowedPattern", ".*"), value)
    ]
    return broken + [
        assertion["AssertDescription"]
        for rule in template["Rules"].values()
        if "RuleCondition" not in rule or evaluation.is_true(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not evaluation.is_true(assertion["Assert"])
    ]


class _Evaluation:
    """One set of parameters, and the template's conditions."""

    def __init__(self, parameters: dict[str, str], conditions: Document) -> None:
        self._parameters = parameters
        self._conditions = conditions

    def holds(self, name: str) -> bool:
        return self.is_true(self._conditions[name])

    def is_true(self, condition: Document) -> bool:
        """Whether the condition, or what a rule asserts, is so."""
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                left, right = (self.value(side) for side in argument)
                return bool(left == right)
            case "Fn::Contains":
                among, wanted = (self.value(side) for side in argument)
                return wanted in among
            case "Fn::Not":
                return not self.is_true(argument[0])
            case "Fn::And":
                return all(self.is_true(each) for each in argument)
            case "Fn::Or":
                return any(self.is_true(each) for each in argument)
        raise AssertionError(f"{function} is no function of a condition that is understood here")

    def value(self, node: Any) -> Any:  # noqa: ANN401 - whatever a template holds
        """`node` with everything decided that the parameters decide."""
        if isinstance(node, list):
            return [self.value(each) for each in node if self._decided(each) != _NO_VALUE]
        if not isinstance(node, dict):
            return node
        decided = self._decided(node)
        if decided is not node:
            return self.value(decided)
        if set(node) == {"Fn::Sub"}:
            return self._substituted(node["Fn::Sub"])
        if set(node) == {"Fn::Split"}:
            separator, text = self.value(node["Fn::Split"])
            return text.split(separator) if isinstance(text, str) else {"Fn::Split": [separator, text]}
        return {key: self.value(each) for key, each in node.items() if self._decided(each) != _NO_VALUE}

    def _decided(self, node: Any) -> Any:  # noqa: ANN401 - whatever a template holds
        while isinstance(node, dict) and set(node) == {"Fn::If"}:
            condition, yes, no = node["Fn::If"]
            node = yes if self.holds(condition) else no
        if isinstance(node, dict) and set(node) == {"Ref"}:
            return self._parameters.get(node["Ref"], node)
        return node

    def _substituted(self, text: object) -> Any:  # noqa: ANN401 - text, or what is left to CloudFormation
        if not isinstance(text, str):
            return {"Fn::Sub": self.value(text)}
        result = re.sub(r"\$\{(\w+)\}", lambda match: self._parameters.get(match[1], match[0]), text)
        return {"Fn::Sub": result} if "${" in result else result
