"""Does a hop's security group admit the hop before it, and nobody else? Asked of the proxy and of the agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.mends import revert
from cloud_agent_doctor.network.passage import Opening, Peer, PeerKind, group, may_go_out, openings
from cloud_agent_doctor.network.security_groups import described, security_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloud_agent_doctor.engine.examination import Examination


@dataclass(frozen=True)
class Passage:
    """The way of one TCP port from the tasks or load balancer in some groups to the tasks in others."""

    port: int
    source: str
    """Who comes, in words that begin a sentence's second half: `the load balancer in use, web`."""
    source_groups: tuple[str, ...]
    target: str
    """Who should be reached, in words."""
    target_groups: tuple[str, ...]
    declared: tuple[str, ...]
    """Further source groups that the template means to admit."""
    ingress_ids: tuple[str, ...]
    """Logical ids of the rule and of the group that admit."""
    egress_ids: tuple[str, ...]
    """Those of the group that lets out; none when it is not the stack's."""
    mend: str
    """What makes the template admit the source."""


@dataclass(frozen=True)
class Admission:
    """What a group's rules make of those who should come."""

    open: bool
    """Whether those who should come are admitted."""
    instead: tuple[Opening, ...]
    """When they are not: the rules for this very port that admit other groups."""
    beyond: tuple[Opening, ...]
    """The rules that admit more than was meant."""


def judge(
    rules: Iterable[Opening], port: int, sources: Sequence[Peer], declared: Sequence[Peer], vpc_cidr: str
) -> Admission:
    """Whether the rules admit one of the sources, which are in the VPC, to the port, and whom they admit besides.

    A range of the VPC's addresses that is open to the port lets the sources in, too, and is more than was meant.
    """
    rules = tuple(rules)
    admitted = any(rule.admits(port) and (rule.peer in sources or rule.peer.meets(vpc_cidr)) for rule in rules)
    others = [rule for rule in rules if not rule.is_just(port, [*sources, *declared])]
    stale = [rule for rule in rules if rule.is_just(port, [rule.peer]) and rule.peer.kind is PeerKind.GROUP]
    return Admission(
        open=admitted,
        instead=() if admitted else tuple(stale),
        beyond=tuple(rule for rule in others if admitted or rule not in stale),
    )


def findings(examination: Examination, passage: Passage) -> Iterator[Finding]:
    """Yield what is wrong with a passage, at both of its ends.

    Raises:
        CannotLookError: EC2 refused or did not answer.
    """
    rules: list[Opening] = []
    for group_id in passage.target_groups:
        document = security_group(examination, group_id)
        if document is None:
            yield _gone(examination, passage, group_id)
            return
        rules += openings(document["IpPermissions"])
    sources, declared = [group(one) for one in passage.source_groups], [group(one) for one in passage.declared]
    admission = judge(rules, passage.port, sources, declared, examination.stack.parameters["VpcCidr"])
    if not admission.open:
        yield _shut(examination, passage, admission)
    if admission.beyond:
        yield _wide(examination, passage, admission)
    yield from _way_out(examination, passage)


def _gone(examination: Examination, passage: Passage, group_id: str) -> Finding:
    return Finding(
        resource=group_id,
        problem=f"The security group {group_id} of {passage.target} does not exist.",
        meaning=f"{passage.target.capitalize()} cannot be started, and nobody reaches what still runs.",
        mend=revert(examination.stack),
        confirm=_confirm(group_id),
        logical_ids=passage.ingress_ids,
    )


def _shut(examination: Examination, passage: Passage, admission: Admission) -> Finding:
    admitted = ", ".join(described(examination, rule.peer) for rule in admission.instead) or "nobody"
    return Finding(
        resource=_list(passage.target_groups),
        problem=f"{_list(passage.target_groups)} of {passage.target} admits tcp {passage.port} from {admitted}; "
        f"{passage.source}, is in {_list(passage.source_groups)}.",
        meaning=f"What {passage.source}, sends to {passage.target} is dropped: visitors wait, then see an error.",
        mend=passage.mend,
        confirm=_confirm(*passage.target_groups),
        logical_ids=passage.ingress_ids,
    )


def _wide(examination: Examination, passage: Passage, admission: Admission) -> Finding:
    more = "; ".join(f"{rule.what} from {described(examination, rule.peer)}" for rule in admission.beyond)
    return Finding(
        resource=_list(passage.target_groups),
        problem=f"{_list(passage.target_groups)} of {passage.target} admits more than tcp {passage.port} from "
        f"{_list(passage.source_groups)}: {more}.",
        meaning=f"Others than {passage.source}, reach {passage.target}, past whatever guards the session URLs.",
        mend=f"What needs it goes into the template, with a reason; the rest goes. {revert(examination.stack)}",
        confirm=_confirm(*passage.target_groups),
        logical_ids=passage.ingress_ids,
    )


def _way_out(examination: Examination, passage: Passage) -> Iterator[Finding]:
    documents = [security_group(examination, one) for one in passage.source_groups]
    permissions = [one for document in documents if document for one in document["IpPermissionsEgress"]]
    vpc_cidr = examination.stack.parameters["VpcCidr"]
    if not any(may_go_out(permissions, passage.port, target, vpc_cidr) for target in passage.target_groups):
        what = (
            f"lets no tcp {passage.port} out to {_list(passage.target_groups)} of {passage.target}"
            if any(documents)
            else "does not exist"
        )
        yield Finding(
            resource=_list(passage.source_groups),
            problem=f"{_list(passage.source_groups)} of {passage.source}, {what}.",
            meaning=f"{passage.target.capitalize()} never hears of the visitors: they wait, then see an error.",
            mend=revert(examination.stack)
            if passage.egress_ids
            else f"In the template that owns {_list(passage.source_groups)}: let tcp {passage.port} out to "
            f"{_list(passage.target_groups)}.",
            confirm=_confirm(*passage.source_groups),
            logical_ids=passage.egress_ids,
        )


def _list(ids: Sequence[str]) -> str:
    return ", ".join(ids)


def _confirm(*group_ids: str) -> str:
    return f"aws ec2 describe-security-groups --group-ids {' '.join(group_ids)}"
