"""A security group's rules: one peer each, and what they admit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    Document = dict[str, Any]

_ALL_PROTOCOLS = "-1"
_ALL_PORTS = 65535


class PeerKind(StrEnum):
    """What a rule's peer is."""

    GROUP = "security group"
    RANGE = "address range"
    PREFIX_LIST = "prefix list"


@dataclass(frozen=True)
class Peer:
    """Who a rule admits, or lets traffic out to."""

    kind: PeerKind
    name: str

    def __str__(self) -> str:
        """Return it as text."""
        return f"{self.kind} {self.name}"

    def holds(self, cidr: str) -> bool:
        """Whether it's a range with all of the addresses of `cidr`."""
        return self._is_range_like(cidr) and _hosts(self.name) >= _hosts(cidr) and self.meets(cidr)

    def meets(self, cidr: str) -> bool:
        """Whether it's a range with any of the addresses of `cidr`."""
        return self._is_range_like(cidr) and ip_network(self.name).overlaps(ip_network(cidr, strict=False))

    def _is_range_like(self, cidr: str) -> bool:
        return self.kind is PeerKind.RANGE and ip_network(self.name).version == ip_network(cidr, strict=False).version


@dataclass(frozen=True)
class SecurityGroupRule:
    """One rule for one peer: the ports from `first` to `last`, both included."""

    protocol: str
    first: int
    last: int
    peer: Peer

    def admits(self, port: int) -> bool:
        """Whether it admits TCP on this port."""
        return self.protocol in {"tcp", _ALL_PROTOCOLS} and self.first <= port <= self.last

    def is_just(self, port: int, peers: Iterable[Peer]) -> bool:
        """Whether it admits one of the peers on this TCP port, and nothing else."""
        return (self.protocol, self.first, self.last) == ("tcp", port, port) and self.peer in set(peers)

    @property
    def what(self) -> str:
        """What it admits, as text."""
        if self.protocol == _ALL_PROTOCOLS:
            return "everything"
        ports = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} {ports}"


def group(group_id: str) -> Peer:
    """Return a security group as a peer."""
    return Peer(PeerKind.GROUP, group_id)


def address_range(cidr: str) -> Peer:
    """Return a range as a peer, as EC2 writes it: without bits beyond its mask."""
    return Peer(PeerKind.RANGE, str(ip_network(cidr, strict=False)))


def read_rules(permissions: Iterable[Document]) -> tuple[SecurityGroupRule, ...]:
    """Return the rules of one direction of a security group, as DescribeSecurityGroups describes them."""
    return tuple(
        SecurityGroupRule(permission["IpProtocol"], *_ports(permission), peer)
        for permission in permissions
        for peer in _peers(permission)
    )


def allows_egress(permissions: Iterable[Document], port: int, to: str, vpc_cidr: str) -> bool:
    """Whether a group lets TCP out to a port of the tasks in group `to`, which are in the VPC.

    A range that covers only part of the VPC, and a prefix list, are assumed to cover the tasks: target health shows
    whether they do.
    """
    return any(
        opening.admits(port)
        and (opening.peer == group(to) or opening.peer.kind is PeerKind.PREFIX_LIST or opening.peer.meets(vpc_cidr))
        for opening in read_rules(permissions)
    )


def _ports(permission: Document) -> tuple[int, int]:
    if permission["IpProtocol"] == _ALL_PROTOCOLS:
        return 0, _ALL_PORTS
    return permission.get("FromPort", 0), permission.get("ToPort", _ALL_PORTS)


def _peers(permission: Document) -> list[Peer]:
    return [
        *(group(pair["GroupId"]) for pair in permission.get("UserIdGroupPairs", ())),
        *(address_range(one["CidrIp"]) for one in permission.get("IpRanges", ())),
        *(address_range(one["CidrIpv6"]) for one in permission.get("Ipv6Ranges", ())),
        *(Peer(PeerKind.PREFIX_LIST, one["PrefixListId"]) for one in permission.get("PrefixListIds", ())),
    ]


def _hosts(cidr: str) -> int:
    return ip_network(cidr, strict=False).num_addresses
