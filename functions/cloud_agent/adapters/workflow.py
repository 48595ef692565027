"""Step Functions: starting a session's execution and answering its two waits."""

import json
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cloud_agent.domain.session import Ending, Session

# A wait that has been answered, has timed out or whose execution is over: the answer came late and is harmless.
_LATE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}
# What the first wait fails with when the session is to end before it has begun: the workflow then reads the ending.
END_REQUESTED = "SessionEndRequestedError"
ERROR_LIMIT = 256  # characters, SendTaskFailure's limit for `error`
CAUSE_LIMIT = 32_768  # characters, SendTaskFailure's limit for `cause`


class Workflow:
    """The state machine of statemachine/session.asl.json."""

    def __init__(self) -> None:
        self._client = boto3.client("stepfunctions")

    def start(self, state_machine_arn: str, name: str, execution_input: str) -> bool:
        """Start an execution of this name unless there is one already; returns whether this call started it."""
        try:
            self._client.start_execution(stateMachineArn=state_machine_arn, name=name, input=execution_input)
        except self._client.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        """Complete a wait; returns False when it was over already."""
        # Not in ASCII: an escape of six bytes for each character could take a long text over the limit of 256 KiB.
        return self._answer("send_task_success", taskToken=token, output=json.dumps(output, ensure_ascii=False))

    def fail(self, token: str, error: str, cause: str) -> bool:
        """Fail a wait with an error that the state's Catch can name; returns False when it was over already."""
        return self._answer("send_task_failure", taskToken=token, error=error[:ERROR_LIMIT], cause=cause[-CAUSE_LIMIT:])

    def heartbeat(self, token: str) -> bool:
        """Tell a wait that the agent is alive; returns False when the wait is over."""
        return self._answer("send_task_heartbeat", taskToken=token)

    def end(self, session: Session, ending: Ending) -> bool:
        """End whichever wait a session's execution is in; returns False when it is in none just now."""
        if session.lifecycle_token and self.succeed(session.lifecycle_token, ending.model_dump(mode="json")):
            return True
        return bool(session.start_token) and self.fail(str(session.start_token), END_REQUESTED, ending.reason)

    def _answer(self, operation: str, **arguments: str) -> bool:
        try:
            getattr(self._client, operation)(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] in _LATE:
                return False
            raise
        return True
