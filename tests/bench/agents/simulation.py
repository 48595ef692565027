"""1,000 agents by calculation: what the Agent API is asked for, and how long what people write takes to reach them.

What runs is each agent's own loop and client, and for each request the Agent API's own handler, in this process. What
is left out is the network, and time: the clock is virtual, so that a machine with two cores keeps up with 1,000 agents,
and a request takes the milliseconds that tests/costs assumes and a round trip of 40 ms. API Gateway is a token bucket
with the template's figures. DynamoDB is a dictionary behind botocore's last hook, so that requests are signed and
responses parsed as ever; units follow from the sizes. For ten seconds the API is down.
"""

from __future__ import annotations

import os
import resource
import statistics

from tests.costs import sessions, stack

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
    "ARTIFACTS_BUCKET": "unused",
    "DEPENDENCY_CACHE_DAYS": "0",
    "UNPUBLISHED_WORK_DAYS": "0",
    "ALLOW_WORKFLOW_CHANGES": "false",
    "UAT_URL": "https://uat.example.com",
}
os.environ.update(SETTINGS)

from tests.bench.agents import fleet  # noqa: E402 - what it imports reads the environment
from tests.bench.agents.agent import Agent  # noqa: E402 - as above
from tests.bench.agents.aws import Table, accept, register  # noqa: E402 - as above
from tests.bench.agents.figures import Found, table_of  # noqa: E402 - as above
from tests.bench.agents.gateway import Gateway  # noqa: E402 - as above

from cloud_agent.adapters.aws import clients  # noqa: E402 - as above

OUTAGE_SECONDS = 10
TASK_TOKEN = "A" * 700  # as long as Step Functions' usually are


async def measure(agents: int, seconds: int) -> None:
    """Run, and print."""
    table, found = Table(), Found()
    register(clients.table("sessions").meta.client, table.answer)
    register(clients.step_functions(), accept)
    throttle = stack.template()["Resources"]["HttpApi"]["Properties"]["DefaultRouteSettings"]["ThrottlingRateLimit"]
    gateway = Gateway(int(throttle["Fn::Sub"].replace("${MaxSessions}", str(agents))))
    down = seconds * 0.7
    gateway.down = (down, down + OUTAGE_SECONDS)
    everyone = [Agent(number, "https://api.example", TASK_TOKEN, gateway, table, found) for number in range(agents)]
    for agent in everyone:
        table.add(agent.row)
    await fleet.live(everyone, seconds, quiet_from=down - fleet.SETTLED_SECONDS)
    report(agents, gateway, table, found)


def report(agents: int, gateway: Gateway, table: Table, found: Found) -> None:
    """Print what was seen, in tables."""
    steady = [gateway.seconds[second] for second in range(fleet.SETTLED_SECONDS, int(gateway.down[0]))]
    outage = [gateway.seconds[s] for s in range(int(gateway.down[0]) + 3, int(gateway.down[1]))]
    after = [gateway.seconds[s] for s in range(int(gateway.down[1]), max(gateway.seconds))]
    handled = gateway.routes.total()
    print(f"{agents} agents, throttle {gateway.rate:,.0f} requests a second")
    print(f"requests of an agent: {statistics.mean(steady) / agents:.3f} a second\n")
    print("| | requests a second |\n|---|---|")
    for name, values in (("steady", steady), ("API down, after 3 s", outage), ("API up again", after)):
        print(f"| {name} | mean {statistics.mean(values):,.0f}, highest {max(values):,} |")
    print(f"\nresponses: {dict(gateway.statuses)}")
    print(f"concurrent executions of {sessions.POLLED_MS} ms: {gateway.executed_at_once} at most")
    print(f"CPU of the handler: {gateway.cpu_seconds / handled * 1_000:.2f} ms a request")
    print(f"DynamoDB a request: {table.reads / handled:.2f} read units, {table.writes / handled:.2f} write units")
    print(f"logs a request: {stack.access_log_bytes()} bytes")
    print(f"\n{table_of('until an agent learns of what people write', found)}")
    print(f"\n{gateway.routes}\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
