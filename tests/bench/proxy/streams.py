"""The upstream of downloads and WebSockets: `python -m tests.bench.proxy.streams PORT ADDRESS...`.

`GET /download` is answered with 10 MB, `GET /echo` with a WebSocket that sends each message back. It knows just as
much of HTTP and WebSockets as the harness says to it: one request or one short, whole frame at a time.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys

DOWNLOAD_BYTES = 10_000_000
_BODY = bytes(DOWNLOAD_BYTES)
_HEAD_END = b"\r\n\r\n"
_ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_MASKED_HEADER = 6  # two bytes of a short frame's header and four of its mask, which the harness leaves at zero


class _Visitor(asyncio.Protocol):
    def __init__(self) -> None:
        self._is_websocket = False
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._is_websocket:
            message = data[_MASKED_HEADER:]
            self._transport.write(bytes((data[0], len(message))) + message)
            return
        self._unread += data
        if not self._unread.endswith(_HEAD_END):
            return
        head, self._unread = self._unread, b""
        if head.startswith(b"GET /echo "):
            self._is_websocket = True
            self._transport.write(_switch_protocols(head))
        else:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % DOWNLOAD_BYTES)
            self._transport.write(_BODY)


def _switch_protocols(head: bytes) -> bytes:
    headers = dict(line.split(b": ", 1) for line in head[: -len(_HEAD_END)].split(b"\r\n")[1:])
    key = next(value for name, value in headers.items() if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _ACCEPT_GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + _HEAD_END
    )


async def _serve(addresses: list[str], port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Visitor, addresses, port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[2:], int(sys.argv[1])))
