"""The check `session`: a session is where its row says, and is seen from outside."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kit.sessions import a_row, serialized
from tests.unit.functions.doctor.inside_account import (
    ACCESS_KEY,
    AGENT_IP,
    EXECUTION_ARN,
    REFUSED,
    SESSION_ID,
    TASK_ARN,
    AwsError,
    Containers,
)

from cloud_agent.adapters.table.keys import SLOTS_KEY, session_key
from cloud_agent_doctor.checks.session import CHECK, MOST_SESSIONS
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.probe import SessionProbe


class Sessions(Containers):
    """An account with one running session."""

    def __init__(self, **parameters: str) -> None:
        super().__init__(**parameters)
        self.rows: dict[str, dict[str, Any]] = {
            session_key(SESSION_ID)["pk"]: self.row(SESSION_ID),
            "SLOTS": {**SLOTS_KEY, "live": {SESSION_ID: "acme/storefront"}, "waiting": {}},
        }
        self.tasks[TASK_ARN] = {
            "taskArn": TASK_ARN,
            "lastStatus": "RUNNING",
            "group": f"session:{SESSION_ID}",
            "attachments": [{"details": [{"name": "privateIPv4Address", "value": AGENT_IP}]}],
        }
        self.execution = "RUNNING"
        self.keys = f'{{"signing_key": "{ACCESS_KEY}", "verifying_key": ""}}'
        self.set("dynamodb", "GetItem", self._item)
        self.set("stepfunctions", "DescribeExecution", self._execution)
        self.set("secretsmanager", "GetSecretValue", lambda _: {"SecretString": self.keys})

    @staticmethod
    def row(session_id: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any attribute
        own = {"lifecycle_token": "very-secret", "execution_arn": EXECUTION_ARN, "task_arn": TASK_ARN}
        return a_row(session_id, **{**own, "ip": AGENT_IP, "port": 3000, **changes})

    def change(self, **attributes: Any) -> None:  # noqa: ANN401 - any attribute
        self.rows[session_key(SESSION_ID)["pk"]] |= attributes

    def _item(self, request: dict[str, Any]) -> dict[str, Any]:
        assert request["ConsistentRead"]
        row = self.rows.get(request["Key"]["pk"]["S"])
        return {"Item": serialized(row)} if row else {}

    def _execution(self, request: dict[str, str]) -> dict[str, Any]:
        if not self.execution:
            raise AwsError("ExecutionDoesNotExist")
        return {
            "executionArn": request["executionArn"],
            "stateMachineArn": self.stack.physical_id("SessionStateMachine"),
            "status": self.execution,
            "startDate": 1700000000,
        }


@pytest.fixture
def account() -> Sessions:
    return Sessions()


def test_a_healthy_session_has_no_finding_and_is_probed_by_its_link(account: Sessions) -> None:
    assert account.findings(CHECK, SESSION_ID) == []
    ((url, link),) = account.probes
    assert f"https://{SESSION_ID}.uat.example.com" == url
    assert link.startswith(f"{url}/.uat/enter?token=")


def test_what_is_asked_is_what_is_declared(account: Sessions) -> None:
    account.findings(CHECK, SESSION_ID)
    account.change(status="STOPPED")
    account.tasks.clear()
    with pytest.raises(NotApplicableError):
        account.findings(CHECK, SESSION_ID)
    assert set(CHECK.actions) == account.asked


@pytest.mark.parametrize("access", ["github", "public"])
def test_where_no_link_is_needed_none_is_made(access: str) -> None:
    account = Sessions(UatAccess=access)
    account.findings(CHECK, SESSION_ID)
    assert account.probes[0][1] == ""


@pytest.mark.parametrize("session_id", [SESSION_ID, None])
def test_a_stale_address_is_found_with_both_and_the_session_is_not_probed(
    account: Sessions, session_id: str | None
) -> None:
    account.change(ip="10.0.2.7")
    (finding,) = account.findings(CHECK, session_id)
    expected = f"The row of session {SESSION_ID} has the address 10.0.2.7; its task {TASK_ARN} has {AGENT_IP}."
    assert expected == finding.problem
    assert finding.logical_ids == ()
    assert account.probes == []
    assert "very-secret" not in repr(finding)


def test_a_task_that_has_stopped_is_found(account: Sessions) -> None:
    account.tasks[TASK_ARN]["lastStatus"] = "STOPPED"
    (finding,) = account.findings(CHECK, SESSION_ID)
    assert f"is RUNNING, but its task {TASK_ARN} is STOPPED." in finding.problem


def test_a_task_that_ecs_does_not_know_is_found(account: Sessions) -> None:
    del account.tasks[TASK_ARN]
    (finding,) = account.findings(CHECK, SESSION_ID)
    assert f"its task {TASK_ARN} is not known to ECS." in finding.problem


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "RUNNING"])
@pytest.mark.parametrize(("execution", "words"), [("FAILED", "is FAILED."), ("", "is gone.")])
def test_a_live_session_without_a_running_execution_is_found(
    account: Sessions, status: str, execution: str, words: str
) -> None:
    account.change(status=status)
    account.execution = execution
    (finding,) = account.findings(CHECK, SESSION_ID)
    assert finding.problem.endswith(words)
    assert EXECUTION_ARN in finding.problem


def test_a_session_that_starts_needs_no_task_yet(account: Sessions) -> None:
    account.change(status="STARTING", task_arn=None, ip=None)
    assert account.findings(CHECK, SESSION_ID) == []
    assert account.probes == []


def test_a_session_that_nobody_knows_is_found(account: Sessions) -> None:
    (finding,) = account.findings(CHECK, "00000000")
    assert "There is no session 00000000 in the table" in finding.problem


def test_a_row_that_this_version_cannot_read_is_found_by_its_fields(account: Sessions) -> None:
    account.change(repo="not a repository", status="SLEEPING")
    (finding,) = account.findings(CHECK, SESSION_ID)
    assert f"The row of session {SESSION_ID} isn't valid for this version: repo, status." == finding.problem


def test_a_session_that_is_over_is_not_judged(account: Sessions) -> None:
    account.change(status="COMPLETED", end_reason="The pull request was merged.")
    account.tasks.clear()
    with pytest.raises(NotApplicableError, match="has ended: COMPLETED, The pull request was merged"):
        account.findings(CHECK, SESSION_ID)


def test_a_task_that_outlives_its_session_is_found(account: Sessions) -> None:
    account.change(status="COMPLETED")
    found = iter(CHECK.run(account.context(SESSION_ID)))
    assert f"its task is still running: {TASK_ARN}." in next(found).problem
    with pytest.raises(NotApplicableError):
        next(found)


def test_what_the_probe_got_is_a_finding_about_the_whole_path(account: Sessions) -> None:
    account.probe = SessionProbe(503)
    (finding,) = account.findings(CHECK, SESSION_ID)
    assert f"https://{SESSION_ID}.uat.example.com" == finding.resource
    assert {"ProxyIngress", "ProxyService", "UatListenerRule", "ProxyTargetGroup"} <= set(finding.logical_ids)
    assert CHECK.suppress_repeats


def test_without_an_id_at_most_25_sessions_are_checked_and_none_probed(account: Sessions) -> None:
    ids = [f"{number:08x}" for number in range(MOST_SESSIONS + 5)]
    account.rows["SLOTS"]["live"] = dict.fromkeys(ids, "acme/storefront")
    for session_id in ids:
        account.rows[f"SESSION#{session_id}"] = account.row(session_id, ip="10.0.2.7")
    assert len(account.findings(CHECK)) == MOST_SESSIONS
    assert account.probes == []


def test_without_an_id_and_without_sessions_there_is_nothing_to_judge(account: Sessions) -> None:
    del account.rows["SLOTS"]
    with pytest.raises(NotApplicableError, match="no session is running"):
        account.findings(CHECK)


def test_a_session_that_ends_meanwhile_keeps_nobody_from_the_others(account: Sessions) -> None:
    account.rows["SLOTS"]["live"]["00000000"] = "acme/storefront"
    account.rows["SESSION#00000000"] = account.row("00000000", status="STOPPED")
    account.change(ip="10.0.2.7")
    assert len(account.findings(CHECK)) == 1


def test_without_usable_access_keys_the_probe_alone_is_unknown(account: Sessions) -> None:
    account.keys = "{}"
    findings, unavailable = account.incomplete_findings(CHECK, SESSION_ID)
    assert findings == []
    assert str(unavailable) == "UatAccessKeysSecret has no usable value: see the check `secrets`"


def test_whoever_may_not_read_the_table_gets_the_missing_permission(account: Sessions) -> None:
    account.set("dynamodb", "GetItem", REFUSED)
    assert account.incomplete_findings(CHECK, SESSION_ID)[1].permission == "dynamodb:GetItem"
