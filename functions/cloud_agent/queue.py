"""The queue moves on: whoever has waited longest gets the free slot, and its execution is woken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from cloud_agent.adapters.table.slots import Granted, Slots
    from cloud_agent.domain.policy.slots import SlotLimits


def move_on(slots: Slots, limits: SlotLimits) -> list[str]:
    """Give every free slot away and wake the executions that wait for one; returns the sessions that may start.

    An execution that is not waiting just now, or cannot be notified, finds its slot when it asks for it.
    """
    workflow, started = Workflow(), []
    for granted in slots.assign(limits):
        started.append(granted.session_id)
        logger.info("slot given", extra={"to_session": granted.session_id, "notified": _notify(workflow, granted)})
    return started


def _notify(workflow: Workflow, granted: Granted) -> bool:
    """Whether an execution was waiting and has been woken. One session's trouble is not another's failure."""
    if granted.start_token is None:
        return False
    try:
        return workflow.succeed(granted.start_token, {})
    except (BotoCoreError, ClientError):
        logger.exception("session not notified of its slot", extra={"to_session": granted.session_id})
        return False
