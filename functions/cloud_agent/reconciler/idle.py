"""Sessions that nobody writes to and nobody visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.table.idle_warnings import IdleWarnings
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.policy.idleness import Idleness, IdleStep
from cloud_agent.domain.session.session import Ending, Session, SessionStatus

if TYPE_CHECKING:
    from cloud_agent.reconciler.reconciliation import Reconciliation


def end_idle_sessions(run: Reconciliation) -> None:
    """Warn of an end that comes near, take the warning back when somebody comes, and end."""
    warnings = IdleWarnings(run.settings.sessions_table)
    prompts = Prompts(run.settings.sessions_table)
    running = [s for s in run.sessions.values() if s.status is SessionStatus.RUNNING and s.ending is None]

    def look_at(session: Session) -> None:
        idleness = Idleness.of(session, run.settings.idle_minutes)
        step = idleness.step(run.now, busy=False)
        # The prompts of a session that somebody has just written to or visited need not be read.
        if step in {IdleStep.WARN, IdleStep.END} or session.idle_ends_at:
            step = idleness.step(run.now, busy=bool(prompts.unanswered(session.session_id)))
        match step:
            case IdleStep.WARN if warnings.warn(session, idleness.next_end(run.now)):
                run.did("IdleWarned", of_session=session.session_id)
            case IdleStep.WITHDRAW if warnings.cancel(session):
                run.did("IdleWarningWithdrawn", of_session=session.session_id)
            case IdleStep.END:
                _end(run, warnings, session, idleness)

    run.each({session.session_id: session for session in running}, look_at)


def _end(run: Reconciliation, warnings: IdleWarnings, session: Session, idleness: Idleness) -> None:
    reason = f"The session was idle for {idleness.minutes} minutes."
    ending = Ending(status=SessionStatus.STOPPED, reason=reason)
    if warnings.end(session, ending):
        notified = run.workflow.end(session, ending)
        run.did("IdleSessionEnded", of_session=session.session_id, notified=notified)
