"""Permissions taken away from the roles of a deployed stack, and given back."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.kit.stack_template import evaluated, expanded, read_template
from tests.mutation.grants import Grant, grants

from cloud_agent_local.deployment import STACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.e2e.system import System

    Json = dict[str, Any]

_REMEMBERED = "secretsmanager:"  # what a function has read it keeps for a minute, and what it signed in with for longer


class DeployedRoles:
    """The roles of one stack on the embedded AWS."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._iam = system.client("iam")
        stack = system.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
        self._resources = evaluated(expanded(read_template()), parameters)["Resources"]
        self._grants = {grant.key: grant for grant in grants(self._resources)}
        self._log = system.installation.log_dir / "embedded-aws.log"

    def deployed(self, wanted: Sequence[Grant]) -> list[Grant]:
        """Those of the permissions that these parameters of the stack give, as they stand in its policies."""
        return [self._grants[grant.key] for grant in wanted if grant.key in self._grants]

    @contextmanager
    def without(self, gone: Sequence[Grant]) -> Iterator[None]:
        """The stack without these permissions until the block is left; no worker knows what it read with them."""
        before: list[Json] = []
        try:
            for (role, policy), standing in _by_policy(gone).items():
                name = {"RoleName": self._system.physical_id(role), "PolicyName": policy}
                document = self._iam.get_role_policy(**name)["PolicyDocument"]
                before.append({**name, "PolicyDocument": json.dumps(document)})
                self._iam.put_role_policy(**name, PolicyDocument=json.dumps(less(document, standing)))
            if any(grant.action.startswith(_REMEMBERED) for grant in gone):
                for role in {grant.role for grant in gone}:
                    self._forget(role.removesuffix("Role"))
            yield
        finally:
            for kept in before:
                self._iam.put_role_policy(**kept)

    def refusals(self, since: int) -> list[tuple[str, str]]:
        """Role and action of each request that IAM has refused since then."""
        with self._log.open("rb") as log:
            log.seek(since)
            text = log.read().decode(errors="replace")
        return re.findall(r"refused by IAM: \S+:assumed-role/([^/\s]+)/\S+ (\S+)", text)

    def log_position(self) -> int:
        """Now, for `refusals`."""
        return self._log.stat().st_size

    def physical_id(self, role: str) -> str:
        """What the role is called in this stack."""
        return self._system.physical_id(role)

    def _forget(self, function: str) -> None:
        """The next invocation meets a new worker."""
        if function in self._resources:
            client, name = self._system.client("lambda"), self._system.physical_id(function)
            environment = client.get_function_configuration(FunctionName=name)["Environment"]
            client.update_function_configuration(FunctionName=name, Environment=environment)


def less(document: Json, gone: Sequence[Grant]) -> Json:
    """A policy document, its conditions decided, without these permissions. An empty one allows nothing."""
    statements = []
    for number, statement in enumerate(document["Statement"]):
        actions, resources = _list(statement["Action"]), _list(statement["Resource"])
        taken = {
            (grant.action, grant.place.resource) for grant in gone if grant.place and grant.place.statement == number
        }
        for action in actions:
            left = [one for index, one in enumerate(resources) if (action, index) not in taken]
            if left:
                statements.append({**statement, "Action": action, "Resource": left})
    return {**document, "Statement": statements}


def _by_policy(gone: Sequence[Grant]) -> dict[tuple[str, str], list[Grant]]:
    found: dict[tuple[str, str], list[Grant]] = defaultdict(list)
    for grant in gone:
        if grant.place is None:
            raise ValueError(f"{grant.key} stands in no policy of the stack's own")
        found[grant.role, grant.place.policy].append(grant)
    return found


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
