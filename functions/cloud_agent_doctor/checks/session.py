"""Is a session where its row says it is, and can it be seen from outside?

With a session's id (`cloud-agent doctor --session 09e22a8b`): its row, its execution, its task as ECS knows it, whether
the address in the row is the task's, and then a visit to its public URL, which asks the proxy how the dev server is.
The visit reaches no dev server and counts as no activity. Without an id: the rows, executions and tasks of at most 25
sessions that hold a slot.

A row with another address than its task sends visitors to nobody, or to another session's container. A live row without
a running execution or task is what an outage leaves behind; the stack's sweep, once a minute, ends such a session, so
that one which stays says that the sweep fails. An answer of the public URL that is not the proxy's comes from a hop
before it: 503 from a load balancer without healthy targets, 404 from a listener without our rule. Where the path has
findings of its own, the visit is not reported besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cloud_agent.adapters.aws.secrets import UatAccessKeys
from cloud_agent.domain.session.entry_link import UatAccess, entry_link
from cloud_agent.domain.session.session import Session, SessionStatus, session_url
from cloud_agent_doctor.containers import workloads
from cloud_agent_doctor.engine.check import CannotLookError, Check, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.parts import all_parts
from cloud_agent_doctor.session import session_rows, session_visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]

MOST_SESSIONS = 25
_RESTART = "Comment /restart on its pull request: the session begins anew from its branch."
_SWEPT = "The sweep ends it within minutes. If it stays, see the log of ReconcilerFunction, then: "


def examine(examination: Examination) -> Iterator[Finding]:
    """Find sessions that are not where their rows say, or that cannot be reached."""
    if examination.session_id:
        yield from _of_session(examination, examination.session_id, visited=True)
        return
    live = session_rows.live_session_ids(examination)
    if not live:
        raise NotApplicableError("no session is running")
    yield from all_parts(*(_of_session(examination, one, visited=False) for one in live[:MOST_SESSIONS]))


def _of_session(examination: Examination, session_id: str, *, visited: bool) -> Iterator[Finding]:
    row = session_rows.session_row(examination, session_id)
    try:
        session = Session.model_validate(row) if row else None
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]) for one in error.errors()}))
        problem = f"The row of session {session_id} is not as this version writes it: {fields}."
        yield _finding(examination, session_id, problem, "Its steps fail as soon as they read it.", _RESTART)
        return
    if row is None or session is None:
        problem = f"There is no session {session_id} in the table, or none any more: rows are kept for 30 days."
        mend = "Take the id from the session's comment on its pull request."
        yield _finding(examination, session_id, problem, "Its URL says that there is no such session.", mend)
        return
    if not session.status.is_live:
        yield from _of_ended(examination, session)
        if visited:
            raise NotApplicableError(f"session {session_id} is over: {session.status}, {session.end_reason}")
        return
    fault = _execution_fault(examination, session) or _task_fault(examination, session)
    if fault:
        meaning = "Its URL shows no dev server, and it takes a slot and its issue's lock."
        yield _finding(examination, session_id, fault, meaning, _SWEPT + _RESTART)
    elif session.status is SessionStatus.RUNNING and visited:
        url = session_url(examination.stack.outputs["UatUrl"], session_id)
        visit = examination.visit(url, _link(examination, session, url))
        yield from session_visit.findings(examination.stack, session, row, url, visit)


def _of_ended(examination: Examination, session: Session) -> Iterator[Finding]:
    running = _tasks_of(examination, session)
    if not running:
        return
    arns = ", ".join(task["taskArn"] for task in running)
    problem = f"Session {session.session_id} is over ({session.status}), but its task is meant to run: {arns}."
    mend = f"{_SWEPT}deploy the stack again, so that it runs."
    yield _finding(examination, session.session_id, problem, "A container costs money and works for nobody.", mend)


def _execution_fault(examination: Examination, session: Session) -> str:
    execution = examination.aws.ask(
        "stepfunctions",
        "describe_execution",
        missing=["ExecutionDoesNotExist"],
        executionArn=session.execution_arn,
    )
    status = execution["status"] if execution else "gone"
    if status == "RUNNING":
        return ""
    return f"Session {session.session_id} is {session.status}, but its execution {session.execution_arn} is {status}."


def _task_fault(examination: Examination, session: Session) -> str:
    if session.status is not SessionStatus.RUNNING:
        return ""
    of_row = workloads.described_tasks(examination, [session.task_arn]) if session.task_arn else []
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


def _tasks_of(examination: Examination, session: Session) -> list[Document]:
    arns = examination.aws.ask_all(
        "ecs",
        "list_tasks",
        "taskArns",
        cluster=examination.stack.physical_id("Cluster"),
        startedBy=session.session_id,
        desiredStatus="RUNNING",
    )
    return workloads.described_tasks(examination, arns)


def _link(examination: Examination, session: Session, url: str) -> str:
    """Return the session's entry link, where access is by link."""
    if examination.stack.parameters.get("UatAccess") != UatAccess.LINK:
        return ""
    secret = examination.stack.physical_id("UatAccessKeysSecret")
    missing = ["ResourceNotFoundException", "InvalidRequestException"]
    value = examination.aws.ask("secretsmanager", "get_secret_value", missing=missing, SecretId=secret) or {}
    try:
        keys = UatAccessKeys.model_validate_json(value.get("SecretString", ""))
    except ValidationError as error:
        raise CannotLookError("UatAccessKeysSecret has no usable value: see the check `secrets`") from error
    return entry_link(url, session, keys.signing_key)


def _finding(examination: Examination, session_id: str, problem: str, meaning: str, mend: str) -> Finding:
    return Finding(
        resource=f"session {session_id}",
        problem=problem,
        meaning=meaning,
        mend=mend,
        confirm=session_visit.confirm(examination.stack, session_id),
    )


CHECK = Check(
    name="session",
    question="Is a session where its row says, and can it be seen?",
    examine=examine,
    actions=(
        *session_rows.ACTIONS,
        "states:DescribeExecution",
        *workloads.TASK_ACTIONS,
        "secretsmanager:GetSecretValue",
    ),
    only_new=True,
)
