"""Is every resource as the template defines it?

Has CloudFormation compare what it created with what exists (drift detection), and reports each resource that was
changed or deleted outside it: manually, by a script, by another stack. Waits up to two minutes for the comparison,
including one that somebody else started. Reports only what no other finding covers. False positives, which exist
because CloudFormation compares spellings, are filtered out (each with its reason in stack/drift.py). CloudFormation
compares the properties that the template sets, of the resource types it supports; nothing else is checked.

A manual change is lost with the next deployment, or blocks it. Whatever it's needed for belongs in the template; then
a drift-aware change set reverts the rest (docs/runbook.md#stack-drift).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import DataUnavailableError
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.stack.drift import DRIFTED, Drift, read_drift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_PATIENCE_SECONDS = 120
_PAUSE_SECONDS = 3
_RUNNING_ALREADY = "already in progress"
_SHOWN = 5  # differences of one resource


def run(context: CheckContext, sleep: Callable[[float], None] = time.sleep) -> Iterator[Finding]:
    """Find each resource that drifted; `sleep` is called with the seconds between two polls."""
    unfinished = _detect(context, sleep)
    for drift in _drifts(context):
        yield _finding(context, drift)
    if unfinished:
        raise DataUnavailableError(unfinished)


def _detect(context: CheckContext, sleep: Callable[[float], None]) -> str:
    """Run drift detection; return why it didn't succeed for every resource, if it didn't.

    Raises:
        DataUnavailableError: CloudFormation refused, or didn't finish in time.
    """
    detection = ""
    for _ in range(_PATIENCE_SECONDS // _PAUSE_SECONDS):
        if not detection:
            detection = _start(context)
        if detection:
            status = context.aws.describe_uncached(
                "cloudformation", "describe_stack_drift_detection_status", StackDriftDetectionId=detection
            )
            if status["DetectionStatus"] == "DETECTION_COMPLETE":
                return ""
            if status["DetectionStatus"] == "DETECTION_FAILED":
                return f"CloudFormation could not compare every resource: {status.get('DetectionStatusReason', '')}"
        sleep(_PAUSE_SECONDS)
    raise DataUnavailableError(f"CloudFormation didn't finish drift detection within {_PATIENCE_SECONDS} s")


def _start(context: CheckContext) -> str:
    """Return the id of a detection; empty while one is running that somebody else started."""
    try:
        started = context.aws.describe_uncached("cloudformation", "detect_stack_drift", StackName=context.stack.name)
    except DataUnavailableError as error:
        if error.code == "ValidationError" and _RUNNING_ALREADY in str(error):
            return ""
        raise
    return str(started["StackDriftDetectionId"])


def _drifts(context: CheckContext) -> Iterator[Drift]:
    page: dict[str, str] = {}
    while True:
        response = context.aws.describe_uncached(
            "cloudformation",
            "describe_stack_resource_drifts",
            StackName=context.stack.name,
            StackResourceDriftStatusFilters=list(DRIFTED),
            **page,
        )
        for document in response["StackResourceDrifts"]:
            if drift := read_drift(document):
                yield drift
        if "NextToken" not in response:
            return
        page = {"NextToken": response["NextToken"]}


def _finding(context: CheckContext, drift: Drift) -> Finding:
    stack = context.stack
    more = len(drift.differences) - _SHOWN
    what = (
        "was deleted"
        if drift.status == "DELETED"
        else f"was changed: {'; '.join(map(str, drift.differences[:_SHOWN]))}{f'; and {more} more' if more > 0 else ''}"
    )
    # A finding about the revision covers a service of which only the revision differs.
    only_revision = {one.path for one in drift.differences} == {"/TaskDefinition"}
    return Finding(
        resource=drift.physical_id or drift.logical_id,
        problem=f"{drift.logical_id} ({drift.type}) {what}.",
        impact="It isn't what the template says, so nobody who reads the template knows about it.",
        remediation=f"Put what's needed of it into the template. {revert_drift(stack)}",
        confirm=f"aws cloudformation describe-stack-resource-drifts --stack-name {stack.name} "
        "--stack-resource-drift-status-filters MODIFIED DELETED",
        logical_ids=(drift.logical_id, "ProxyTaskDefinition") if only_revision else (drift.logical_id,),
    )


CHECK = Check(
    name="stack-drift",
    question="Is every resource as the template defines it?",
    run=run,
    actions=(
        "cloudformation:DetectStackDrift",
        "cloudformation:DescribeStackDriftDetectionStatus",
        "cloudformation:DescribeStackResourceDrifts",
    ),
    depends_on=("stack",),
    suppress_repeats=True,
)
