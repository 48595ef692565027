"""What a role should be by the stack's template: its permissions, its managed policies, and who may assume it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.iam.policies import Permission, as_list, permissions, statements
from cloud_agent_doctor.stack.template_values import NO_VALUE, TemplateValues, UnresolvableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]


@dataclass
class TemplateRole:
    """A role of the template in its stack.

    `unresolved` has, for each statement that can't be resolved, the reason. What it allows is then unknown: its
    actions are among the `unknown_actions`, on whatever resource.
    """

    permissions: set[Permission] = field(default_factory=set)
    trust: set[Permission] = field(default_factory=set)
    managed_policies: set[str] = field(default_factory=set)
    unknown_actions: set[str] = field(default_factory=set)
    unresolved: list[str] = field(default_factory=list)


def template_role(properties: Document, values: TemplateValues) -> TemplateRole:
    """Return the role that these properties describe."""
    role = TemplateRole()
    for statement in _inline_statements(properties.get("Policies", []), values, role):
        try:
            role.permissions |= set(permissions([values.resolve(statement)]))
        except UnresolvableError as error:
            role.unknown_actions |= {str(action) for action in as_list(statement.get("Action", []))}
            role.unresolved.append(str(error))
    try:
        role.trust = set(permissions(statements(values.resolve(properties["AssumeRolePolicyDocument"]))))
        role.managed_policies = set(values.resolve(properties.get("ManagedPolicyArns", [])))
    except UnresolvableError as error:
        role.unresolved.append(str(error))
    return role


def _inline_statements(policies: Any, values: TemplateValues, role: TemplateRole) -> Iterator[Document]:  # noqa: ANN401
    for policy in _chosen(policies, values, role):
        yield from _chosen(policy["PolicyDocument"]["Statement"], values, role)


def _chosen(members: Any, values: TemplateValues, role: TemplateRole) -> Iterator[Any]:  # noqa: ANN401 - template
    """Yield the members of a list that may be, or contain, choices by condition."""
    for one in as_list(members):
        if set(one) == {"Fn::If"}:
            condition, then, otherwise = one["Fn::If"]
            try:
                yield from _chosen(then if values.holds(condition) else otherwise, values, role)
            except UnresolvableError as error:
                role.unresolved.append(str(error))
        elif set(one) != {"Ref"} or values.resolve(one) is not NO_VALUE:
            yield one
