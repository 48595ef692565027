"""Does a hop's security group admit the hop before it, and nobody else?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.network.rules import Peer, PeerKind, SecurityGroupRule, allows_egress, group, read_rules
from cloud_agent_doctor.network.security_groups import described, security_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloud_agent_doctor.engine.context import CheckContext


@dataclass(frozen=True)
class Connection:
    """A TCP connection from the tasks or load balancer in some groups to the tasks in others, at some ports."""

    ports: tuple[int, ...]
    source: str
    """Who connects, as it reads in a sentence: `the load balancer in use, web`."""
    source_groups: tuple[str, ...]
    target: str
    """Whom it connects to, as it reads in a sentence."""
    target_groups: tuple[str, ...]
    declared: tuple[str, ...]
    """Further source groups the template admits on purpose."""
    ingress_ids: tuple[str, ...]
    """Logical ids of the rule and of the group that admit it."""
    egress_ids: tuple[str, ...]
    """Those of the group that lets it out; none if that isn't the stack's."""
    remediation: str
    """What makes the template admit the source."""


@dataclass(frozen=True)
class Ingress:
    """Whom a group's rules admit."""

    closed: tuple[int, ...]
    """The ports to which the sources aren't admitted."""
    instead: tuple[SecurityGroupRule, ...]
    """The rules for these very ports that admit other groups."""
    beyond: tuple[SecurityGroupRule, ...]
    """The rules that admit more than intended."""


def judge(
    rules: Iterable[SecurityGroupRule],
    ports: Sequence[int],
    sources: Sequence[Peer],
    declared: Sequence[Peer],
    vpc_cidr: str,
) -> Ingress:
    """Judge whether the rules admit one of the sources, which are in the VPC, to each of the ports, and who else.

    A range of the VPC's addresses that may use a port admits the sources too, and is more than intended.
    """
    rules = tuple(rules)
    within = [rule for rule in rules if rule.peer in sources or rule.peer.meets(vpc_cidr)]
    closed = tuple(port for port in ports if not any(rule.admits(port) for rule in within))
    stale = tuple(rule for rule in rules if _is_just(rule, closed, [rule.peer]) and rule.peer.kind is PeerKind.GROUP)
    others = (rule for rule in rules if not _is_just(rule, ports, [*sources, *declared]))
    return Ingress(closed=closed, instead=stale, beyond=tuple(rule for rule in others if rule not in stale))


def _is_just(rule: SecurityGroupRule, ports: Iterable[int], peers: Sequence[Peer]) -> bool:
    return any(rule.is_just(port, peers) for port in ports)


def findings(context: CheckContext, connection: Connection) -> Iterator[Finding]:
    """Yield what's wrong with a connection, at both ends.

    Raises:
        DataUnavailableError: EC2 refused or didn't respond.
    """
    rules: list[SecurityGroupRule] = []
    for group_id in connection.target_groups:
        document = security_group(context, group_id)
        if document is None:
            yield _gone(context, connection, group_id)
            return
        rules += read_rules(document["IpPermissions"])
    sources, declared = [group(one) for one in connection.source_groups], [group(one) for one in connection.declared]
    ingress = judge(rules, connection.ports, sources, declared, context.stack.parameters["VpcCidr"])
    if ingress.closed:
        yield _closed(context, connection, ingress)
    if ingress.beyond:
        yield _too_open(context, connection, ingress)
    yield from _egress(context, connection)


def _gone(context: CheckContext, connection: Connection, group_id: str) -> Finding:
    return Finding(
        resource=group_id,
        problem=f"The security group {group_id} of {connection.target} doesn't exist.",
        impact=f"{connection.target.capitalize()} can't start, and nothing reaches what still runs.",
        remediation=revert_drift(context.stack),
        confirm=_confirm(group_id),
        logical_ids=connection.ingress_ids,
    )


def _closed(context: CheckContext, connection: Connection, ingress: Ingress) -> Finding:
    admitted = ", ".join(described(context, rule.peer) for rule in ingress.instead) or "nobody"
    return Finding(
        resource=_list(connection.target_groups),
        problem=f"{_list(connection.target_groups)} of {connection.target} admits TCP {_list(ingress.closed)} from "
        f"{admitted}; {connection.source}, is in {_list(connection.source_groups)}.",
        impact=f"Traffic from {connection.source}, to {connection.target} is dropped: visitors wait, then get an "
        "error.",
        remediation=connection.remediation,
        confirm=_confirm(*connection.target_groups),
        logical_ids=connection.ingress_ids,
    )


def _too_open(context: CheckContext, connection: Connection, ingress: Ingress) -> Finding:
    more = "; ".join(f"{rule.what} from {described(context, rule.peer)}" for rule in ingress.beyond)
    return Finding(
        resource=_list(connection.target_groups),
        problem=f"{_list(connection.target_groups)} of {connection.target} admits more than TCP "
        f"{_list(connection.ports)} from {_list(connection.source_groups)}: {more}.",
        impact=f"Not only {connection.source}, can reach {connection.target}: that bypasses access control.",
        remediation=f"Put what's needed into the template, with a reason. {revert_drift(context.stack)}",
        confirm=_confirm(*connection.target_groups),
        logical_ids=connection.ingress_ids,
    )


def _egress(context: CheckContext, connection: Connection) -> Iterator[Finding]:
    documents = [security_group(context, one) for one in connection.source_groups]
    permissions = [one for document in documents if document for one in document["IpPermissionsEgress"]]
    vpc_cidr = context.stack.parameters["VpcCidr"]
    shut = [
        port
        for port in connection.ports
        if not any(allows_egress(permissions, port, target, vpc_cidr) for target in connection.target_groups)
    ]
    if shut:
        what = (
            f"lets no TCP {_list(shut)} out to {_list(connection.target_groups)} of {connection.target}"
            if any(documents)
            else "doesn't exist"
        )
        yield Finding(
            resource=_list(connection.source_groups),
            problem=f"{_list(connection.source_groups)} of {connection.source}, {what}.",
            impact=f"{connection.target.capitalize()} never gets the visitors' requests: they wait, then get an error.",
            remediation=revert_drift(context.stack)
            if connection.egress_ids
            else f"In the template that owns {_list(connection.source_groups)}: let TCP {_list(shut)} out to "
            f"{_list(connection.target_groups)}.",
            confirm=_confirm(*connection.source_groups),
            logical_ids=connection.egress_ids,
        )


def _list(items: Sequence[object]) -> str:
    return ", ".join(map(str, items))


def _confirm(*group_ids: str) -> str:
    return f"aws ec2 describe-security-groups --group-ids {' '.join(group_ids)}"
