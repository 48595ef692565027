"""Host names as DNS, Route 53 and certificates spell them."""

from __future__ import annotations


def plain(name: str) -> str:
    r"""One spelling for names that are the same to DNS.

    Route 53 writes the asterisk as `\052`, ends names with a dot, and puts `dualstack.` before a load balancer's.
    """
    return name.replace("\\052", "*").lower().rstrip(".").removeprefix("dualstack.")


def covers(certificate_name: str, name: str) -> bool:
    """Whether a certificate for `certificate_name` is one for `name`, by RFC 6125.

    An asterisk stands for the whole leftmost label and for exactly one. `name` may be a wildcard itself: then all of
    its names are meant.
    """
    offered, wanted = plain(certificate_name).split("."), plain(name).split(".")
    return len(offered) == len(wanted) and offered[1:] == wanted[1:] and offered[0] in {"*", wanted[0]}
