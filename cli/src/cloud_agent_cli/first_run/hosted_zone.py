"""Is the hosted zone the one that the internet asks for the domain?

CloudFormation creates records in any zone of the account, also in one that nobody asks: the domain's registrar, or the
zone above, must name this zone's name servers. Compares them with what this machine's resolver finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.resolver
from dns.exception import DNSException

from cloud_agent_cli.first_run.deployment import parameter
from cloud_agent_doctor.dns import normalize
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_TIMEOUT_SECONDS = 10


def name_servers(zone: str) -> frozenset[str]:
    """Return the name servers of a zone by this machine's resolver; none if it's no zone.

    Raises:
        DataUnavailableError: no resolver answered.
    """
    try:
        found = dns.resolver.resolve(zone, "NS", lifetime=_TIMEOUT_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return frozenset()
    except DNSException as error:
        raise DataUnavailableError(f"the name servers of {zone} can't be looked up: {error}") from error
    return frozenset(normalize(str(one)) for one in found)


def run(context: CheckContext) -> Iterator[Finding]:
    """Find a zone that isn't there, isn't the domain's, or isn't delegated to."""
    zone_id, domain = context.stack.parameters["HostedZoneId"], parameter(context.stack, "DomainName")
    if not zone_id:
        raise NotApplicableError(f"HostedZoneId is empty: point *.uat.{domain} at the load balancer yourself")
    zone = context.aws.describe("route53", "get_hosted_zone", missing=["NoSuchHostedZone"], Id=zone_id)
    if zone is None:
        yield _finding(zone_id, "There's no such hosted zone in this account.", "Deploy with the id of one.")
        return
    name = normalize(zone["HostedZone"]["Name"])
    if zone["HostedZone"].get("Config", {}).get("PrivateZone"):
        yield _finding(zone_id, f"The hosted zone {name} is private.", "Deploy with the id of the domain's public one.")
    elif not f".{domain}".endswith(f".{name}"):
        yield _finding(
            zone_id, f"The hosted zone is {name}, and not {domain}'s.", "Deploy with the id of its own zone."
        )
    else:
        ours, found = {normalize(one) for one in zone["DelegationSet"]["NameServers"]}, name_servers(name)
        if not ours & found:
            asked = ", ".join(sorted(found)) or "nobody"
            yield _finding(
                zone_id,
                f"The hosted zone {name} isn't delegated to: the internet asks {asked}.",
                f"Set the domain's name servers, at its registrar or in the zone above, to {', '.join(sorted(ours))}.",
            )


def _finding(zone_id: str, problem: str, remediation: str) -> Finding:
    return Finding(
        resource=zone_id,
        problem=problem,
        impact="No session's URL resolves, and no certificate is validated by DNS.",
        remediation=remediation,
        confirm=f"aws route53 get-hosted-zone --id {zone_id}",
    )


CHECK = Check(
    name="hosted-zone",
    question="Is the hosted zone the one that the internet asks for the domain?",
    run=run,
    actions=("route53:GetHostedZone",),
)
