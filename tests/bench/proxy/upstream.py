"""What every peer leads to: a 1 KB page from HAProxy, the cheapest server at hand; downloads and WebSockets."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.proxy.machine import OTHER_CORE, LoopbackNetwork, Place, program

from cloud_agent_proxy.haproxy_program import haproxy_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE = b"<!doctype html><title>1 KB</title>".ljust(1024, b".")
_ADDRESSES = 60  # above the sessions of any one proxy that is measured
_ADDRESSES_OF_STREAMS = 20
_ROOT = Path(__file__).parents[3]
_HAPROXY = """
global
    nbthread 1
    maxconn 9000
defaults
    mode http
    timeout client 300s
    timeout http-keep-alive 300s
frontend page
    bind {pages} proto h1
    http-request return status 200 content-type text/html file page.html
"""


@dataclass(frozen=True)
class Upstream:
    """Where the page is, and where downloads and WebSockets are."""

    pages: Sequence[Place]
    """The same server at an address for each of a proxy's sessions: two that claim one address are not routed."""
    all_streams: Sequence[Place]
    """The same, of the other server."""

    @property
    def page(self) -> Place:
        """Where the page is for who leads to one place."""
        return self.pages[0]

    @property
    def streams(self) -> Place:
        """Where downloads and WebSockets are for who leads to one place."""
        return self.all_streams[0]


@contextlib.contextmanager
def upstream(network: LoopbackNetwork, folder: Path) -> Iterator[Upstream]:
    """Serve on the other core for as long as the block runs.

    Raises:
        NotStartedError: one of the two servers did not come up.
    """
    pages = [Place(network.new_address(), 3000) for _ in range(_ADDRESSES)]
    streams_at = [Place(network.new_address(), 3001) for _ in range(_ADDRESSES_OF_STREAMS)]
    places = Upstream(pages, streams_at)
    folder.mkdir()
    (folder / "page.html").write_bytes(PAGE)
    configuration = folder / "haproxy.cfg"
    configuration.write_text(_HAPROXY.format(pages=",".join(map(str, places.pages))))
    haproxy = [haproxy_program(), "-db", "-f", configuration]
    streams = [sys.executable, "-m", "tests.bench.proxy.streams", "3001", *(place.address for place in streams_at)]
    with (
        program(haproxy, places.pages, folder, core=OTHER_CORE),
        program(
            streams, places.all_streams, folder / "streams", core=OTHER_CORE, environment={"PYTHONPATH": str(_ROOT)}
        ),
    ):
        yield places
