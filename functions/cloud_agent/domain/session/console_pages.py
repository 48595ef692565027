"""The pages of the AWS console that a session has: its execution, and the log of its container."""

from __future__ import annotations

from urllib.parse import quote

_STREAM = "session/agent/"
"""And the task's id. The awslogs driver names a stream prefix/container/task (Amazon ECS Developer Guide, "Send Amazon
ECS logs to CloudWatch", `awslogs-stream-prefix`)."""


def execution_console_url(execution_arn: str) -> str:
    """Return the execution's page in the Step Functions console, by the ARN's partition and region."""
    return f"{_console(execution_arn, 'states')}#/v2/executions/details/{execution_arn}"


def logs_console_url(task_arn: str, log_group: str) -> str:
    """Return the page of a task's log in the CloudWatch console of the task's partition and region.

    The console decodes what follows the "#" twice, and has "$" for the "%" of the second time: `$252F` is a slash. AWS
    doesn't document it; people have read it off the console's own addresses (Stack Overflow, "Is there a way to
    generate the AWS Console URLs for CloudWatch Log Group filters?").
    """
    stream = _STREAM + task_arn.rpartition("/")[2]
    group, stream = (quote(quote(name, safe=""), safe="").replace("%", "$") for name in (log_group, stream))
    return f"{_console(task_arn, 'cloudwatch')}#logsV2:log-groups/log-group/{group}/log-events/{stream}"


def _console(arn: str, service: str) -> str:
    _, partition, _, region, *_ = arn.split(":")
    domain = {"aws-cn": "amazonaws.cn", "aws-us-gov": "amazonaws-us-gov.com"}.get(partition, "aws.amazon.com")
    return f"https://{region}.console.{domain}/{service}/home?region={region}"
