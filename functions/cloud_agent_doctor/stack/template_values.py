"""What a template's intrinsic functions (Ref, Fn::Sub and others) evaluate to in a deployed stack; knows no AWS.

Only the functions that policies use. Anything else is refused rather than guessed: what depends on it is unresolved.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_agent_doctor.engine.stack import Stack

    Document = Mapping[str, Any]

NO_VALUE: Final = object()
"""What `AWS::NoValue` stands for: the property is left out."""
_IN_TEXT = re.compile(r"\$\{(!?[^}]*)\}")


class UnresolvableError(Exception):
    """The stack doesn't determine the value. The message says why."""


class TemplateValues:
    """Resolves the values of one template in one stack."""

    def __init__(self, template: Document, stack: Stack) -> None:
        self._conditions = template.get("Conditions", {})
        self._stack = stack
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.holds,
            "Fn::GetAtt": self._attribute,
            "Fn::Sub": self._text,
            "Fn::Join": lambda arguments: arguments[0].join(self._list(arguments[1])),
            "Fn::If": lambda arguments: self.resolve(arguments[1] if self.holds(arguments[0]) else arguments[2]),
            "Fn::Equals": lambda arguments: self.resolve(arguments[0]) == self.resolve(arguments[1]),
            "Fn::Not": lambda arguments: not self.resolve(arguments[0]),
            "Fn::And": lambda arguments: all(self.resolve(one) for one in arguments),
            "Fn::Or": lambda arguments: any(self.resolve(one) for one in arguments),
        }

    def resolve(self, value: Any) -> Any:  # noqa: ANN401 - whatever stands in a template
        """Return the value in the stack.

        Raises:
            UnresolvableError: it uses an unsupported function, or references what the stack doesn't have.
        """
        if isinstance(value, dict):
            if len(value) == 1:
                name, arguments = next(iter(value.items()))
                if name in self._functions:
                    return self._functions[name](arguments)
                if name.startswith("Fn::"):
                    raise UnresolvableError(f"{name} isn't supported")
            found = {key: self.resolve(one) for key, one in value.items()}
            return {key: one for key, one in found.items() if one is not NO_VALUE}
        if isinstance(value, list):
            return [one for one in map(self.resolve, value) if one is not NO_VALUE]
        return value

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template is true in this stack.

        Raises:
            UnresolvableError: as of `resolve`.
        """
        if condition not in self._conditions:
            raise UnresolvableError(f"the template has no condition {condition}")
        return bool(self.resolve(self._conditions[condition]))

    def _list(self, arguments: Any) -> list[str]:  # noqa: ANN401 - as of resolve
        found = self.resolve(arguments)
        # CloudFormation shows a list parameter as one string.
        return found.split(",") if isinstance(found, str) else [str(one) for one in found]

    def _ref(self, name: str) -> Any:  # noqa: ANN401 - as of resolve
        stack = self._stack
        pseudo = {
            "AWS::AccountId": stack.account,
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": stack.partition,
            "AWS::Region": stack.region,
            "AWS::StackId": stack.arn,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com.cn" if stack.partition == "aws-cn" else "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        if name in stack.parameters:
            return stack.parameters[name]
        if stack.physical_id(name):
            return stack.physical_id(name)
        raise UnresolvableError(f"the stack has no {name}")

    def _attribute(self, arguments: list[str] | str) -> str:
        name, _, attribute = (
            arguments.partition(".") if isinstance(arguments, str) else (arguments[0], "", ".".join(arguments[1:]))
        )
        resource = self._stack.resources.get(name)
        if resource is None or not resource.physical_id:
            raise UnresolvableError(f"the stack has no {name}")
        identifier = resource.physical_id
        if attribute == "Arn" and identifier.startswith("arn:"):
            return identifier
        if attribute == "GroupId" and resource.type == "AWS::EC2::SecurityGroup":
            return identifier
        if attribute == "Arn" and resource.type == "AWS::S3::Bucket":  # whose names are of no account and no region
            return f"arn:{self._stack.partition}:s3:::{identifier}"
        # For these the physical id is the name, which the ARN ends in.
        paths = {
            "AWS::DynamoDB::Table": ("dynamodb", f"table/{identifier}"),
            "AWS::ECS::Cluster": ("ecs", f"cluster/{identifier}"),
            "AWS::IAM::Role": ("iam", f"role/{identifier}"),
            "AWS::Lambda::Function": ("lambda", f"function:{identifier}"),
            "AWS::Logs::LogGroup": ("logs", f"log-group:{identifier}:*"),
            "AWS::SQS::Queue": ("sqs", identifier.rpartition("/")[2]),
        }
        if attribute != "Arn" or resource.type not in paths:
            raise UnresolvableError(f"{name}.{attribute} of a {resource.type} isn't supported")
        service, path = paths[resource.type]
        region = "" if service == "iam" else self._stack.region
        return f"arn:{self._stack.partition}:{service}:{region}:{self._stack.account}:{path}"

    def _text(self, arguments: list[Any] | str) -> str:
        text, own = (arguments, {}) if isinstance(arguments, str) else arguments

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):  # a literal: ${!Literal} is ${Literal}
                return f"${{{name[1:]}}}"
            if name in own:
                return str(self.resolve(own[name]))
            return str(self._attribute(name) if "." in name else self._ref(name))

        return _IN_TEXT.sub(value, text)
