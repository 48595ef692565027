"""The harness itself: its arithmetic, its report, and that every peer at hand serves what it is measured with."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.bench.proxy.figures import Figures, Goal
from tests.bench.proxy.machine import LoopbackNetwork
from tests.bench.proxy.measures import BARE, CHP, DIRECT, ENVOY, OURS, QUICK, Bench
from tests.bench.proxy.ours import dynamodb
from tests.bench.proxy.programs import CACHE, UnavailableError
from tests.bench.proxy.report import goals, report
from tests.bench.proxy.streams import DOWNLOAD_BYTES
from tests.bench.proxy.upstream import PAGE, upstream
from tests.bench.proxy.websocket_load import echo_times_ms, idle_websockets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.proxy.visitor import Target

PEERS = (OURS, BARE, "nginx", ENVOY, "Caddy", CHP, DIRECT)
INSTALLED_BY_A_BENCHMARK = {ENVOY: "python/bin/envoy", "Caddy": "python/bin/caddy", CHP: "node/node_modules"}


def get(target: Target, path: str) -> bytes:
    """Return a response's body."""
    with socket.create_connection((target.place.address, target.place.port), 10) as connection:
        connection.sendall(target.get(path))
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        parts = [body]
        missing = int(length.split(b":")[1]) - len(body)
        while missing:
            part = connection.recv(65_536)
            assert part, f"{missing} bytes are missing"
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    network = LoopbackNetwork()
    with upstream(network, folder / "upstream") as places, dynamodb(network, folder / "dynamodb") as endpoint:
        yield Bench(network, places, endpoint, folder, Path(sys.executable))


@pytest.mark.parametrize("name", PEERS)
async def test_a_peer_serves_the_page_the_download_and_websockets(bench: Bench, name: str) -> None:
    if name in INSTALLED_BY_A_BENCHMARK and not (CACHE / INSTALLED_BY_A_BENCHMARK[name]).exists():
        pytest.skip(f"{name} is installed by the first benchmark")
    try:
        with bench.starts[name](bench.folder / name) as peer:
            assert get(peer.pages[-1], "/") == PAGE
            assert len(get(peer.streams[0], "/download")) == DOWNLOAD_BYTES
            assert len(echo_times_ms(peer.streams[0], 3)) == 3
            async with idle_websockets(peer.streams) as websockets:
                await websockets.open_up_to(5)
    except UnavailableError as error:
        pytest.skip(str(error))


def test_every_peer_is_tested_here(bench: Bench) -> None:
    assert list(PEERS) == list(bench.starts)


def test_a_ratio_compares_values_of_the_same_round() -> None:
    figures = Figures()
    for mine, other in ((10, 5), (100, 50), (30, 10), (None, 7), (8, None)):
        figures.add(OURS, "cpu_us", mine)
        figures.add(BARE, "cpu_us", other)

    assert figures.ratio(OURS, BARE, "cpu_us") == 2.0
    assert figures.median(OURS, "cpu_us") == 20.0


def test_what_was_not_measured_has_no_median() -> None:
    figures = Figures()
    figures.add(OURS, "cpu_us", None)

    assert figures.median(OURS, "cpu_us") is None
    assert figures.median(BARE, "cpu_us") is None
    assert figures.ratio(OURS, BARE, "cpu_us") is None


@pytest.mark.parametrize(
    ("value", "verdict"), [(1.6, "reached"), (1.61, "NOT reached"), (-3.0, "reached"), (None, "not measured")]
)
def test_a_goal_is_reached_up_to_its_limit(value: float | None, verdict: str) -> None:
    assert verdict == Goal("CPU", 1.6, value).verdict


def test_more_cpu_with_many_sessions_is_in_percent() -> None:
    figures = Figures()
    figures.add("30 sessions", "cpu_us", 20)
    figures.add("100000 sessions", "cpu_us", 23)

    more = next(goal for goal in goals(figures, QUICK) if goal.what.startswith("extra CPU"))

    assert more.value == pytest.approx(15)
    assert more.verdict == "NOT reached"


def test_the_report_names_a_peer_that_is_missing_and_whatever_failed() -> None:
    figures = Figures(unavailable={"nginx": "nginx is not on PATH"})
    figures.add(OURS, "cpu_us", 18)
    figures.add(BARE, "cpu_us", 12)
    figures.fail(OURS, "3 of 9 requests failed")
    figures.fail(OURS, "3 of 9 requests failed")

    text = report(figures, QUICK, [OURS, BARE, "nginx"])

    assert "| ours | 18.0 | 1.50 |" in text
    assert "| nginx | not available: nginx is not on PATH |" in text
    assert text.count("- ours: 3 of 9 requests failed") == 1
    assert "| CPU/request against bare HAProxy | 1.6 x | 1.50 x | reached |" in text
