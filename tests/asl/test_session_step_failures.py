"""What the workflow does when the function of a state fails: once, for good, or by an error that no retry cures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.policy.failures import explain
from cloud_agent.observability import StepEvent
from cloud_agent.workflow.announce_session import AnnounceSessionEvent
from cloud_agent.workflow.close_session import CloseSessionEvent
from cloud_agent.workflow.register_ip import RegisterIpEvent

if TYPE_CHECKING:
    from tests.asl.conftest import Run, SessionWorkflow

GITHUB_STEPS = {
    "create_branch": "Create Branch",
    "open_draft_pull_request": "Open Draft Pull Request",
    "announce_session": "Announce Session",
}
GITHUB_ERRORS = ["GitHubUnavailableError", "GitHubRateLimitedError"]
LAMBDA_ERRORS = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
]
STEPS = GITHUB_STEPS | {"take_slot": "Take Slot", "register_ip": "Register IP"}
UNWINDING = ["Find Task", "Task Running?", "Close Session", "Ended Well?", "Session Failed"]
UNWINDING_A_TASK = ["Find Task", "Task Running?", "Stop Task", *UNWINDING[2:]]
TASK_NEVER_STARTED = {"create_branch", "open_draft_pull_request", "take_slot"}


def assert_failed_as_told(workflow: SessionWorkflow, run: Run, step: str, error: str) -> None:
    ended, reported = workflow.ended(run), workflow.reported(run)
    assert ("FAILED", error) == (ended["status"], ended["error"])
    assert (STEPS[step], error) == (reported.state, reported.error)
    assert f"{step} fails as asked" in explain(reported.state, reported.error, reported.cause).detail
    assert run.session == reported.session
    way_down = [
        STEPS[step],
        "Read Ending",
        "End Requested?",
        "Report Failure",
        *(UNWINDING if step in TASK_NEVER_STARTED else UNWINDING_A_TASK),
    ]
    assert way_down == workflow.states(run)[-len(way_down) :]
    row = workflow.row(run.session)
    assert row
    assert (row["status"], row["end_reason"]) == ("FAILED", "It failed, in plain words.")
    assert workflow.is_cleaned_up(run)


def test_an_error_of_the_domain_fails_the_session_at_the_first_try(workflow: SessionWorkflow, machine: str) -> None:
    script = {"errors": ["RepositoryNotFoundError"] * 99}
    runs = {step: workflow.start(machine, workflow.request(), **{step: script}) for step in STEPS}
    for step, run in runs.items():
        assert_failed_as_told(workflow, run, step, "RepositoryNotFoundError")
        assert workflow.calls(run, step) == 1


def test_a_github_that_stays_away_fails_the_session_after_five_retries(workflow: SessionWorkflow, machine: str) -> None:
    errors = ["GitHubUnavailableError", "GitHubRateLimitedError", "GitHubUnavailableError"]
    runs = {
        step: workflow.start(machine, workflow.request(), **{step: {"errors": [error] * 99}})
        for step, error in zip(GITHUB_STEPS, errors, strict=True)
    }
    for (step, run), error in zip(runs.items(), errors, strict=True):
        assert_failed_as_told(workflow, run, step, error)
        assert workflow.calls(run, step) == 6
        (state,) = (one for one in workflow.history(run) if one.name == STEPS[step])
        assert (state.attempts, state.error, state.cause) == (6, error, f"{step} fails as asked")


def test_what_passes_by_itself_is_never_noticed(workflow: SessionWorkflow, machine: str) -> None:
    """Each kind of error that is worth a retry, at each of the steps that can have it; half of them in one session."""
    scripts = []
    for half in (0, 1):
        lambda_errors, github_errors = LAMBDA_ERRORS[half::2], GITHUB_ERRORS[half::2]
        script = {step: {"errors": lambda_errors} for step in STEPS}
        script |= {step: {"errors": github_errors + lambda_errors} for step in (*GITHUB_STEPS, "close_session")}
        scripts.append(script)
    runs = [workflow.start(machine, workflow.request(), **script) for script in scripts]
    for run, script in zip(runs, scripts, strict=True):
        assert workflow.finish(run)["status"] == "SUCCEEDED"
        calls = {step: workflow.calls(run, step) for step in script}
        assert {step: len(script[step]["errors"]) + 1 for step in script} == calls
        assert workflow.calls(run, "report_failure") == 0
        assert workflow.is_cleaned_up(run)


def test_report_failure_is_retried_like_every_other_step(workflow: SessionWorkflow, machine: str) -> None:
    run = workflow.start(
        machine,
        workflow.request(),
        create_branch={"errors": ["RepositoryEmptyError"]},
        report_failure={"errors": ["GitHubUnavailableError"] * 5},
    )
    assert_failed_as_told(workflow, run, "create_branch", "RepositoryEmptyError")
    assert workflow.calls(run, "report_failure") == 6


def test_the_steps_run_with_the_events_their_functions_read(workflow: SessionWorkflow, machine: str) -> None:
    run = workflow.start(machine, workflow.request())
    workflow.finish(run)
    models: dict[str, type[StepEvent]] = {
        "create_branch": StepEvent,
        "open_draft_pull_request": StepEvent,
        "take_slot": StepEvent,
        "register_ip": RegisterIpEvent,
        "announce_session": AnnounceSessionEvent,
        "close_session": CloseSessionEvent,
    }
    for step, model in models.items():
        event = model.model_validate(workflow.event(run, step))
        assert (run.session, run.arn) == (event.session, event.execution_arn)
