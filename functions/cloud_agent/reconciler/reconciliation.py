"""One run of the reconciler: what it sees, what it works with, and what it has done."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from cloud_agent.adapters.aws.tasks import Tasks
from cloud_agent.adapters.aws.workflow import Workflow
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.adapters.table.slots import Slots
from cloud_agent.domain.session.session import Session
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloud_agent.settings import ReconcilerSettings

# What is younger may just be coming or going: AWS's lists lag by seconds, a step that is tried again by some more.
GRACE = timedelta(minutes=2)
# What one repair may take where GitHub is slow to answer: none is begun with less time left. The rest waits a minute.
RESERVED_MILLISECONDS = 20_000
FAILED = "RepairFailed"

T = TypeVar("T")


class Reconciliation:
    """`sessions` are those in the row of slots, by id; `gone` are the ids in it that have no row.

    The row of slots is read first: claiming writes it and the session's row in one transaction, so that whoever is in
    it has a row until that expires. What is read may be old by the time of a repair: each asks again, or writes under
    a condition.
    """

    def __init__(self, settings: ReconcilerSettings, now: datetime, remaining_milliseconds: Callable[[], int]) -> None:
        self.settings = settings
        self.now = now
        self.table = SessionsTable(settings.sessions_table)
        self.slots = Slots(settings.sessions_table)
        self.tasks = Tasks(settings.cluster_arn, settings.agent_families)
        self.workflow = Workflow()
        self.done: Counter[str] = Counter()
        self._remaining_milliseconds = remaining_milliseconds
        occupancy = self.slots.occupancy()
        ids = [*occupancy.live, *(waiting.session_id for waiting in occupancy.waiting)]
        rows = self.table.rows(ids)
        self.gone = [session_id for session_id in ids if session_id not in rows]
        self.sessions: dict[str, Session] = {}
        for session_id, row in rows.items():
            self.attempt(session_id, self._read, row)

    def did(self, what: str, **fields: Any) -> None:  # noqa: ANN401 - a log line's fields
        """Count and log one thing done; `what` is noun and past participle."""
        self.done[what] += 1
        logger.info("reconciled", extra={"what": what, **fields})

    def attempt(self, name: str, act: Callable[[T], object], subject: T) -> None:
        """Do it to the subject. What fails is logged and counted, and stops nothing else."""
        try:
            act(subject)
        except Exception:  # noqa: BLE001 - one broken session never stops the reconciliation of the others
            self.done[FAILED] += 1
            logger.exception("repair failed", extra={"of": name})

    def each(self, subjects: Mapping[str, T], act: Callable[[T], object]) -> None:
        """Do it to each of the subjects, by name, as far as the time goes."""
        for name, subject in subjects.items():
            if self._remaining_milliseconds() < RESERVED_MILLISECONDS:
                logger.warning("reconciliation out of time", extra={"at": name})
                return
            self.attempt(name, act, subject)

    def is_settled(self, moment: str | datetime) -> bool:
        """Whether the moment is so long past that nobody is at work any more on what happened then."""
        return (datetime.fromisoformat(moment) if isinstance(moment, str) else moment) < self.now - GRACE

    def _read(self, row: Mapping[str, Any]) -> None:
        session = Session.model_validate(row)
        self.sessions[session.session_id] = session
