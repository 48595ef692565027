"""Step Functions: starting a session's execution, answering its two waits, and looking at what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cloud_agent.adapters.aws import clients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_agent.domain.session.session import Ending, Session

# A wait that has been answered, has timed out or whose execution has ended: the answer came late and is harmless.
_LATE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}
# What the first wait fails with when the session is to end before it has begun: the workflow then reads the ending.
END_REQUESTED = "SessionEndRequestedError"
# What either wait fails with when the container is gone.
TASK_STOPPED = "AgentTaskStoppedError"
ERROR_LIMIT = 256  # characters, SendTaskFailure's limit for `error`
# A redriven execution waits in the second of them for its turn.
_UNDER_WAY = {"RUNNING", "PENDING_REDRIVE"}
_PAGE = 1_000  # executions or events, the limit of ListExecutions and of GetExecutionHistory
_HISTORY_LIMIT = 1_000  # events, of 25,000 that an execution may have
CAUSE_LIMIT = 32_768  # characters, SendTaskFailure's limit for `cause`


class Workflow:
    """The state machine of statemachine/session.asl.json."""

    def __init__(self) -> None:
        self._client = clients.step_functions()

    def start(self, state_machine_arn: str, name: str, execution_input: str) -> bool:
        """Start an execution of this name unless there is one already; returns whether this call started it."""
        try:
            self._client.start_execution(stateMachineArn=state_machine_arn, name=name, input=execution_input)
        except self._client.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        """Complete a wait; returns False when it had ended already."""
        # Not in ASCII: an escape of six bytes for each character could take a long text over the limit of 256 KiB.
        text = json.dumps(output, ensure_ascii=False)
        return self._send(self._client.send_task_success, taskToken=token, output=text)

    def fail(self, token: str, error: str, cause: str) -> bool:
        """Fail a wait with an error that the state's Catch can name; returns False when it had ended already."""
        error, cause = error[:ERROR_LIMIT], cause[-CAUSE_LIMIT:]
        return self._send(self._client.send_task_failure, taskToken=token, error=error, cause=cause)

    def heartbeat(self, token: str) -> bool:
        """Keep a wait going, as the agent is alive; returns False when the wait has ended."""
        return self._send(self._client.send_task_heartbeat, taskToken=token)

    def end(self, session: Session, ending: Ending) -> bool:
        """End whichever wait a session's execution is in; returns False when it is in none just now."""
        if session.lifecycle_token and self.succeed(session.lifecycle_token, ending.model_dump(mode="json")):
            return True
        return bool(session.start_token) and self.fail(str(session.start_token), END_REQUESTED, ending.reason)

    def running(self, state_machine_arn: str) -> set[str]:
        """Return the ARNs of the executions that run; one that began or ended in the last seconds may be missing."""
        pages = self._client.get_paginator("list_executions").paginate(
            stateMachineArn=state_machine_arn, statusFilter="RUNNING", PaginationConfig={"PageSize": _PAGE}
        )
        return {execution["executionArn"] for page in pages for execution in page["executions"]}

    def ended_as(self, execution_arn: str) -> str | None:
        """Return the status that an execution ended with, or DELETED; None while it is running."""
        try:
            status: str = self._client.describe_execution(executionArn=execution_arn)["status"]
        except self._client.exceptions.ExecutionDoesNotExist:
            return "DELETED"
        return None if status in _UNDER_WAY else status

    def history(self, execution_arn: str) -> Sequence[Mapping[str, Any]]:
        """Return the execution's last 1,000 events, in order; none of an execution that's gone."""
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=execution_arn,
            reverseOrder=True,
            includeExecutionData=False,  # inputs and outputs hold the session's tokens
            PaginationConfig={"PageSize": _PAGE, "MaxItems": _HISTORY_LIMIT},
        )
        try:
            newest_first = [event for page in pages for event in page["events"]]
        except self._client.exceptions.ExecutionDoesNotExist:
            return []
        return newest_first[::-1]

    def _send(self, send: Callable[..., object], **arguments: str) -> bool:
        try:
            send(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] in _LATE:
                return False
            raise
        return True


def state_machine_of(execution_arn: str) -> str:
    """Return the ARN of the state machine whose execution this is."""
    return execution_arn.replace(":execution:", ":stateMachine:", 1).rpartition(":")[0]
