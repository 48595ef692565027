"""What a visitor's browser sends, as it arrives from the load balancer; every peer gets the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.proxy.machine import Place

_BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9",
}
_NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Upgrade-Insecure-Requests": "1",
}
_LOAD_BALANCER = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "443",
    "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
}
_WEBSOCKET_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3


@dataclass(frozen=True)
class Target:
    """Where to send a request, and under whose name."""

    place: Place
    host: str
    cookie: str = field(repr=False)

    @property
    def navigation(self) -> dict[str, str]:
        """The headers of a page's request."""
        return {"Host": self.host, "Cookie": self.cookie} | _BROWSER | _NAVIGATION | _LOAD_BALANCER

    def get(self, path: str) -> bytes:
        """Return a page's request as it goes over the wire."""
        return _request(path, self.navigation)

    def websocket(self, path: str) -> bytes:
        """Return the request that opens a WebSocket."""
        handshake = {
            "Origin": f"https://{self.host}",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": _WEBSOCKET_KEY,
        }
        return _request(path, {"Host": self.host, "Cookie": self.cookie} | _BROWSER | handshake | _LOAD_BALANCER)


def _request(path: str, headers: dict[str, str]) -> bytes:
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode()
