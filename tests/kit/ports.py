"""Ports of 127.0.0.1 that nothing listens on: to start a program at, or to find nobody."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from cloud_agent_local.installation import Ports


def free_port() -> int:
    """One port."""
    return _free_ports(1)[0]


def free_ports() -> Ports:
    """A port for each part of local mode."""
    return Ports(**dict(zip(Ports.model_fields, _free_ports(len(Ports.model_fields)), strict=True)))


def _free_ports(count: int) -> list[int]:
    """Taken together, so that they differ."""
    with ExitStack() as taken:
        sockets = [taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in sockets]
