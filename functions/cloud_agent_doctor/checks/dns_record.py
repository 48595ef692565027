"""Do the sessions' names point to the load balancer?

If the stack was given a hosted zone, checks the zone's record `*.uat.<domain>`: it must exist and be an alias (or a
CNAME) of the stack's load balancer. Then resolves a name under the wildcard as a visitor would: it must have
addresses, and they must be the load balancer's. That also catches a zone the domain isn't delegated to, and names
managed outside the stack. With IndexAtUatDomain, the same goes for `uat.<domain>`.

A wrong record sends every visitor to another system, or nowhere, while everything behind it is healthy. The stack
restores a record of its own; a name managed elsewhere has to be fixed there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.dns import normalize
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.load_balancer.in_use import ACTIONS, intended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.load_balancer.uat_record import Host

    Document = dict[str, Any]


def run(context: CheckContext) -> Iterator[Finding]:
    """Find a record that's missing or points elsewhere, and a name that resolves elsewhere."""
    stack, zone = context.stack, uat_record.zone(context)
    if stack.parameters.get("UatUrl"):
        raise NotApplicableError(f"visitors use {stack.parameters['UatUrl']} (parameter UatUrl)")
    load_balancer = intended(context)
    # The output still has the name of a deleted one: it tells whether the record is the stack's.
    expected = load_balancer.dns_name if load_balancer else stack.outputs.get("LoadBalancerDnsName", "")
    for host in uat_record.hosts(context):
        records = uat_record.records(context, host.name) if zone else []
        if records is None:
            yield _no_zone(context, host)
            return
        wrong = _record(context, host, records, normalize(expected)) if zone else None
        if wrong:
            yield wrong
        elif load_balancer is not None:
            elsewhere = _name(context, host, load_balancer.dns_name)
            if elsewhere:
                yield elsewhere
                if zone:
                    return  # it's the whole zone that nobody asks


def _no_zone(context: CheckContext, host: Host) -> Finding:
    zone = uat_record.zone(context)
    return Finding(
        resource=zone,
        problem=f"There is no hosted zone {zone} (parameter HostedZoneId), so there is no record {host.name}.",
        impact=f"No name under {context.stack.uat_domain} resolves: nobody can open {host.urls}.",
        remediation="Deploy with the HostedZoneId of the zone the domain is delegated to, or with an empty one if "
        "the name is managed elsewhere.",
        confirm=f"aws route53 get-hosted-zone --id {zone}",
        logical_ids=tuple(one.logical_id for one in uat_record.hosts(context)),
    )


def _record(context: CheckContext, host: Host, records: list[Document], expected: str) -> Finding | None:
    stack, zone = context.stack, uat_record.zone(context)
    seen = [target for record in records for target in uat_record.targets(record)]
    if seen and all(target == expected for target in seen):
        return None
    problem = (
        f"{host.name} in zone {zone} points to {', '.join(sorted(set(seen)))}; the stack's load balancer is {expected}."
        if seen
        else f"The zone {zone} has no address record {host.name}; it should be an alias of {expected}."
    )
    return Finding(
        resource=host.name,
        problem=problem,
        impact=_impact(host, elsewhere=bool(seen)),
        remediation=revert_drift(stack)
        if stack.owns_load_balancer or normalize(stack.parameters["LoadBalancerDnsName"]) == expected
        else f"Deploy with LoadBalancerDnsName={expected} and the LoadBalancerHostedZoneId of that load balancer.",
        confirm=f"aws route53 list-resource-record-sets --hosted-zone-id {zone} --start-record-name '{host.name}' "
        "--max-items 1",
        logical_ids=(host.logical_id,),
    )


def _name(context: CheckContext, host: Host, dns_name: str) -> Finding | None:
    zone = uat_record.zone(context)
    wanted = context.resolve(dns_name)
    if not wanted:
        raise DataUnavailableError(f"the load balancer's own name {dns_name} doesn't resolve here: is DNS working?")
    seen = context.resolve(host.sample)
    if seen & wanted:
        return None
    return Finding(
        resource=host.sample,
        problem=f"{host.sample} resolves to {', '.join(sorted(seen)) or 'no address'}; the load balancer {dns_name} is "
        f"at {', '.join(sorted(wanted))}.",
        impact=_impact(host, elsewhere=bool(seen)),
        remediation=f"The record in zone {zone} is right, but the domain isn't delegated to that zone: delegate it at "
        "the registrar or in the parent zone, or deploy with the HostedZoneId of the zone it is delegated to."
        if zone
        else f"Where the domain is managed, make {host.name} a CNAME of {dns_name}; or deploy with HostedZoneId, so "
        "that the stack manages the record itself.",
        confirm=f"dig +short {host.sample} {dns_name}",
        logical_ids=(host.logical_id,),
    )


def _impact(host: Host, *, elsewhere: bool) -> str:
    return f"Visitors of {host.urls} reach another system." if elsewhere else f"Nobody can open {host.urls}."


CHECK = Check(
    name="dns-record",
    question="Do the sessions' names point to the load balancer?",
    run=run,
    actions=ACTIONS,
)
