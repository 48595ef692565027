"""The figures as Markdown, and which goals they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.proxy.figures import Goal
from tests.bench.proxy.measures import BARE, CHP, CONNECTIONS, DIRECT, ENVOY, OURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.proxy.figures import Figures
    from tests.bench.proxy.measures import Plan


def report(figures: Figures, plan: Plan, peers: Sequence[str]) -> str:
    """Return the whole report; a figure that there is not is a dash, and the reason stands in the table or below."""
    return "\n".join(
        (
            *("## Against others", ""),
            f"1 KB page, a browser's headers, 32 connections; medians of {plan.rounds} interleaved rounds.",
            "The CPU figures cover all of the proxy's processes.",
            "",
            *_speed(figures, peers),
            *("", "Latency in ms, p50 / p99, by the number of connections:", ""),
            *_latency(figures, peers),
            *("", "## Memory", "", "Resident MB (10^6 bytes) of all the proxy's processes, with idle WebSockets.", ""),
            *_memory(figures, plan, peers),
            *("", "## Many sessions", ""),
            "CPU of HAProxy alone. Thirty sessions are visited in turn; the runtime API added the others to its map.",
            "",
            *_sizes(figures, plan),
            *("", "## A new session's first visit", ""),
            *_first_visits(figures, plan),
            *("", "## Goals", ""),
            *_goal_table(goals(figures, plan)),
            *_failures(figures),
            "",
        )
    )


def goals(figures: Figures, plan: Plan) -> list[Goal]:
    """Return the goals of the proxy's cost with what was measured."""
    few, many = (f"{size} sessions" for size in (plan.sizes[0], 100_000))
    new, known = (figures.median(f"a {age} session", "first_byte_ms") for age in ("new", "known"))
    more = figures.ratio(many, few, "cpu_us")
    return [
        Goal("CPU/request against bare HAProxy", 1.6, figures.ratio(OURS, BARE, "cpu_us"), "x"),
        Goal("CPU/request against Envoy", 0.5, figures.ratio(OURS, ENVOY, "cpu_us"), "x"),
        Goal("CPU/request against configurable-http-proxy", 0.2, figures.ratio(OURS, CHP, "cpu_us"), "x"),
        Goal("HAProxy's memory, idle", 20, figures.median("ours: HAProxy", "mb idle"), "MB"),
        Goal("HAProxy's memory, 9,000 WebSockets", 80, figures.median("ours: HAProxy", "mb with 9000"), "MB"),
        Goal("control plane's memory, idle", 60, figures.median("ours: control plane", "mb idle"), "MB"),
        Goal(
            "extra time to first byte for a new session",
            20,
            new - known if new is not None and known is not None else None,
            "ms",
        ),
        Goal("extra CPU/request with 100,000 sessions instead of 30", 10, more and (more - 1) * 100, "%"),
    ]


def _speed(figures: Figures, peers: Sequence[str]) -> Iterable[str]:
    yield "| proxy | CPU µs/request | / bare HAProxy | requests/s | 10 MB download / direct | WebSocket echo, ms |"
    yield "|---|---|---|---|---|---|"
    for peer in peers:
        if peer in figures.unavailable:
            yield f"| {peer} | not available: {_cell(figures.unavailable[peer])} | | | | |"
            continue
        yield _row(
            peer,
            _number(figures.median(peer, "cpu_us"), 1),
            _number(figures.ratio(peer, BARE, "cpu_us"), 2),
            _number(figures.median(peer, "requests_per_second"), 0),
            _number(figures.ratio(peer, DIRECT, "download_mb_per_second"), 2),
            _number(figures.median(peer, "echo_ms"), 3),
        )


def _latency(figures: Figures, peers: Sequence[str]) -> Iterable[str]:
    yield _row("proxy", *(str(connections) for connections in CONNECTIONS))
    yield "|---" * (len(CONNECTIONS) + 1) + "|"
    for peer in _available(figures, peers):
        yield _row(
            peer,
            *(
                " / ".join(
                    _number(figures.median(peer, f"{part} at {connections}"), 2) for part in ("p50_ms", "p99_ms")
                )
                for connections in CONNECTIONS
            ),
        )


def _memory(figures: Figures, plan: Plan, peers: Sequence[str]) -> Iterable[str]:
    states = ["idle", *(f"with {count}" for count in plan.websockets)]
    yield _row("proxy", "idle", *(f"{count:,} WebSockets" for count in plan.websockets))
    yield "|---" * (len(states) + 1) + "|"
    rows = [peer for peer in _available(figures, peers) if peer != DIRECT]
    for peer in (*rows[:1], "ours: HAProxy", "ours: control plane", *rows[1:]):
        yield _row(peer, *(_number(figures.median(peer, f"mb {state}"), 0) for state in states))


def _sizes(figures: Figures, plan: Plan) -> Iterable[str]:
    yield f"| sessions in the map | CPU µs/request | relative to {plan.sizes[0]} | requests/s | HAProxy's memory, MB |"
    yield "|---|---|---|---|---|"
    for size in plan.sizes:
        name = f"{size} sessions"
        yield _row(
            f"{size:,}",
            _number(figures.median(name, "cpu_us"), 1),
            _number(figures.ratio(name, f"{plan.sizes[0]} sessions", "cpu_us"), 2),
            _number(figures.median(name, "requests_per_second"), 0),
            _number(figures.median(name, "mb"), 0),
        )


def _first_visits(figures: Figures, plan: Plan) -> Iterable[str]:
    yield f"Medians of {plan.first_visits} visits, each on a new connection right after the row was written."
    yield ""
    yield "| visit to | time to first byte, ms |"
    yield "|---|---|"
    for name in ("a new session", "a known session"):
        yield _row(name, _number(figures.median(name, "first_byte_ms"), 2))


def _goal_table(reached: Sequence[Goal]) -> Iterable[str]:
    yield "| Goal | At most | Measured | |"
    yield "|---|---|---|---|"
    for goal in reached:
        yield _row(goal.what, f"{goal.limit:g} {goal.unit}", f"{_number(goal.value, 2)} {goal.unit}", goal.verdict)


def _failures(figures: Figures) -> Iterable[str]:
    if figures.failed:
        yield from ("", "## Failures while measuring", "")
        for name, reasons in figures.failed.items():
            for reason in reasons:
                yield f"- {name}: {_cell(reason)}"


def _available(figures: Figures, peers: Sequence[str]) -> list[str]:
    return [peer for peer in peers if peer not in figures.unavailable]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())[:300]
