"""The check `workspace-user`, by what the agents of running sessions have reported."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kit.sessions import a_row, serialized
from tests.unit.functions.doctor.inside_account import Account

from cloud_agent.adapters.table.keys import SLOTS_KEY, session_key
from cloud_agent_doctor.checks.workspace_user import CHECK
from cloud_agent_doctor.engine.errors import NotApplicableError

STARTING, OLD, APART, TOGETHER = "0000000a", "0000000b", "0000000c", "0000000d"


class Sessions(Account):
    """An account with sessions whose agents have reported this."""

    def __init__(self, **reports: bool | None) -> None:
        super().__init__()
        self._rows: dict[str, dict[str, Any]] = {
            "SLOTS": {**SLOTS_KEY, "live": dict.fromkeys(reports, "acme/storefront"), "waiting": {}}
        }
        for session_id, has_user in reports.items():
            said = {} if has_user is None else {"has_workspace_user": has_user}
            self._rows[session_key(session_id)["pk"]] = a_row(session_id, **said)
        self.set("dynamodb", "GetItem", lambda request: {"Item": serialized(self._rows[request["Key"]["pk"]["S"]])})


def test_sessions_with_one_user_for_everything_are_found() -> None:
    account = Sessions(**{STARTING: None, OLD: False, APART: True, TOGETHER: False})

    (finding,) = account.findings(CHECK)

    assert finding.resource == f"session {OLD}, session {TOGETHER}"
    assert "runs as the supervisor's own user in these sessions" in finding.problem
    assert "ENTRYPOINT and USER" in finding.remediation
    assert CHECK.only_warns
    assert set(CHECK.actions) == account.asked


def test_sessions_with_two_users_are_fine() -> None:
    assert Sessions(**{APART: True}).findings(CHECK) == []


@pytest.mark.parametrize("reports", [{}, {STARTING: None}])
def test_nothing_is_checked_before_a_session_has_reported(reports: dict[str, None]) -> None:
    with pytest.raises(NotApplicableError):
        Sessions(**reports).findings(CHECK)
