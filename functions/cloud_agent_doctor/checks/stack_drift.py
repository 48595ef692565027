"""Is every resource as the template made it?

Has CloudFormation compare what it made with what there is (drift detection), and names each resource that was changed
or deleted past it: by hand, by a script, by another stack. It waits at most two minutes for the comparison, for one
that somebody else began as well. What no other finding speaks of is told here. Differences that are none, because
CloudFormation compares spellings, are left out (each with its reason in doctor/drift.py). What CloudFormation cannot
compare is not judged: it compares the properties that the template sets, of the types that support it.

What was changed by hand is lost with the next deployment, or stops it. What is of use goes into the template; then,
as everything else that drifted, it is brought back by a drift-aware change set (docs/runbook.md#stack-drift).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cloud_agent_doctor.engine.check import CannotLookError, Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.mends import revert
from cloud_agent_doctor.stack.drift import DRIFTED, Drift, read_drift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloud_agent_doctor.engine.examination import Examination

_PATIENCE_SECONDS = 120
_PAUSE_SECONDS = 3
_RUNNING_ALREADY = "already in progress"
_SHOWN = 5  # differences of one resource


def examine(examination: Examination, sleep: Callable[[float], None] = time.sleep) -> Iterator[Finding]:
    """Find each resource that drifted; `sleep` is given the seconds between two looks."""
    unfinished = _detect(examination, sleep)
    for drift in _drifts(examination):
        yield _finding(examination, drift)
    if unfinished:
        raise CannotLookError(unfinished)


def _detect(examination: Examination, sleep: Callable[[float], None]) -> str:
    """Have the stack compared; returns why that did not succeed for every resource, if so.

    Raises:
        CannotLookError: CloudFormation refused, or was not done in time.
    """
    detection = ""
    for _ in range(_PATIENCE_SECONDS // _PAUSE_SECONDS):
        if not detection:
            detection = _begin(examination)
        if detection:
            status = examination.aws.tell(
                "cloudformation", "describe_stack_drift_detection_status", StackDriftDetectionId=detection
            )
            if status["DetectionStatus"] == "DETECTION_COMPLETE":
                return ""
            if status["DetectionStatus"] == "DETECTION_FAILED":
                return f"CloudFormation could not compare every resource: {status.get('DetectionStatusReason', '')}"
        sleep(_PAUSE_SECONDS)
    raise CannotLookError(f"CloudFormation was not done comparing after {_PATIENCE_SECONDS} s")


def _begin(examination: Examination) -> str:
    """Return the id of a comparison; empty while one is running that somebody else began."""
    try:
        begun = examination.aws.tell("cloudformation", "detect_stack_drift", StackName=examination.stack.name)
    except CannotLookError as error:
        if error.code == "ValidationError" and _RUNNING_ALREADY in str(error):
            return ""
        raise
    return str(begun["StackDriftDetectionId"])


def _drifts(examination: Examination) -> Iterator[Drift]:
    page: dict[str, str] = {}
    while True:
        answer = examination.aws.tell(
            "cloudformation",
            "describe_stack_resource_drifts",
            StackName=examination.stack.name,
            StackResourceDriftStatusFilters=list(DRIFTED),
            **page,
        )
        for document in answer["StackResourceDrifts"]:
            if drift := read_drift(document):
                yield drift
        if "NextToken" not in answer:
            return
        page = {"NextToken": answer["NextToken"]}


def _finding(examination: Examination, drift: Drift) -> Finding:
    stack = examination.stack
    more = len(drift.differences) - _SHOWN
    what = (
        "was deleted"
        if drift.status == "DELETED"
        else f"was changed: {'; '.join(map(str, drift.differences[:_SHOWN]))}{f'; and {more} more' if more > 0 else ''}"
    )
    # A service of which only the revision is another is what a finding about that revision speaks of.
    only_revision = {one.path for one in drift.differences} == {"/TaskDefinition"}
    return Finding(
        resource=drift.physical_id or drift.logical_id,
        problem=f"{drift.logical_id} ({drift.type}) {what}.",
        meaning="It is not what the template says, and nobody knows of it who reads the template.",
        mend=f"What is of use in it goes into the template. {revert(stack)}",
        confirm=f"aws cloudformation describe-stack-resource-drifts --stack-name {stack.name} "
        "--stack-resource-drift-status-filters MODIFIED DELETED",
        logical_ids=(drift.logical_id, "ProxyTaskDefinition") if only_revision else (drift.logical_id,),
    )


CHECK = Check(
    name="stack-drift",
    question="Is every resource as the template made it?",
    examine=examine,
    actions=(
        "cloudformation:DetectStackDrift",
        "cloudformation:DescribeStackDriftDetectionStatus",
        "cloudformation:DescribeStackResourceDrifts",
    ),
    behind=("stack",),
    only_new=True,
)
