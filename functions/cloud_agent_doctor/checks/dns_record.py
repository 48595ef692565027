"""Does the wildcard name lead to the load balancer?

Looks, where the stack was given a hosted zone, at the zone's record `*.uat.<domain>`: it must be there, and be an
alias (or a CNAME) of the load balancer that the stack means. Then it looks a name under the wildcard up as a visitor
does: it must have addresses, and the load balancer's. That also sees a zone which nobody asks, because the domain is
not delegated to it, and a name that is managed elsewhere.

A wrong record sends every visitor to another system, or nowhere, while all that stands behind it is sound. The record
is the stack's: it is brought back by a deployment, and a name that is managed elsewhere is mended there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import CannotLookError, Check, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.mends import revert
from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.load_balancer.load_balancer_in_use import ACTIONS, intended
from cloud_agent_doctor.stack.names import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

_LOGICAL_IDS = ("UatRecord",)


def examine(examination: Examination) -> Iterator[Finding]:
    """Find a record that is missing or leads elsewhere, and a name that does."""
    stack = examination.stack
    if stack.parameters.get("UatUrl"):
        raise NotApplicableError(f"visitors come by {stack.parameters['UatUrl']} (parameter UatUrl)")
    load_balancer = intended(examination)
    # Of one that was deleted the output still has the name: whether the record is the stack's can be told by it.
    expected = load_balancer.dns_name if load_balancer else stack.outputs.get("LoadBalancerDnsName", "")
    if uat_record.zone(examination):
        wrong = _record(examination, plain(expected))
        if wrong:
            yield wrong
            return
    if load_balancer is not None:
        yield from _name(examination, load_balancer.dns_name)


def _record(examination: Examination, expected: str) -> Finding | None:
    stack, zone, name = examination.stack, uat_record.zone(examination), uat_record.name(examination)
    records = uat_record.records(examination)
    if records is None:
        return Finding(
            resource=zone,
            problem=f"There is no hosted zone {zone} (parameter HostedZoneId), so no record {name}.",
            meaning=f"No name under {stack.uat_domain} has an address: no session URL opens.",
            mend="Deploy with HostedZoneId of the zone that the domain is delegated to, or with an empty one where the "
            "name is managed elsewhere.",
            confirm=f"aws route53 get-hosted-zone --id {zone}",
            logical_ids=_LOGICAL_IDS,
        )
    seen = [target for record in records for target in uat_record.targets(record)]
    if seen and all(target == expected for target in seen):
        return None
    problem = (
        f"{name} in zone {zone} leads to {', '.join(sorted(set(seen)))}; the stack's load balancer is {expected}."
        if seen
        else f"The zone {zone} has no address record {name}; it should be an alias of {expected}."
    )
    return Finding(
        resource=name,
        problem=problem,
        meaning="Visitors of session URLs come to another system." if seen else "No session URL opens.",
        mend=revert(stack)
        if stack.owns_load_balancer or plain(stack.parameters["LoadBalancerDnsName"]) == expected
        else f"Deploy with LoadBalancerDnsName={expected} and the LoadBalancerHostedZoneId of that load balancer.",
        confirm=f"aws route53 list-resource-record-sets --hosted-zone-id {zone} --start-record-name '{name}' "
        "--max-items 1",
        logical_ids=_LOGICAL_IDS,
    )


def _name(examination: Examination, dns_name: str) -> Iterator[Finding]:
    host, zone = uat_record.sample(examination), uat_record.zone(examination)
    wanted = examination.resolve(dns_name)
    if not wanted:
        raise CannotLookError(f"the load balancer's own name {dns_name} has no address here: is there DNS?")
    seen = examination.resolve(host)
    if seen & wanted:
        return
    name = uat_record.name(examination)
    yield Finding(
        resource=host,
        problem=f"{host} leads to {', '.join(sorted(seen)) or 'no address'}; the load balancer {dns_name} is at "
        f"{', '.join(sorted(wanted))}.",
        meaning="Visitors of session URLs come to another system." if seen else "No session URL opens.",
        mend=f"The record in zone {zone} is right, and nobody asks that zone: delegate the domain to it at its "
        "registrar or in its parent zone, or deploy with HostedZoneId of the zone that is asked."
        if zone
        else f"Where the domain is managed, make {name} a CNAME of {dns_name}; or deploy with HostedZoneId, so that "
        "the stack keeps the record itself.",
        confirm=f"dig +short {host} {dns_name}",
        logical_ids=_LOGICAL_IDS,
    )


CHECK = Check(
    name="dns-record",
    question="Does the wildcard name lead to the load balancer?",
    examine=examine,
    actions=ACTIONS,
)
