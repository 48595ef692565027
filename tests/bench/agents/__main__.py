"""What 1,000 agents ask of the Agent API, and how long what people write takes to reach them.

    python -m tests.bench.agents [--agents 1000] [--seconds 120]

What runs is each agent's own loop and client, and for each request the Agent API's own handler, in this process. What
is left out is the network, and time: the clock is virtual, so that a machine with two cores keeps up with 1,000 agents,
and a request takes the milliseconds that tests/costs assumes and a round trip of 40 ms. API Gateway is a token bucket
with the template's figures. DynamoDB is a dictionary behind botocore's last hook, so that requests are signed and
responses parsed as ever; units follow from the sizes. A quarter of the agents are in a turn, a quarter talk with
somebody, for half nobody is there. For ten seconds the API is down.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import resource
import statistics

from tests.costs import sessions, stack
from tests.kit import virtual_time

SETTINGS = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "POWERTOOLS_SERVICE_NAME": "claude-cloud-agent",
    "POWERTOOLS_METRICS_NAMESPACE": "ClaudeCloudAgent",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "SESSIONS_TABLE": "sessions",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_SECRET_ARN": "unused",
    "IDLE_MINUTES": "60",
    "MAX_TURNS": "200",
    "MAX_BUDGET_USD": "10",
    "ENVIRONMENT_SECRET_PREFIX": "unused",
}
os.environ.update(SETTINGS)

from tests.bench.agents.agent import Agent  # noqa: E402 - what it imports reads the environment
from tests.bench.agents.aws import Table, accept, register  # noqa: E402 - as above
from tests.bench.agents.gateway import Gateway  # noqa: E402 - as above

from cloud_agent.adapters.aws import clients  # noqa: E402 - as above

OUTAGE_SECONDS = 10
NEWS_A_SECOND = 3  # comments and interrupts, all agents together


async def measure(agents: int, seconds: int) -> None:
    """Run, and print."""
    table, found = Table(), dict[str, list[float]]()
    register(clients.table("sessions").meta.client, table.answer)
    register(clients.step_functions(), accept)
    throttle = stack.template()["Resources"]["HttpApi"]["Properties"]["DefaultRouteSettings"]["ThrottlingRateLimit"]
    gateway = Gateway(int(throttle["Fn::Sub"].replace("${MaxSessions}", str(agents))))
    down = seconds * 0.7
    gateway.down = (down, down + OUTAGE_SECONDS)
    everyone = [Agent(number, gateway, table, found) for number in range(agents)]
    running = [asyncio.create_task(agent.run()) for agent in everyone]
    for second in range(seconds):
        if 8 < second < down - 8:
            for agent in random.sample(everyone, NEWS_A_SECOND):
                agent.ask()
        await asyncio.sleep(1)
    for task in running:
        task.cancel()
    ended = await asyncio.gather(*running, return_exceptions=True)
    faults = [one for one in ended if isinstance(one, Exception)]
    if faults:
        raise ExceptionGroup(f"{len(faults)} agents failed", faults[:1])
    report(agents, gateway, table, found)


def report(agents: int, gateway: Gateway, table: Table, found: dict[str, list[float]]) -> None:
    """Print what was seen, in tables."""
    steady = [gateway.seconds[second] for second in range(8, int(gateway.down[0]))]
    outage = [gateway.seconds[s] for s in range(int(gateway.down[0]) + 3, int(gateway.down[1]))]
    after = [gateway.seconds[s] for s in range(int(gateway.down[1]), max(gateway.seconds))]
    handled = gateway.routes.total()
    print(f"{agents} agents, throttle {gateway.rate:,.0f} requests a second")
    print()
    print("| | requests a second |\n|---|---|")
    for name, values in (("steady", steady), ("API down, after 3 s", outage), ("API up again", after)):
        print(f"| {name} | mean {statistics.mean(values):,.0f}, highest {max(values):,} |")
    print(f"\nresponses: {dict(gateway.statuses)}")
    print(f"concurrent executions of {sessions.POLLED_MS} ms: {gateway.executed_at_once} at most")
    print(f"CPU of the handler: {gateway.cpu_seconds / handled * 1_000:.2f} ms a request")
    print(f"DynamoDB a request: {table.reads / handled:.2f} read units, {table.writes / handled:.2f} write units")
    print(f"logs a request: {stack.access_log_bytes()} bytes")
    print("\n| what people write | median | p95 | longest | of |\n|---|---|---|---|---|")
    for kind, delays in sorted(found.items()):
        ordered = sorted(delays)
        p95 = ordered[round(0.95 * (len(ordered) - 1))]
        longest = f"{ordered[-1]:.2f} s | {len(ordered)}"
        print(f"| {kind} | {statistics.median(ordered):.2f} s | {p95:.2f} s | {longest} |")
    print(f"\n{gateway.routes}\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=120)
    arguments = parser.parse_args()
    logging.disable()  # thousands of agents that say that the API is down
    virtual_time.run(measure(arguments.agents, arguments.seconds))


if __name__ == "__main__":
    main()
