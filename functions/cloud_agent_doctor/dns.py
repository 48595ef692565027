"""DNS: how it spells names, which certificates match them, and the addresses a visitor gets."""

from __future__ import annotations

import socket


def normalize(name: str) -> str:
    r"""Return one spelling for names that are the same to DNS.

    Route 53 writes the asterisk as `\052`, ends names with a dot, and puts `dualstack.` before a load balancer's.
    """
    return name.replace("\\052", "*").lower().rstrip(".").removeprefix("dualstack.")


def certificate_matches(certificate_name: str, name: str) -> bool:
    """Whether a certificate for `certificate_name` is one for `name`, by RFC 6125.

    An asterisk stands for the whole leftmost label and for exactly one. `name` may be a wildcard itself: then all of
    its names must match.
    """
    offered, wanted = normalize(certificate_name).split("."), normalize(name).split(".")
    return len(offered) == len(wanted) and offered[1:] == wanted[1:] and offered[0] in {"*", wanted[0]}


def resolve(host: str) -> frozenset[str]:
    """Return the IPv4 addresses of a host name by this machine's resolver; empty if it has none."""
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        return frozenset()
    return frozenset(str(address[0]) for *_, address in found)
