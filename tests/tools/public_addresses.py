"""The addresses of the internet as ranges, for security groups, whose rules can only allow.

Run as a program it prints the rules of template.yaml's `AgentEgress: internet`, which a test holds to this module.
"""

from __future__ import annotations

import sys
from ipaddress import IPv4Network, collapse_addresses

# Where something of a company's own, or of the task's host, may be. Addresses that nobody can have, 0.0.0.0/8 and the
# ranges for documentation, stay in ("IANA IPv4 Special-Purpose Address Registry"): each hole costs rules, of which a
# security group may have 60 ("Amazon VPC: Amazon VPC quotas").
NOT_PUBLIC = {
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by carriers, and by AWS for pods",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local: the task's metadata and credentials",
    "172.16.0.0/12": "private",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmarks, and a VPC may have it",
    "224.0.0.0/3": "multicast, reserved, broadcast",
}


def public_ranges() -> list[IPv4Network]:
    """Return the fewest ranges that hold every IPv4 address but those of `NOT_PUBLIC`."""
    ranges = [IPv4Network("0.0.0.0/0")]
    for hole in map(IPv4Network, NOT_PUBLIC):
        ranges = [part for one in ranges for part in (one.address_exclude(hole) if hole.subnet_of(one) else [one])]
    return list(collapse_addresses(ranges))


if __name__ == "__main__":
    sys.stdout.writelines(
        f"- {{ IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: {each}, Description: internet }}\n"
        for each in public_ranges()
    )
