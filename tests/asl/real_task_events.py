"""The Lambda function behind the rule for tasks' changes is the real one."""

from __future__ import annotations

from cloud_agent.task_events.handler import handler

__all__ = ["handler"]
