"""The DNS record that sends visitors to a load balancer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.stack.names import plain

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]

ACTION = "route53:ListResourceRecordSets"


def zone(examination: Examination) -> str:
    """Return the id of the hosted zone that the stack was given; empty when the name is managed elsewhere."""
    return examination.stack.parameters.get("HostedZoneId", "")


def name(examination: Examination) -> str:
    """`*.uat.<domain>`."""
    return f"*.{examination.stack.uat_domain}"


def sample(examination: Examination) -> str:
    """Return a name under the wildcard that no session has: ids are hexadecimal."""
    return f"doctor.{examination.stack.uat_domain}"


def records(examination: Examination) -> list[Document] | None:
    """Return the records that lead this name to an address; None when there is no such zone.

    Raises:
        CannotLookError: Route 53 refused or did not answer.
    """
    wanted = name(examination)
    # Records of one name stand together, and Route 53 begins its answer with the one that was named.
    page = examination.aws.ask(
        "route53",
        "list_resource_record_sets",
        missing=["NoSuchHostedZone"],
        HostedZoneId=zone(examination),
        StartRecordName=wanted,
    )
    if page is None:
        return None
    return [
        record
        for record in page["ResourceRecordSets"]
        if plain(record["Name"]) == wanted and record["Type"] in {"A", "AAAA", "CNAME"}
    ]


def targets(record: Document) -> tuple[str, ...]:
    """Return the names or addresses that a record leads to."""
    if "AliasTarget" in record:
        return (plain(record["AliasTarget"]["DNSName"]),)
    return tuple(plain(value["Value"]) for value in record.get("ResourceRecords", ()))
