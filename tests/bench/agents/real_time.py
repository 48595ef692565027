"""As many agents as this machine carries, in real time: their clients, HTTP API, Lambda, DynamoDB and Step Functions.

Brings up the whole system and ends it. Each agent has a row and an execution that waits for it and fails if it
hears nothing for two minutes; there is no container and no Claude. What a request takes says something of this machine,
how many an agent sends says something of AWS.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from boto3.dynamodb.types import TypeSerializer
from tests.bench.agents import fleet
from tests.bench.agents.agent import KINDS, TOOL_SECONDS, Agent, prompt_row, session_row
from tests.bench.agents.figures import Found, table_of
from tests.e2e.system import System, wait_for
from tests.kit.ports import free_ports

from cloud_agent_local import up as lifecycle
from cloud_agent_runner.inbox import BUSY_POLL_SECONDS, IDLE_POLL_SECONDS

SILENT_SECONDS = 120  # four heartbeats
WARM_SECONDS = 30  # by then as many of Lambda's workers have started as there are requests at once
_ROLE = "waits-of-agents"
_REPORT = "POST progress"


async def measure(agents: int, seconds: int) -> None:
    """Run, and print."""
    limits = {"MaxSessions": str(agents), "MaxSessionsPerRepository": str(agents)}
    with tempfile.TemporaryDirectory() as folder:
        installation = lifecycle.up(Path(folder), free_ports(), limits)
        try:
            await _measure(System(installation), agents, seconds)
        finally:
            lifecycle.down(installation)


async def _measure(system: System, agents: int, seconds: int) -> None:
    table, found = Table(system), Found()
    machine = _state_machine(system)
    tokens = [table.add(number, machine) for number in range(agents)]
    log, url = Log(), system.installation.outputs["HttpApiUrl"]
    everyone = [
        Agent(number, url, token, Recorded(log, KINDS[number % len(KINDS)]), table, found)
        for number, token in enumerate(tokens)
    ]
    await fleet.live(everyone, seconds, quiet_from=seconds - fleet.SETTLED_SECONDS)
    span = time.monotonic() - log.began - WARM_SECONDS
    running = system.executions.client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    report(agents, span, log, found)
    print(f"\nwaits that heartbeats have kept from timing out: {len(running)} of {agents}")


class Log:
    """What was answered to all requests; of those after the start, how many an agent sends and how long each takes."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.routes: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.took: Found = {}
        self.polls: Found = {}

    def note(self, kind: str, route: str, status: str, began: float) -> None:
        """Add one that has just been answered, or has failed."""
        self.routes[f"{route} {status}"] += 1
        if began > self.began + WARM_SECONDS:
            took = time.monotonic() - began
            self.sent[kind] += 1
            self.took.setdefault(route, []).append(took)
            if route != _REPORT:
                self.polls.setdefault(kind, []).append(took)

    def expected(self, kind: str) -> float:
        """How many requests a second an agent should send: a pause and a response for each poll, and its reports."""
        pause = IDLE_POLL_SECONDS if kind == "nobody there" else BUSY_POLL_SECONDS
        reports = 1 / TOOL_SECONDS if kind == "in a turn" else 0
        return 1 / (pause + statistics.mean(self.polls[kind])) + reports


class Recorded(httpx.AsyncHTTPTransport):
    """An agent's own connection to the API, which is recorded."""

    def __init__(self, log: Log, kind: str) -> None:
        super().__init__()
        self._log, self._kind = log, kind

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it."""
        began, route = time.monotonic(), f"{request.method} {request.url.path.partition('/agent/')[2]}"
        try:
            response = await super().handle_async_request(request)
        except httpx.TransportError as error:
            self._log.note(self._kind, route, type(error).__name__, began)
            raise
        self._log.note(self._kind, route, str(response.status_code), began)
        return response


class Table:
    """The sessions table of the embedded AWS."""

    def __init__(self, system: System) -> None:
        self._system, self._name = system, system.installation.outputs["SessionsTable"]
        self._dynamodb = system.client("dynamodb")

    def add(self, number: int, machine: str) -> str:
        """Put a session's row, begin its wait and return the wait's token."""
        row = session_row(number, "")
        self._put({name: value for name, value in row.items() if name != "lifecycle_token"})
        states, key = self._system.executions.client, row["pk"]
        states.start_execution(stateMachineArn=machine, input=json.dumps({"table": self._name, "pk": key}))
        item = wait_for(lambda: self._system.item(key, "SESSION"), lambda item: "lifecycle_token" in item, 60, 0.02)
        return str(item["lifecycle_token"]["S"])

    async def interrupt(self, key: str, news: str) -> None:
        """Record a request to interrupt."""
        await asyncio.to_thread(self._set, key, "interrupt_id", news)

    async def prompt(self, key: str, news: str) -> None:
        """Put a prompt."""
        await asyncio.to_thread(self._put, prompt_row(key, news))
        await asyncio.to_thread(self._set, key, "latest_prompt_id", news)

    def _put(self, row: dict[str, Any]) -> None:
        self._dynamodb.put_item(TableName=self._name, Item=_wire(json.loads(json.dumps(row), parse_float=str)))

    def _set(self, key: str, name: str, value: str) -> None:
        self._dynamodb.update_item(
            TableName=self._name,
            Key=_wire({"pk": key, "sk": "SESSION"}),
            UpdateExpression=f"SET {name} = :value",
            ExpressionAttributeValues=_wire({":value": value}),
        )


def _state_machine(system: System) -> str:
    """Create what waits for an agent as the workflow's own states do; returns its ARN."""
    iam, table = system.client("iam"), system.installation.outputs["SessionsTable"]
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    write = {"Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": f"arn:aws:dynamodb:*:*:table/{table}"}
    role = iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=_ROLE, PolicyName="record-token", PolicyDocument=_policy(write))
    wait = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
        "Arguments": {
            "TableName": "{% $states.input.table %}",
            "Key": {"pk": {"S": "{% $states.input.pk %}"}, "sk": {"S": "SESSION"}},
            "UpdateExpression": "SET lifecycle_token = :token",
            "ExpressionAttributeValues": {":token": {"S": "{% $states.context.Task.Token %}"}},
        },
        "HeartbeatSeconds": SILENT_SECONDS,
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Wait", "States": {"Wait": wait}}
    states = system.executions.client
    return str(
        states.create_state_machine(name=_ROLE, definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
    )


def report(agents: int, span: float, log: Log, found: Found) -> None:
    """Print what was seen, in so many seconds after the start, in tables."""
    sent = log.sent
    print(f"{agents} agents for {span:.0f} s: {sent.total() / span:,.1f} requests a second")
    print(f"requests of an agent: {sent.total() / span / agents:.3f} a second\n")
    print("| an agent | requests a second | by its pauses and these responses |\n|---|---|---|")
    for kind, count in sorted(Counter(KINDS[number % len(KINDS)] for number in range(agents)).items()):
        print(f"| {kind} | {sent[kind] / span / count:.3f} | {log.expected(kind):.3f} |")
    print(f"\n{log.routes}")
    print(f"\n{table_of('a request takes', log.took)}")
    print(f"\n{table_of('until an agent learns of what people write', found)}")


def _wire(row: dict[str, Any]) -> dict[str, Any]:
    return {name: TypeSerializer().serialize(value) for name, value in row.items()}


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
