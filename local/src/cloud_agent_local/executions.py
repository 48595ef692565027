"""Following an execution: each state as it is entered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent_local.deployment import client
from cloud_agent_local.errors import DemoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_local.installation import Installation

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class StateEntered:
    """A state and when it was entered, in seconds since the execution's start."""

    name: str
    seconds: float


class Executions:
    """The workflow's executions, as the Step Functions console shows them."""

    def __init__(self, installation: Installation) -> None:
        self.client = client(installation, "stepfunctions")
        self._state_machine = installation.outputs["StateMachineArn"]

    def find(self, issue_number: int, seconds: float) -> str:
        """Return the ARN of the newest execution for this issue.

        Raises:
            DemoError: the webhook started none within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            executions = self.client.list_executions(stateMachineArn=self._state_machine)["executions"]
            own = [e for e in executions if e["name"].split("-")[-2] == str(issue_number)]
            if own:
                return str(max(own, key=lambda execution: execution["startDate"])["executionArn"])
            time.sleep(POLL_SECONDS)
        raise DemoError(f"The label on issue #{issue_number} started no execution within {seconds:.0f} s.")

    def follow(self, arn: str, until: str, seconds: float) -> Iterator[StateEntered]:
        """Yield each state once as it is entered, through the state named `until`.

        Raises:
            DemoError: the execution ended before that, or the time is over.
        """
        deadline = time.monotonic() + seconds
        seen = 0
        while time.monotonic() < deadline:
            entered = self.states(arn)
            yield from entered[seen:]
            seen = len(entered)
            if any(state.name == until for state in entered):
                return
            execution = self.client.describe_execution(executionArn=arn)
            if execution["status"] != "RUNNING":
                raise DemoError(
                    f"The execution ended as {execution['status']}: {execution.get('error')}: {execution.get('cause')}"
                )
            time.sleep(POLL_SECONDS)
        raise DemoError(f"The execution did not reach the state {until} within {seconds:.0f} s.")

    def states(self, arn: str) -> list[StateEntered]:
        """Every state entered so far, in order."""
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=arn)
        events: list[dict[str, Any]] = [event for page in pages for event in page["events"]]
        start = events[0]["timestamp"] if events else None
        return [
            StateEntered(event["stateEnteredEventDetails"]["name"], (event["timestamp"] - start).total_seconds())
            for event in events
            if event["type"].endswith("StateEntered")
        ]
