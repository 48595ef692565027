"""The DNS records that send visitors to a load balancer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.dns import normalize

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.context import CheckContext

    Document = dict[str, Any]

ACTION = "route53:ListResourceRecordSets"


def zone(context: CheckContext) -> str:
    """Return the id of the hosted zone the stack was given; empty if the name is managed elsewhere."""
    return context.stack.parameters.get("HostedZoneId", "")


def name(context: CheckContext) -> str:
    """`*.uat.<domain>`."""
    return f"*.{context.stack.uat_domain}"


def sample(context: CheckContext) -> str:
    """Return a name under the wildcard that no session has: ids are hexadecimal."""
    return f"doctor.{context.stack.uat_domain}"


@dataclass(frozen=True)
class Host:
    """What visitors come by, which record, rule and certificate have to name."""

    name: str
    sample: str
    """A name that it stands for, to be resolved."""
    urls: str
    """What to call its URLs in a sentence."""
    logical_id: str
    """The stack's resource that is its record."""


def hosts(context: CheckContext) -> list[Host]:
    """Return the sessions' names and, with IndexAtUatDomain, the one above them: no wildcard stands for it."""
    domain = context.stack.uat_domain
    found = [Host(name(context), sample(context), "session URLs", "UatRecord")]
    if context.stack.has_index_at_uat_domain:
        found.append(Host(domain, domain, f"https://{domain}/", "UatDomainRecord"))
    return found


def records(context: CheckContext, wanted: str) -> list[Document] | None:
    """Return the address records of this name; None if there's no such zone.

    Raises:
        DataUnavailableError: Route 53 refused or didn't respond.
    """
    # Route 53 sorts records by name and starts its response at the given one.
    page = context.aws.describe(
        "route53",
        "list_resource_record_sets",
        missing=["NoSuchHostedZone"],
        HostedZoneId=zone(context),
        StartRecordName=wanted,
    )
    if page is None:
        return None
    return [
        record
        for record in page["ResourceRecordSets"]
        if normalize(record["Name"]) == wanted and record["Type"] in {"A", "AAAA", "CNAME"}
    ]


def targets(record: Document) -> tuple[str, ...]:
    """Return the names or addresses a record points to."""
    if "AliasTarget" in record:
        return (normalize(record["AliasTarget"]["DNSName"]),)
    return tuple(normalize(value["Value"]) for value in record.get("ResourceRecords", ()))
