"""The definition on moto's interpreter goes the same ways as on the embedded AWS, and its expressions mean the same."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from tests.asl.second_opinion.engines import HAS_REFERENCE, settled
from tests.asl.second_opinion.interpreter import DEFINITION, SESSION, StepError
from tests.asl.test_session_path import GOOD_PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.asl.second_opinion.engines import Engines
    from tests.asl.second_opinion.interpreter import Execution, Json

# After 120 tries, with another transaction at the same moment, and without capacity, which moto's ECS always has.
NEVER_EVALUATED = {
    "$contains($refusal, 'TransactionConflict') and $claims < 120",
    (
        "$contains($failure.cause, /Capacity is unavailable|limit on the number of (tasks|vCPUs)/)"
        " and $millis() < $queuedUntil"
    ),
    "$refusals + 1",
    "$fromMillis($millis() + 1000 * $min([300, 60 * $power(2, $refusals)]))",
    "$notBefore",
    "'Session ' & $session.follows & ' was asked to end, but has not been closed within 10 minutes.'",
}
ENDING = {"status": "STOPPED", "reason": "A person said so."}


def raising(error: str) -> Callable[[Json], Json]:
    """A step that fails."""

    def step(_: Json) -> Json:
        raise StepError(error, "As asked.")

    return step


def test_a_session_goes_from_its_claim_to_its_end(execution: Execution) -> None:
    execution.start()
    execution.agent_is_ready()
    execution.succeed(execution.token_in_row("lifecycle_token"), status="COMPLETED", reason="The work is merged.")
    ended = execution.ended()
    assert ended["status"] == "SUCCEEDED", ended
    assert json.loads(ended["output"]) == {"status": "COMPLETED", "reason": "The work is merged."}
    assert execution.states() == GOOD_PATH
    assert execution.row()["issue_title"] == 'It says "no"'


def test_a_session_waits_in_the_queue_until_it_is_given_a_slot(execution: Execution) -> None:
    taken = iter([False, True])
    execution.steps["TakeSlot"] = lambda _: {"taken": next(taken)}
    execution.start(agent="staging", installation_id=None)
    execution.succeed(execution.token_in_row("start_token"))
    execution.agent_is_ready()
    execution.fail(execution.token_in_row("lifecycle_token"), "AgentTaskStoppedError")
    assert execution.ended()["error"] == "AgentTaskStoppedError"
    queue = ["Take Slot", "Slot Taken?", "Wait For Slot", "Take Slot", "Slot Taken?", "Run Agent"]
    assert execution.states()[4:10] == queue


def test_a_step_that_fails_is_reported_and_the_session_closed(execution: Execution) -> None:
    execution.steps["CreateBranch"] = raising("BranchProtectedError")
    execution.start()
    ended = execution.ended()
    assert (ended["status"], ended["error"]) == ("FAILED", "BranchProtectedError")
    unwinding = ["Read Ending", "End Requested?", "Report Failure", "Find Task", "Task Running?", "Close Session"]
    assert execution.states()[3:] == [*unwinding, "Ended Well?", "Session Failed"]


def test_a_step_that_github_could_not_answer_is_tried_again(execution: Execution) -> None:
    tries = iter([raising("GitHubUnavailableError"), execution.steps["CreateBranch"]])

    def create_branch(event: Json) -> Json:
        return next(tries)(event)

    execution.steps["CreateBranch"] = create_branch
    execution.steps["OpenDraftPullRequest"] = raising("PullRequestRefusedError")
    execution.steps["ReportFailure"] = raising("GitHubRefusedError")
    execution.start()
    assert execution.ended()["error"] == "PullRequestRefusedError"
    assert execution.called[:3] == ["CreateBranch", "CreateBranch", "OpenDraftPullRequest"]


def test_an_end_that_is_asked_for_while_it_starts_is_no_failure(execution: Execution) -> None:
    execution.start()
    token = execution.token_of_task()
    execution.set(ending=ENDING)
    execution.fail(token, "SessionEndRequestedError")
    ended = execution.ended()
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", ENDING)
    assert "ReportFailure" not in execution.called


@pytest.mark.parametrize("step", ["RegisterIp", "CloseSession"])
def test_each_later_step_that_fails_is_reported_too(execution: Execution, step: str) -> None:
    execution.steps[step] = raising("SomethingError")
    execution.start()
    execution.agent_is_ready()
    if step == "CloseSession":
        execution.succeed(execution.token_in_row("lifecycle_token"), status="COMPLETED", reason="The work is merged.")
    assert execution.ended()["error"] == "SomethingError"


@pytest.mark.parametrize(
    ("row", "states"),
    [
        ({"pk": f"SESSION#{SESSION}", "sk": "CANCELLED"}, ["Session Cancelled"]),
        ({"pk": "ISSUE#12#7", "sk": "LOCK", "session_id": "9", "expires_at": 2**40}, ["Session Already Live"]),
        ({"pk": "BRANCH#12#claude/AGNTS-7", "sk": "ISSUE", "issue_number": 8}, ["Report Failure"]),
        ({"pk": f"SESSION#{SESSION}", "sk": "SESSION", "status": "QUEUED"}, ["Create Branch"]),
    ],
    ids=["cancelled", "live", "branch", "claimed"],
)
def test_a_refused_claim_goes_where_dynamodbs_reasons_lead(execution: Execution, row: Json, states: list[str]) -> None:
    execution.steps["CreateBranch"] = raising("SomethingError")
    execution.table.put_item(Item=row)
    execution.start()
    execution.ended()
    assert execution.states()[2:4] == ["Why Refused?", *states]


def test_a_session_that_follows_another_waits_for_its_end(execution: Execution) -> None:
    lock = {"pk": "ISSUE#12#7", "sk": "LOCK", "session_id": "9", "expires_at": 2**40}
    execution.steps["CreateBranch"] = raising("SomethingError")
    execution.table.put_item(Item=lock)
    execution.start(follows="9")
    execution.reaches("Wait For Previous Session")
    execution.table.delete_item(Key={"pk": lock["pk"], "sk": lock["sk"]})
    execution.ended()
    claimed = ["Why Refused?", "Wait For Previous Session", "Claim Session", "Create Branch"]
    assert execution.states()[-12:-8] == claimed or execution.states()[2:6] == claimed


def test_both_engines_give_every_expression_the_same_value(engines: Engines) -> None:
    """Those of all executions above, and one by itself: moto has no $hash."""
    if not HAS_REFERENCE:
        pytest.skip("Node.js or its packages are missing: `make lint` installs them where there is npm")
    assert engines.evaluate("$hash('a.b-c', 'SHA-256')") == sha256(b"a.b-c").hexdigest()
    assert len(engines.evaluated) > 100
    assert engines.differences == []


def test_every_expression_was_evaluated_but_those_of_a_long_wait(engines: Engines) -> None:
    written = {str(json.loads(f'"{text}"')) for text in re.findall(r'"\{% (.*?) %\}"', DEFINITION)}
    evaluated = "\n".join(engines.evaluated)

    def pattern(expression: str) -> str:
        return re.sub(r"\\\$\\\{\w+\\\}", "[^']*", re.escape(settled(expression)))

    assert {one for one in written if not re.search(pattern(one), evaluated)} == NEVER_EVALUATED
