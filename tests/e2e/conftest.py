"""One whole system for the folder: the real `sam deploy`, real processes, on ports and in a folder of its own."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from tests.e2e.system import System

from cloud_agent_local import up as lifecycle
from cloud_agent_local.installation import Ports

if TYPE_CHECKING:
    from collections.abc import Iterator


def free_ports() -> Ports:
    """Four ports that nothing listens on; taken together, so that they differ."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        numbers = [one.getsockname()[1] for one in sockets]
    return Ports(aws=numbers[0], github=numbers[1], model=numbers[2], proxy=numbers[3])


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The running system."""
    installation = lifecycle.up(tmp_path_factory.mktemp("system"), free_ports())
    try:
        yield System(installation)
    finally:
        lifecycle.down(installation)
