"""The Lambda function behind the rule for stopped tasks is the real one."""

from cloud_agent.entrypoints.task_stopped import handler

__all__ = ["handler"]
