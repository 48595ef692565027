"""Is the session where its row says it is, and can it be reached from outside?

With a session's id (`cloud-agent doctor --session 09e22a8b`): checks its row, its execution, its task in ECS, and
whether the address in the row is the task's; then probes its public URL, which asks the proxy about the dev server.
The probe doesn't reach the dev server and doesn't count as activity. Without an id: checks the rows, executions and
tasks of up to 25 sessions that hold a slot.

A row with another address than its task sends visitors nowhere, or to another session's container. A live row without
a running execution or task is what an outage leaves behind; the reconciler ends such sessions once a minute, so one
that stays means the reconciler fails. A response from the public URL that isn't the proxy's comes from a hop before
it: 503 from a load balancer without healthy targets, 404 from a listener without our rule. If the path has findings
of its own, the probe's are suppressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cloud_agent.adapters.aws.secrets import UatAccessKeys
from cloud_agent.domain.session.agent_task import task_group
from cloud_agent.domain.session.entry_link import UatAccess, entry_link
from cloud_agent.domain.session.session import Session, SessionStatus, session_url
from cloud_agent_doctor.containers import task_definitions
from cloud_agent_doctor.engine.check import Check, combine
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.session import reachability, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

    Document = dict[str, Any]

MOST_SESSIONS = 25
_RESTART = "Comment /restart on its pull request: the session starts again from its branch."
_RECONCILED = "The reconciler ends it within minutes. If it stays, see the log of ReconcilerFunction, then: "


def run(context: CheckContext) -> Iterator[Finding]:
    """Find sessions that aren't where their rows say, or that can't be reached."""
    if context.session_id:
        yield from _of_session(context, context.session_id, probed=True)
        return
    live = rows.live_session_ids(context)
    if not live:
        raise NotApplicableError("no session is running")
    yield from combine(*(_of_session(context, one, probed=False) for one in live[:MOST_SESSIONS]))


def _of_session(context: CheckContext, session_id: str, *, probed: bool) -> Iterator[Finding]:
    row = rows.session_row(context, session_id)
    try:
        session = Session.model_validate(row) if row else None
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]) for one in error.errors()}))
        problem = f"The row of session {session_id} isn't valid for this version: {fields}."
        yield _finding(context, session_id, problem, "Its steps fail when they read it.", _RESTART)
        return
    if row is None or session is None:
        problem = f"There is no session {session_id} in the table, or not any more: rows are kept for 30 days."
        remediation = "Take the id from the session's comment on its pull request."
        yield _finding(context, session_id, problem, "Its URL says that no such session exists.", remediation)
        return
    if not session.status.is_live:
        yield from _of_ended(context, session)
        if probed:
            raise NotApplicableError(f"session {session_id} has ended: {session.status}, {session.end_reason}")
        return
    fault = _execution_fault(context, session) or _task_fault(context, session)
    if fault:
        impact = "Its URL shows no dev server, and it holds a slot and its issue's lock."
        yield _finding(context, session_id, fault, impact, _RECONCILED + _RESTART)
    elif session.status is SessionStatus.RUNNING and probed:
        url = session_url(context.stack.outputs["UatUrl"], session_id)
        probe = context.probe_session(url, _link(context, session, url))
        yield from reachability.findings(context.stack, session, row, url, probe)


def _of_ended(context: CheckContext, session: Session) -> Iterator[Finding]:
    running = _tasks_of(context, session)
    if not running:
        return
    arns = ", ".join(task["taskArn"] for task in running)
    problem = f"Session {session.session_id} has ended ({session.status}), but its task is still running: {arns}."
    remediation = f"{_RECONCILED}deploy the stack again, so that it runs."
    yield _finding(context, session.session_id, problem, "A container costs money and does nothing.", remediation)


def _execution_fault(context: CheckContext, session: Session) -> str:
    execution = context.aws.describe(
        "stepfunctions",
        "describe_execution",
        missing=["ExecutionDoesNotExist"],
        executionArn=session.execution_arn,
    )
    status = execution["status"] if execution else "gone"
    if status == "RUNNING":
        return ""
    return f"Session {session.session_id} is {session.status}, but its execution {session.execution_arn} is {status}."


def _task_fault(context: CheckContext, session: Session) -> str:
    if session.status is not SessionStatus.RUNNING:
        return ""
    of_row = task_definitions.described_tasks(context, [session.task_arn]) if session.task_arn else []
    task = next((one for one in of_row if one.get("lastStatus") == "RUNNING"), None)
    if task is None:
        status = of_row[0].get("lastStatus", "?") if of_row else "not known to ECS"
        return f"Session {session.session_id} is RUNNING, but its task {session.task_arn} is {status}."
    address = private_address(task)
    if address == session.ip:
        return ""
    return (
        f"The row of session {session.session_id} has the address {session.ip}; its task {session.task_arn} has "
        f"{address or 'none'}."
    )


def private_address(task: Document) -> str:
    """Return the task's own address, as ECS reports it; empty when it has none."""
    details = [one for attachment in task.get("attachments", []) for one in attachment.get("details", [])]
    return next((str(one["value"]) for one in details if one.get("name") == "privateIPv4Address"), "")


def _tasks_of(context: CheckContext, session: Session) -> list[Document]:
    group = task_group(session.session_id)
    return [task for task in task_definitions.running_agent_tasks(context) if task.get("group") == group]


def _link(context: CheckContext, session: Session, url: str) -> str:
    """Return the session's entry link, if access is by link."""
    if context.stack.parameters.get("UatAccess") != UatAccess.LINK:
        return ""
    secret = context.stack.physical_id("UatAccessKeysSecret")
    missing = ["ResourceNotFoundException", "InvalidRequestException"]
    value = context.aws.describe("secretsmanager", "get_secret_value", missing=missing, SecretId=secret) or {}
    try:
        keys = UatAccessKeys.model_validate_json(value.get("SecretString", ""))
    except ValidationError as error:
        raise DataUnavailableError("UatAccessKeysSecret has no usable value: see the check `secrets`") from error
    return entry_link(url, session, keys.signing_key)


def _finding(context: CheckContext, session_id: str, problem: str, impact: str, remediation: str) -> Finding:
    return Finding(
        resource=f"session {session_id}",
        problem=problem,
        impact=impact,
        remediation=remediation,
        confirm=reachability.confirm(context.stack, session_id),
    )


CHECK = Check(
    name="session",
    question="Is the session where its row says it is, and can it be reached from outside?",
    run=run,
    actions=(
        *rows.ACTIONS,
        "states:DescribeExecution",
        *task_definitions.TASK_ACTIONS,
        "secretsmanager:GetSecretValue",
    ),
    suppress_repeats=True,
)
