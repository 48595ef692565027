"""Does the wildcard name point to the load balancer?

If the stack was given a hosted zone, checks the zone's record `*.uat.<domain>`: it must exist and be an alias (or a
CNAME) of the stack's load balancer. Then resolves a name under the wildcard as a visitor would: it must have
addresses, and they must be the load balancer's. That also catches a zone the domain isn't delegated to, and names
managed outside the stack.

A wrong record sends every visitor to another system, or nowhere, while everything behind it is healthy. The stack
restores a record of its own; a name managed elsewhere has to be fixed there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_doctor.dns import normalize
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.load_balancer.in_use import ACTIONS, intended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_LOGICAL_IDS = ("UatRecord",)


def run(context: CheckContext) -> Iterator[Finding]:
    """Find a record that's missing or points elsewhere, and a name that resolves elsewhere."""
    stack = context.stack
    if stack.parameters.get("UatUrl"):
        raise NotApplicableError(f"visitors use {stack.parameters['UatUrl']} (parameter UatUrl)")
    load_balancer = intended(context)
    # The output still has the name of a deleted one: it tells whether the record is the stack's.
    expected = load_balancer.dns_name if load_balancer else stack.outputs.get("LoadBalancerDnsName", "")
    if uat_record.zone(context):
        wrong = _record(context, normalize(expected))
        if wrong:
            yield wrong
            return
    if load_balancer is not None:
        yield from _name(context, load_balancer.dns_name)


def _record(context: CheckContext, expected: str) -> Finding | None:
    stack, zone, name = context.stack, uat_record.zone(context), uat_record.name(context)
    records = uat_record.records(context)
    if records is None:
        return Finding(
            resource=zone,
            problem=f"There is no hosted zone {zone} (parameter HostedZoneId), so there is no record {name}.",
            impact=f"No name under {stack.uat_domain} resolves: no session URL opens.",
            remediation="Deploy with the HostedZoneId of the zone the domain is delegated to, or with an empty one if "
            "the name is managed elsewhere.",
            confirm=f"aws route53 get-hosted-zone --id {zone}",
            logical_ids=_LOGICAL_IDS,
        )
    seen = [target for record in records for target in uat_record.targets(record)]
    if seen and all(target == expected for target in seen):
        return None
    problem = (
        f"{name} in zone {zone} points to {', '.join(sorted(set(seen)))}; the stack's load balancer is {expected}."
        if seen
        else f"The zone {zone} has no address record {name}; it should be an alias of {expected}."
    )
    return Finding(
        resource=name,
        problem=problem,
        impact="Visitors of session URLs reach another system." if seen else "No session URL opens.",
        remediation=revert_drift(stack)
        if stack.owns_load_balancer or normalize(stack.parameters["LoadBalancerDnsName"]) == expected
        else f"Deploy with LoadBalancerDnsName={expected} and the LoadBalancerHostedZoneId of that load balancer.",
        confirm=f"aws route53 list-resource-record-sets --hosted-zone-id {zone} --start-record-name '{name}' "
        "--max-items 1",
        logical_ids=_LOGICAL_IDS,
    )


def _name(context: CheckContext, dns_name: str) -> Iterator[Finding]:
    host, zone = uat_record.sample(context), uat_record.zone(context)
    wanted = context.resolve(dns_name)
    if not wanted:
        raise DataUnavailableError(f"the load balancer's own name {dns_name} doesn't resolve here: is DNS working?")
    seen = context.resolve(host)
    if seen & wanted:
        return
    name = uat_record.name(context)
    yield Finding(
        resource=host,
        problem=f"{host} resolves to {', '.join(sorted(seen)) or 'no address'}; the load balancer {dns_name} is at "
        f"{', '.join(sorted(wanted))}.",
        impact="Visitors of session URLs reach another system." if seen else "No session URL opens.",
        remediation=f"The record in zone {zone} is right, but the domain isn't delegated to that zone: delegate it at "
        "the registrar or in the parent zone, or deploy with the HostedZoneId of the zone it is delegated to."
        if zone
        else f"Where the domain is managed, make {name} a CNAME of {dns_name}; or deploy with HostedZoneId, so that "
        "the stack manages the record itself.",
        confirm=f"dig +short {host} {dns_name}",
        logical_ids=_LOGICAL_IDS,
    )


CHECK = Check(
    name="dns-record",
    question="Does the wildcard name point to the load balancer?",
    run=run,
    actions=ACTIONS,
)
