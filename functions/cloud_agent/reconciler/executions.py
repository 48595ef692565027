"""Sessions whose execution is over though nobody closed them: aborted, timed out, deleted, or failed to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.aws.workflow import state_machine_of
from cloud_agent.domain.session.session import Ending, Session, SessionStatus
from cloud_agent.publisher.context import publishing_context
from cloud_agent.publisher.finalization import finalize

if TYPE_CHECKING:
    from cloud_agent.reconciler.reconciliation import Reconciliation


def close_abandoned_sessions(run: Reconciliation) -> None:
    """End them as their execution would have: task stopped, row closed, slot free, people told."""
    live = [session for session in run.sessions.values() if session.status.is_live]
    # An execution is listed some seconds after it has begun.
    settled = [session for session in live if run.is_settled(session.created_at)]
    machines = {state_machine_of(session.execution_arn) for session in settled}
    running = {arn for machine in machines for arn in run.workflow.running(machine)}
    abandoned = {session.session_id: session for session in settled if session.execution_arn not in running}
    run.each(abandoned, lambda session: _close(run, session))


def _close(run: Reconciliation, session: Session) -> None:
    how = run.workflow.ended_as(session.execution_arn)
    if how is None:  # the list was not up to date
        return
    # Read again now that no execution can change it: most likely it was closed since it was read.
    session = run.table.get(session.session_id)
    if not session.status.is_live:
        return
    reason = f"The workflow that runs this session stopped unexpectedly ({how})."
    ending = session.ending or Ending(status=SessionStatus.FAILED, reason=reason)
    run.tasks.stop_all(session.session_id, f"Session over: {ending.reason}")
    run.table.close(session, ending.status, ending.reason)
    run.slots.free(session.session_id)
    run.did("SessionClosed", of_session=session.session_id, execution=how)
    _tell(run, session.session_id)


def _tell(run: Reconciliation, session_id: str) -> None:
    """Last, for GitHub may be down: the table's stream, too, brings the row onto the pull request."""
    context = publishing_context(run.settings)
    session = context.sessions.get(session_id)
    if session.pull_number is not None:
        finalize(context, session)
