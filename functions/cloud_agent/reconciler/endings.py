"""Sessions that were asked to end and whose execution was not told: whoever asked failed in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session
    from cloud_agent.reconciler.reconciliation import Reconciliation


def repeat_endings(run: Reconciliation) -> None:
    """Tell it again. A wait takes one answer, so that a session that is ending just now ends once all the same."""

    def tell(session: Session) -> None:
        if session.ending and run.workflow.end(session, session.ending):
            run.did("EndingRepeated", of_session=session.session_id)

    run.each({s.session_id: s for s in run.sessions.values() if s.status.is_live and s.ending}, tell)
