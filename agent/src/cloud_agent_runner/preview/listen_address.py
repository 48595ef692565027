"""Where the dev server listens, and where it is reached."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from cloud_agent_runner.task_metadata import task_metadata

DEV_SERVER_PORT = 3000
SECOND_PORT = 23300  # which no program takes by itself
_SHARED_ADDRESS = IPv4Address("127.0.0.1")


@dataclass(frozen=True)
class ListenAddress:
    """`host` is what the dev server binds, `reached_at` is what the proxy (and our probe) connects to.

    `domain` is that of the sessions' public names; nothing where it isn't known. `second_port` is where it's reached
    while `port` is left to another program of the repository.
    """

    host: str
    reached_at: str
    port: int
    domain: str = ""
    second_port: int = SECOND_PORT

    @property
    def at_second_port(self) -> ListenAddress:
        """The address with the second port in place of the first."""
        return replace(self, port=self.second_port)

    @property
    def url(self) -> str:
        """The dev server's address as seen from inside the task."""
        return f"http://{self.reached_at}:{self.port}"

    @property
    def browser_url(self) -> str:
        """The dev server's address for a browser inside the task.

        By this name every dev server takes requests, and browsers count it as secure, as they do the public one.
        """
        return f"http://{self.host if self.is_on_shared_machine else 'localhost'}:{self.port}"

    @property
    def own_host(self) -> str:
        """Where what only the session itself uses listens."""
        return self.host if self.is_on_shared_machine else "127.0.0.1"

    @property
    def is_on_shared_machine(self) -> bool:
        """Whether other sessions' dev servers are on the same machine, as local processes are."""
        return IPv4Address(self.host).is_loopback


async def listen_address(metadata_uri: str | None, domain: str = "") -> ListenAddress:
    """Return where this task's dev server listens.

    Every interface at port 3000, unless the task's own address is a loopback one: then many tasks share one
    machine, and the dev server keeps to that address. Where they share 127.0.0.1 itself (a machine without
    the rest of 127.0.0.0/8), the ports are free ones instead of 3000 and 23300.
    """
    if metadata_uri is None:
        return ListenAddress("0.0.0.0", str(_SHARED_ADDRESS), DEV_SERVER_PORT, domain)  # noqa: S104 - a container's own
    metadata = await task_metadata(metadata_uri)
    own = IPv4Address(metadata["Networks"][0]["IPv4Addresses"][0])
    if not own.is_loopback:
        return ListenAddress("0.0.0.0", str(own), DEV_SERVER_PORT, domain)  # noqa: S104 - a container's own network
    if own == _SHARED_ADDRESS:
        return ListenAddress(str(own), str(own), _free_port(), domain, _free_port())
    return ListenAddress(str(own), str(own), DEV_SERVER_PORT, domain)


def _free_port() -> int:
    with socket.create_server((str(_SHARED_ADDRESS), 0)) as server:
        port: int = server.getsockname()[1]
        return port
