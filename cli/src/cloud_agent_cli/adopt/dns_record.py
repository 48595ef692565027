"""The DNS record of the session URLs: CloudFormation can't import it, so it's only reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent_cli.adopt.search import Search
    from cloud_agent_doctor.engine.aws import Aws


@dataclass(frozen=True)
class Record:
    """The id of its hosted zone, and the names or addresses that it leads to."""

    zone: str
    leads_to: list[str]


def record(aws: Aws, search: Search) -> Record | None:
    """Return the record of the sessions' host names in one of the account's hosted zones.

    Raises:
        DataUnavailableError: AWS refused or did not respond.
    """
    names = search.domain.split(".")
    domains = {f"{'.'.join(names[start:])}." for start in range(len(names))} | {f"uat.{search.domain}."}
    for zone in aws.describe_all("route53", "list_hosted_zones", "HostedZones"):
        if zone["Name"] in domains and not zone.get("Config", {}).get("PrivateZone"):
            zone_id = zone["Id"].removeprefix("/hostedzone/")
            for each in aws.describe_all(
                "route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id
            ):
                # Route 53 writes an asterisk as its octal code.
                if each["Name"].replace("\\052", "*") == f"{search.host_name}.":
                    alias = [each["AliasTarget"]["DNSName"]] if "AliasTarget" in each else []
                    return Record(zone_id, alias + [one["Value"] for one in each.get("ResourceRecords", [])])
    return None
