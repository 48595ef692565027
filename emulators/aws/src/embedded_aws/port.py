"""Whether the embedded AWS can have its port, asked before anything is touched."""

from __future__ import annotations

import socket


class PortInUseError(Exception):
    """Something listens on the port already, or it may not be listened on."""


def require_free_port(host: str, port: int) -> None:
    """Return if the port can be listened on.

    Raises:
        PortInUseError: It cannot.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUseError(
                f"{host}:{port} cannot be listened on ({error.strerror}). Stop what uses it or choose another --port."
            ) from error
