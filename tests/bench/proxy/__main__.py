"""What the proxy costs, side by side with others on the same upstream.

    python -m tests.bench.proxy [--quick] [--output FILE]

Needs two cores, Debian's wrk and, to be compared with it, nginx-light. The first run installs Envoy, Caddy and
configurable-http-proxy into .bench, and what our own proxy's image has. The proxy under test has one core, everything
else the other. The report is Markdown; it takes about 10 minutes, or 2 with --quick, whose figures are rough.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.bench.proxy.figures import Figures
from tests.bench.proxy.machine import LoopbackNetwork, keep_off_the_proxys_core
from tests.bench.proxy.measures import (
    FULL,
    OURS,
    QUICK,
    Bench,
    compare,
    measure_first_visits,
    measure_memory,
    measure_sizes,
)
from tests.bench.proxy.ours import dynamodb
from tests.bench.proxy.programs import python_of_the_proxys_image
from tests.bench.proxy.report import report
from tests.bench.proxy.upstream import upstream


def main() -> int:
    """Measure and print; return 1 if our own proxy failed while it was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--output", type=Path, help="write the report to this file too")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    keep_off_the_proxys_core()
    figures = Figures()
    network = LoopbackNetwork()
    with tempfile.TemporaryDirectory(prefix="bench-proxy-") as temporary:
        folder = Path(temporary)
        with upstream(network, folder / "upstream") as places, dynamodb(network, folder / "dynamodb") as endpoint:
            bench = Bench(network, places, endpoint, folder, python_of_the_proxys_image())
            _say("compare the peers")
            compare(bench, plan, figures)
            _say("measure memory")
            asyncio.run(measure_memory(bench, plan, figures))
            _say("visit new sessions")
            measure_first_visits(bench, plan, figures)
            _say("fill the map")
            measure_sizes(bench, plan, figures)
            text = report(figures, plan, list(bench.starts))
    print(text)
    if options.output:
        options.output.write_text(text)
    return 1 if OURS in figures.failed else 0


def _say(what: str) -> None:
    print(what, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
