"""Load by wrk: as many requests as fit into the time, each connection sending its next when it has its answer."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.proxy.programs import debian

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.proxy.visitor import Target

# The headers stand in the script, for a cookie has no place in an argument list.
_HEADERS = """
wrk.headers = {first}
"""
_TURNS = """
local targets, requests, last = {{ {all} }}, {{}}, 0
function init()
  for number, headers in ipairs(targets) do requests[number] = wrk.format("GET", nil, headers) end
end
function request()
  last = last % #requests + 1
  return requests[last]
end
"""
_SUMMARY = """
function done(summary, latency)
  local errors = summary.errors
  io.stderr:write(string.format(
    '{"seconds":%f,"requests":%d,"bytes":%d,"failures":%d,"p50_ms":%f,"p99_ms":%f}',
    summary.duration / 1e6, summary.requests, summary.bytes,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""
_PATIENCE_SECONDS = 30


class LoadFailedError(Exception):
    """Requests failed, so that the figures would say nothing."""


@dataclass(frozen=True)
class Load:
    """What came of a load."""

    seconds: float
    requests: int
    bytes: int
    failures: int
    p50_ms: float
    p99_ms: float


def load(targets: Sequence[Target], path: str, folder: Path, *, connections: int, seconds: int) -> Load:
    """Ask for one path at every target in turn; the targets are one place under several names.

    Raises:
        LoadFailedError: wrk, or any one request, failed.
        UnavailableError: there is no wrk.
    """
    script = folder / "load.lua"
    tables = [_lua_table(target.navigation) for target in targets]
    turns = _TURNS.format(all=",".join(tables)) if len(tables) > 1 else ""
    script.write_text(_HEADERS.format(first=tables[0]) + turns + _SUMMARY)
    process = subprocess.run(
        [
            debian("wrk", "wrk"),
            *("--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "10s"),
            *("--script", script, f"http://{targets[0].place}{path}"),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds + _PATIENCE_SECONDS,
    )
    if process.returncode != 0:
        raise LoadFailedError(f"wrk at {targets[0].place}{path}: {process.stderr.strip() or process.stdout.strip()}")
    result = Load(**json.loads(process.stderr))
    if not result.requests:
        raise LoadFailedError(f"{targets[0].place}{path} answered nobody within {seconds} s")
    if result.failures:
        raise LoadFailedError(
            f"{targets[0].place}{path}: {result.failures} of {result.requests} requests failed "
            f"at {connections} connections"
        )
    return result


def _lua_table(headers: dict[str, str]) -> str:
    return "{" + ",".join(f"[{json.dumps(name)}]={json.dumps(value)}" for name, value in headers.items()) + "}"
