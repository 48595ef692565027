"""What agents ask of the Agent API, and how long what people write takes to reach them.

    python -m tests.bench.agents [--agents 1000] [--seconds 120]
    python -m tests.bench.agents --real-time [--agents 100] [--seconds 180]

A quarter of the agents are in a turn, a quarter talk with somebody, for half nobody is there. Without `--real-time` the
clock is virtual (`simulation.py`); with it, the whole stack runs on this machine (`real_time.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging

from tests.kit import virtual_time


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real-time", action="store_true")
    parser.add_argument("--agents", type=int)
    parser.add_argument("--seconds", type=int)
    asked = parser.parse_args()
    logging.disable()  # thousands of agents that say that the API is down
    # Each where it is wanted: the simulation sets the environment of the functions that it runs.
    if asked.real_time:
        from tests.bench.agents import real_time  # noqa: PLC0415 - as above

        asyncio.run(real_time.measure(asked.agents or 100, asked.seconds or 180))
    else:
        from tests.bench.agents import simulation  # noqa: PLC0415 - as above

        virtual_time.run(simulation.measure(asked.agents or 1_000, asked.seconds or 120))


if __name__ == "__main__":
    main()
