"""TLS to dev servers that take nothing else. Their certificates are of their own making, on this same machine."""

from __future__ import annotations

import asyncio
import ssl

_HANDSHAKE_SECONDS = 5.0
_NAME = "localhost"  # what such a certificate is made for, and a server may know itself by
_PLAIN_TO_TLS = (b"\x15\x03", b"to an HTTPS server", b"was sent to HTTPS port")  # an alert; Go's words; nginx'


async def open_tls(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection over TLS, whoever the certificate is of.

    Raises:
        OSError: nobody takes it, or not over TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with asyncio.timeout(_HANDSHAKE_SECONDS):
        return await asyncio.open_connection(host, port, ssl=context, server_hostname=_NAME)


async def speaks_tls(host: str, port: int) -> bool:
    """Say whether there is a server that takes connections over TLS."""
    try:
        _, writer = await open_tls(host, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    return True


def refuses_plain(response: bytes) -> bool:
    """Say whether a server's first bytes are what one for TLS says to others: nothing, mostly."""
    return (
        not response or response.startswith(_PLAIN_TO_TLS[0]) or any(words in response for words in _PLAIN_TO_TLS[1:])
    )
