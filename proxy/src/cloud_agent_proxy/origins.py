"""Origins, `https://host[:port]`, of the hosts below the UAT domain."""

from __future__ import annotations

from urllib.parse import urlsplit


def origin_below(uat_domain: str, name: str, origin: str) -> str:
    """Return the origin of the host of this name, for who reached us by `origin`: of that, scheme and port are kept."""
    parts = urlsplit(origin)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{name}.{uat_domain}{port}"
