"""DNS as a visitor meets it."""

from __future__ import annotations

import socket


def resolve(host: str) -> frozenset[str]:
    """Return the IPv4 addresses of a host name by this machine's resolver; empty when it has none."""
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        return frozenset()
    return frozenset(str(address[0]) for *_, address in found)
