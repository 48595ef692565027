"""The measurements: what is done to each peer, in which order and how often."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.proxy import peers
from tests.bench.proxy.load import Load, LoadFailedError, load
from tests.bench.proxy.machine import NotStartedError, cpu_seconds, resident_megabytes
from tests.bench.proxy.ours import DOMAIN, SESSIONS, OurProxy, cookie, our_proxy, ours
from tests.bench.proxy.peers import Peer, Site
from tests.bench.proxy.programs import UnavailableError
from tests.bench.proxy.websocket_load import WebSocketRefusedError, echo_times_ms, idle_websockets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import psutil
    from tests.bench.proxy.figures import Figures
    from tests.bench.proxy.machine import LoopbackNetwork
    from tests.bench.proxy.upstream import Upstream
    from tests.bench.proxy.visitor import Target

OURS, BARE, DIRECT = "ours", "bare HAProxy", "direct"
ENVOY, CHP = "Envoy", "configurable-http-proxy"
CONNECTIONS = (1, 32, 256)
_CPU_AT = 32
_MEMORY_SETTLES_SECONDS = 2
_FAILURES = (LoadFailedError, WebSocketRefusedError, OSError)  # TimeoutError is an OSError


@dataclass(frozen=True)
class Plan:
    """How long and how often."""

    rounds: int
    seconds: dict[int, int]
    """Of load, by the number of connections."""
    echoes: int
    websockets: tuple[int, ...]
    first_visits: int
    sizes: tuple[int, ...]
    size_rounds: int


FULL = Plan(
    rounds=5,
    seconds={1: 2, 32: 3, 256: 2},
    echoes=1000,
    websockets=(1_000, 9_000),
    first_visits=50,
    sizes=(30, 10_000, 100_000),
    size_rounds=5,
)
QUICK = Plan(
    rounds=1,
    seconds={1: 1, 32: 2, 256: 1},
    echoes=200,
    websockets=(1_000,),
    first_visits=10,
    sizes=(30, 10_000),
    size_rounds=1,
)


@dataclass(frozen=True)
class Bench:
    """What every measurement stands on."""

    network: LoopbackNetwork
    upstream: Upstream
    dynamodb: str
    folder: Path
    python: Path
    """What runs our control plane."""

    @property
    def starts(self) -> dict[str, Callable[[Path], AbstractContextManager[Peer]]]:
        """How each peer is started in a new folder, by its name."""
        session_ids = [f"5e55{number:04x}" for number in range(SESSIONS)]
        visits = [(f"{id_}.{DOMAIN}", f"__Host-uat-access={cookie(id_)}; theme=dark") for id_ in session_ids]
        site = Site(self.network, self.upstream, visits)
        return {
            OURS: partial(ours, self.python, site, self.dynamodb),
            BARE: partial(peers.bare_haproxy, site),
            "nginx": partial(peers.nginx, site),
            ENVOY: partial(peers.envoy, site),
            "Caddy": partial(peers.caddy, site),
            CHP: partial(peers.configurable_http_proxy, site),
            DIRECT: partial(peers.direct, site),
        }

    def our_proxy(self, folder: str) -> AbstractContextManager[OurProxy]:
        """Start our proxy, with no session yet, in a new folder of that name."""
        return our_proxy(self.python, self.network, self.upstream, self.dynamodb, self.folder / folder)


def compare(bench: Bench, plan: Plan, figures: Figures) -> None:
    """Measure all peers in turn, round after round, so that what else the machine does meets all alike."""
    with contextlib.ExitStack() as running:
        started = {}
        for name, start in bench.starts.items():
            try:
                started[name] = running.enter_context(start(bench.folder / f"compare {name}"))
            except (UnavailableError, NotStartedError) as error:
                figures.unavailable[name] = str(error)
        for name, peer in started.items():  # code is compiled, pools are filled
            with _failure_noted(name, figures):
                load(peer.pages, "/", bench.folder, connections=_CPU_AT, seconds=1)
        for _ in range(plan.rounds):
            for name, peer in started.items():
                _measure_speed(name, peer, bench.folder, plan, figures)


def _measure_speed(name: str, peer: Peer, folder: Path, plan: Plan, figures: Figures) -> None:
    for connections in CONNECTIONS:
        result = cpu = None
        with _failure_noted(name, figures):
            result, cpu = _load_and_cpu(
                peer.process, peer.pages, folder, connections=connections, seconds=plan.seconds[connections]
            )
        figures.add(name, f"p50_ms at {connections}", result.p50_ms if result else None)
        figures.add(name, f"p99_ms at {connections}", result.p99_ms if result else None)
        if connections == _CPU_AT:
            figures.add(name, "cpu_us", cpu)
            figures.add(name, "requests_per_second", result.requests / result.seconds if result else None)
    download = echo = None
    with _failure_noted(name, figures):
        download = load(peer.streams[:1], "/download", folder, connections=1, seconds=plan.seconds[1])
    figures.add(name, "download_mb_per_second", download.bytes / 1e6 / download.seconds if download else None)
    with _failure_noted(name, figures):
        echo = statistics.median(echo_times_ms(peer.streams[0], plan.echoes))
    figures.add(name, "echo_ms", echo)


def _load_and_cpu(
    process: psutil.Process | None, targets: Sequence[Target], folder: Path, *, connections: int, seconds: int
) -> tuple[Load, float | None]:
    """Return what came of the load, and the microseconds of CPU that the process and its children took a request."""
    before = cpu_seconds(process) if process else 0
    result = load(targets, "/", folder, connections=connections, seconds=seconds)
    return result, (cpu_seconds(process) - before) / result.requests * 1e6 if process else None


async def measure_memory(bench: Bench, plan: Plan, figures: Figures) -> None:
    """Start each peer anew and fill it with WebSockets that say nothing."""
    for name, start in bench.starts.items():
        if name == DIRECT or name in figures.unavailable:
            continue
        with _failure_noted(name, figures), start(bench.folder / f"memory {name}") as peer:
            assert peer.process
            echo_times_ms(peer.streams[0], 1)
            await asyncio.sleep(_MEMORY_SETTLES_SECONDS)
            _note_memory(name, "idle", peer.process, figures)
            async with idle_websockets(peer.streams) as websockets:
                for count in plan.websockets:
                    await websockets.open_up_to(count)
                    await asyncio.sleep(_MEMORY_SETTLES_SECONDS)
                    _note_memory(name, f"with {count}", peer.process, figures)


def _note_memory(name: str, state: str, process: psutil.Process, figures: Figures) -> None:
    memory = resident_megabytes(process)
    figures.add(name, f"mb {state}", sum(memory.values()))
    if name == OURS:
        data_plane = memory.pop("haproxy")
        figures.add("ours: HAProxy", f"mb {state}", data_plane)
        figures.add("ours: control plane", f"mb {state}", sum(memory.values()))


def measure_sizes(bench: Bench, plan: Plan, figures: Figures) -> None:
    """Run our proxy with few and many sessions in HAProxy's map, and visit as few of them each time.

    The visited ones have rows and come into the map by their first visit, the others through the runtime API.
    """
    with contextlib.ExitStack() as running:
        proxies: dict[int, tuple[OurProxy, list[Target]]] = {}
        for size in plan.sizes:
            proxy = running.enter_context(bench.our_proxy(f"{size} sessions"))
            targets = [proxy.new_session() for _ in range(SESSIONS)]
            load(targets, "/", bench.folder, connections=SESSIONS, seconds=1)
            proxy.load_map(size - SESSIONS)
            proxies[size] = proxy, targets
        for _ in range(plan.size_rounds):
            for size, (proxy, targets) in proxies.items():
                result, cpu = _load_and_cpu(
                    proxy.haproxy(), targets, bench.folder, connections=_CPU_AT, seconds=plan.seconds[_CPU_AT]
                )
                name = f"{size} sessions"
                figures.add(name, "cpu_us", cpu)
                figures.add(name, "requests_per_second", result.requests / result.seconds)
                figures.add(name, "mb", resident_megabytes(proxy.haproxy())["haproxy"])


def measure_first_visits(bench: Bench, plan: Plan, figures: Figures) -> None:
    """Write a session's row and visit it at once; compare with a session that is known."""
    with bench.our_proxy("first visits") as proxy:
        known = proxy.new_session()
        _first_byte_ms(known)
        for _ in range(plan.first_visits):
            figures.add("a new session", "first_byte_ms", _first_byte_ms(proxy.new_session()))
            figures.add("a known session", "first_byte_ms", _first_byte_ms(known))


def _first_byte_ms(target: Target) -> float:
    began = time.perf_counter()
    with socket.create_connection((target.place.address, target.place.port), 10) as connection:
        connection.sendall(target.get("/"))
        first = connection.recv(65_536)
    took = (time.perf_counter() - began) * 1000
    if not first.startswith(b"HTTP/1.1 200 "):
        raise LoadFailedError(f"http://{target.host}/ answered {first[:80]!r}")
    return took


@contextlib.contextmanager
def _failure_noted(name: str, figures: Figures) -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        figures.fail(name, str(error) or repr(error))
