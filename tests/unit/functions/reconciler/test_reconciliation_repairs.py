"""What an outage leaves behind is repaired, once, and what is only coming or going is left alone."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import REPOSITORY_ID

from cloud_agent.adapters.table.keys import session_key
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.adapters.table.slots import Slots
from cloud_agent.domain.errors import GitHubUnavailableError
from cloud_agent.domain.session.session import SessionStatus, timestamp

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from tests.unit.functions.reconciler.conftest import Fleet

    from cloud_agent.domain.session.session import Session

    Reconcile = Callable[..., dict[str, int]]

ID, OTHER = "09e22a8b", "0badcafe"
ENDING = {"status": "STOPPED", "reason": "The issue was closed."}


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def test_a_fleet_in_order_is_left_alone(reconcile: Reconcile, fleet: Fleet) -> None:
    for session_id, status in ((ID, "RUNNING"), (OTHER, "STARTING")):
        fleet.put(session_id, status)
    rows = [fleet.row(ID), fleet.row(OTHER)]
    assert reconcile() == {}
    assert rows == [fleet.row(ID), fleet.row(OTHER)]
    assert (fleet.ecs.stopped, fleet.step_functions.failed, fleet.step_functions.succeeded) == ([], [], [])


def test_an_empty_fleet_is_no_fault(reconcile: Reconcile) -> None:
    assert reconcile() == {}


# ---- slots


def test_the_slot_of_a_session_without_a_row_is_freed(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, row=False, task=False)
    fleet.put(OTHER)
    assert reconcile() == {"SlotFreed": 1}
    assert {OTHER} == fleet.in_slots()
    assert reconcile() == {}


def test_how_many_run_and_wait_is_reported_as_the_reconciliation_leaves_it(
    reconcile: Reconcile,
    fleet: Fleet,
    environment: Callable[..., None],
    measured: Callable[..., list[list[float]]],
) -> None:
    environment(MAX_SESSIONS="2")
    fleet.put("0000000a")
    fleet.put("0000000b", row=False, task=False)
    for waiting in ("0000000c", "0000000d"):
        fleet.put(waiting, "QUEUED", start_token=f"token-{waiting}")
    reconcile()
    assert measured("SlotsInUse", "SessionsWaiting") == [[2.0], [1.0]]


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED", "FAILED"])
def test_the_slot_of_an_ended_session_is_freed(reconcile: Reconcile, fleet: Fleet, status: str) -> None:
    fleet.put(ID, status, execution="SUCCEEDED", ended_at=timestamp(ago(3)))
    assert reconcile() == {"SlotFreed": 1}
    assert set() == fleet.in_slots()


def test_a_session_that_is_just_being_closed_frees_its_slot_itself(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, "STOPPED", execution="RUNNING", ended_at=timestamp(ago(0.5)))
    assert reconcile() == {}
    assert {ID} == fleet.in_slots()


def test_whoever_waits_gets_a_slot_that_was_freed_and_is_woken(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, "QUEUED", start_token="wait-for-slot")
    assert reconcile() == {"SlotGiven": 1}
    assert fleet.row()["status"] == "STARTING"
    assert fleet.step_functions.succeeded == [("wait-for-slot", {})]


# ---- sessions without an execution


@pytest.mark.parametrize("execution", ["FAILED", "ABORTED", "TIMED_OUT", "SUCCEEDED", None])
@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "RUNNING"])
def test_a_session_whose_execution_is_over_is_closed(
    reconcile: Reconcile, fleet: Fleet, status: str, execution: str | None
) -> None:
    fleet.put(ID, status, execution=execution)
    done = reconcile()
    assert done["SessionClosed"] == 1
    assert "RepairFailed" not in done
    row = fleet.row()
    reason = f"The workflow that runs this session stopped unexpectedly ({execution or 'DELETED'})."
    assert ("FAILED", reason) == (row["status"], row["end_reason"])
    assert set() == fleet.in_slots()
    assert SessionsTable("sessions").live_session_id(REPOSITORY_ID, int(ID, 16)) is None
    assert all(task["desiredStatus"] == "STOPPED" for task in fleet.ecs.tasks)
    assert reconcile() == {}


def test_a_session_that_was_asked_to_end_is_closed_as_it_was_asked(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.step_functions.late |= {f"lifecycle-{ID}": "TaskTimedOut"}
    fleet.put(ID, execution="ABORTED", ending=ENDING)
    assert reconcile() == {"SessionClosed": 1}
    assert (fleet.row()["status"], fleet.row()["end_reason"]) == ("STOPPED", "The issue was closed.")


@pytest.mark.parametrize("execution", ["RUNNING", "PENDING_REDRIVE"])
def test_a_list_of_executions_that_lags_closes_nobody(reconcile: Reconcile, fleet: Fleet, execution: str) -> None:
    fleet.put(ID, execution=execution)
    fleet.step_functions.listed = [str(fleet.row()["execution_arn"]).replace(ID, OTHER)]
    assert reconcile() == {}
    assert fleet.row()["status"] == "RUNNING"


def test_a_session_that_has_just_been_claimed_is_given_time(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, "STARTING", execution=None, created_at=timestamp(ago(1)))
    assert reconcile() == {}
    assert fleet.row()["status"] == "STARTING"


def test_a_session_that_was_closed_since_its_row_was_read_keeps_its_end(
    reconcile: Reconcile, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.put(ID, execution="SUCCEEDED")
    sessions = SessionsTable(fleet.table.name)
    read_before = sessions.rows([ID])
    sessions.close(sessions.get(ID), SessionStatus.COMPLETED, "The pull request was merged.")
    monkeypatch.setattr(SessionsTable, "rows", lambda *_: read_before)
    assert reconcile() == {}
    assert (fleet.row()["status"], fleet.row()["end_reason"]) == ("COMPLETED", "The pull request was merged.")


def test_people_are_notified_of_a_session_that_was_closed(
    reconcile: Reconcile, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[tuple[str, str]] = []

    def end_deployment(_context: object, session: Session) -> None:
        published.append(("deployment", session.status))

    def edit_comment(_context: object, session_id: str, *, create: bool) -> None:
        published.append((f"comment {create}", fleet.row(session_id)["status"]))

    def end_description(_self: object) -> None:
        published.append(("description", "FAILED"))

    monkeypatch.setattr("cloud_agent.publisher.finalization.look_up", lambda *_, **__: None)
    monkeypatch.setattr("cloud_agent.publisher.pull_request.PullRequestOnGitHub.note_end", end_description)
    monkeypatch.setattr("cloud_agent.publisher.pull_request.PullRequestOnGitHub.title", "Show the total")
    monkeypatch.setattr("cloud_agent.publisher.status.publish", edit_comment)
    monkeypatch.setattr("cloud_agent.publisher.deployments.end", end_deployment)
    fleet.put(ID, execution="ABORTED", pull_number=43)
    assert reconcile() == {"SessionClosed": 1}
    assert published == [("comment False", "FAILED"), ("description", "FAILED"), ("deployment", "FAILED")]


def test_a_session_is_closed_though_github_is_down(
    reconcile: Reconcile, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_down(*_arguments: object) -> None:
        raise GitHubUnavailableError("GitHub did not respond")

    monkeypatch.setattr("cloud_agent.publisher.finalization.look_up", be_down)
    fleet.put(ID, execution="ABORTED", pull_number=43)
    assert reconcile() == {"SessionClosed": 1, "RepairFailed": 1}
    assert ("FAILED", set()) == (fleet.row()["status"], fleet.in_slots())


# ---- tasks without a session, sessions without a task


@pytest.mark.parametrize("status", ["COMPLETED", "STOPPED", "FAILED"])
def test_the_task_of_an_ended_session_is_stopped(reconcile: Reconcile, fleet: Fleet, status: str) -> None:
    fleet.put(ID, status, ended_at=timestamp(ago(1)), execution="RUNNING")
    arn = fleet.ecs.add("late", ID, int(ago(3).timestamp()), None, "PENDING")
    assert reconcile() == {"TaskStopped": 1}
    assert [arn] == [stopped for stopped, _ in fleet.ecs.stopped]


@pytest.mark.parametrize("group", ["session:0badcafe", "session:", "family:claude-cloud-agent-agent", "session:../x"])
def test_a_task_that_is_nobodys_is_stopped(reconcile: Reconcile, fleet: Fleet, group: str) -> None:
    fleet.put(ID)
    arn = fleet.ecs.add("orphan", "", int(ago(3).timestamp()), None)
    fleet.ecs.tasks[-1]["group"] = group
    assert reconcile() == {"TaskStopped": 1}
    assert [(arn, "No live session has this task.")] == fleet.ecs.stopped
    assert reconcile() == {}


def test_a_task_of_a_live_session_is_stopped_when_its_row_names_a_newer_one(reconcile: Reconcile, fleet: Fleet) -> None:
    """RunTask was tried again, though it had started a task; the row names none, one that is older, or one newer."""
    older, newer = (timestamp(ago(minutes)) for minutes in (50, 3))
    fleet.put(ID)
    arn = fleet.ecs.add("tried again", ID, int(ago(40).timestamp()), None)
    for named, stopped in (({}, []), ({"task_created_at": older}, []), ({"task_created_at": newer}, [arn])):
        fleet.table.put_item(Item=fleet.row() | named)
        reconcile()
        assert [one for one, _ in fleet.ecs.stopped] == stopped


def test_a_task_that_has_just_been_started_is_given_time(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.ecs.add("young", OTHER, int(ago(1).timestamp()), None)
    assert reconcile() == {}


def test_a_task_of_another_family_is_none_of_ours(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.ecs.add("proxy", "ecs-svc/1", int(ago(60).timestamp()), None)
    fleet.ecs.tasks[0]["family"] = "claude-cloud-agent-proxy"
    assert reconcile() == {}


def test_a_task_of_the_staging_agent_without_a_session_is_stopped(reconcile: Reconcile, fleet: Fleet) -> None:
    arn = fleet.ecs.add("tried-out", OTHER, int(ago(60).timestamp()), None)
    fleet.ecs.tasks[0]["family"] = "claude-cloud-agent-staging-agent"
    assert reconcile() == {"TaskStopped": 1}
    assert [(arn, "No live session has this task.")] == fleet.ecs.stopped


def test_the_task_of_a_live_session_is_left_alone_though_it_holds_no_slot(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID)
    Slots(fleet.table.name).free(ID)
    assert reconcile() == {}


def test_a_running_session_whose_task_stopped_unheard_fails_with_ecss_words(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID)
    fleet.put(OTHER)
    words = {"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stoppedReason": "Host EC2 terminated"}
    fleet.ecs.tasks[0] |= words
    assert reconcile() == {"WaitFailed": 1}
    assert [(f"lifecycle-{ID}", "AgentTaskStoppedError", "Host EC2 terminated")] == fleet.step_functions.failed
    assert fleet.row()["task_stopped_reason"] == "Host EC2 terminated"
    assert "task_stopped_reason" not in fleet.row(OTHER)


def test_a_task_that_ecs_has_forgotten_has_stopped(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID)
    fleet.ecs.tasks.clear()
    assert reconcile() == {"WaitFailed": 1}
    assert fleet.row()["task_stopped_reason"] == "ECS no longer knows the task"


def test_a_task_that_is_still_stopping_is_left_to_ecss_own_event(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID)
    fleet.ecs.tasks[0] |= {"lastStatus": "STOPPING", "desiredStatus": "STOPPED"}
    assert reconcile() == {}
    assert fleet.step_functions.failed == []


def test_between_the_two_waits_the_note_is_what_keeps_the_session_from_parking(
    reconcile: Reconcile, fleet: Fleet
) -> None:
    fleet.put(ID, lifecycle_token=None)
    fleet.ecs.tasks.clear()
    assert reconcile() == {}
    assert "task_stopped_reason" in fleet.row()


def test_a_wait_that_is_over_already_is_not_counted(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID)
    fleet.ecs.tasks.clear()
    fleet.step_functions.late[f"lifecycle-{ID}"] = "TaskTimedOut"
    assert reconcile() == {}


def test_a_starting_session_without_a_task_is_left_to_the_workflows_own_timeouts(
    reconcile: Reconcile, fleet: Fleet
) -> None:
    fleet.put(ID, "STARTING", task=False)
    assert reconcile() == {}
    assert "task_stopped_reason" not in fleet.row()


# ---- endings


def test_an_end_that_the_execution_was_not_notified_of_is_sent_again(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, ending=ENDING)
    assert reconcile() == {"EndingRepeated": 1}
    assert [(f"lifecycle-{ID}", ENDING)] == fleet.step_functions.succeeded


@pytest.mark.parametrize("status", ["QUEUED", "STARTING"])
def test_an_end_reaches_the_first_waits_as_well(reconcile: Reconcile, fleet: Fleet, status: str) -> None:
    fleet.put(ID, status, ending=ENDING, start_token="start", lifecycle_token=None)
    assert reconcile() == {"EndingRepeated": 1}
    assert fleet.step_functions.failed == [("start", "SessionEndRequestedError", "The issue was closed.")]


def test_a_session_that_is_ending_already_ends_once(reconcile: Reconcile, fleet: Fleet) -> None:
    fleet.put(ID, ending=ENDING)
    fleet.step_functions.late[f"lifecycle-{ID}"] = "TaskDoesNotExist"
    assert reconcile() == {}


def test_an_end_that_was_asked_for_comes_before_a_failure_that_is_found(
    reconcile: Reconcile, fleet: Fleet, logs: io.StringIO
) -> None:
    fleet.put(ID, ending=ENDING)
    fleet.ecs.tasks.clear()
    reconcile()
    lines = [json.loads(line) for line in logs.getvalue().splitlines() if '"reconciled"' in line]
    assert [line["what"] for line in lines] == ["EndingRepeated", "WaitFailed"]


# ---- the reconciliation itself


def test_one_broken_session_does_not_stop_the_reconciliation_of_the_others(
    reconcile: Reconcile, fleet: Fleet, logs: io.StringIO
) -> None:
    fleet.put(ID, ending=ENDING)
    fleet.put(OTHER, ending=ENDING)
    fleet.put("00000001", status="FAILED", ended_at=timestamp(ago(3)))
    fleet.table.put_item(Item=session_key("00000002") | {"session_id": "00000002", "status": "ODD"})
    fleet.put("00000002", row=False, task=False)
    fleet.step_functions.late[f"lifecycle-{ID}"] = "AccessDeniedException"
    done = reconcile()
    assert {"TaskStopped": 0, **done} == {"RepairFailed": 2, "EndingRepeated": 1, "SlotFreed": 1, "TaskStopped": 0}
    assert [f"lifecycle-{OTHER}"] == [token for token, _ in fleet.step_functions.succeeded]
    failed = [json.loads(line)["of"] for line in logs.getvalue().splitlines() if "repair failed" in line]
    assert {ID, "00000002"} == set(failed)
    assert {ID, OTHER, "00000002"} == fleet.in_slots()  # a row that cannot be read is not a row that is gone


def test_one_duty_that_fails_does_not_stop_the_others(
    reconcile: Reconcile, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_permission(*_arguments: object, **_keywords: object) -> Any:  # noqa: ANN401 - ECS's answer
        raise PermissionError

    monkeypatch.setattr(fleet.ecs, "ListTasks", no_permission)
    fleet.put(ID, "QUEUED", start_token="wait-for-slot")
    assert reconcile() == {"RepairFailed": 1, "SlotGiven": 1}


def test_when_time_is_short_the_rest_waits_for_the_next_reconciliation(reconcile: Reconcile, fleet: Fleet) -> None:
    for number in range(5):
        fleet.put(f"{number:08x}", "FAILED", ended_at=timestamp(ago(3)))
    assert reconcile(60_000, 60_000, 1_000) == {"SlotFreed": 2}
    assert reconcile() == {"SlotFreed": 3}


def test_every_repair_is_logged_with_its_session(reconcile: Reconcile, fleet: Fleet, logs: io.StringIO) -> None:
    fleet.put(ID, ending=ENDING)
    reconcile()
    (line,) = [json.loads(line) for line in logs.getvalue().splitlines() if '"reconciled"' in line]
    assert (line["what"], line["of_session"]) == ("EndingRepeated", ID)
    assert f"lifecycle-{ID}" not in logs.getvalue()


def test_many_sessions_take_few_requests(reconcile: Reconcile, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request a session would not fit into a minute."""
    fleet.put(ID)
    fleet.put_many(250)
    asked: Counter[str] = Counter()
    for service in (fleet.ecs, fleet.step_functions):

        def count(operation: str, request: dict[str, Any], handle: Any = service.handle) -> dict[str, Any]:  # noqa: ANN401 - a method
            asked[operation] += 1
            return dict(handle(operation, request))

        monkeypatch.setattr(service, "handle", count)
    assert reconcile() == {}
    # Three pages of the usual agent's tasks, and one look for the staging agent's.
    assert asked == {"ListExecutions": 1, "ListTasks": 3 + 1, "DescribeTasks": 3}
