"""From a state's error to words that a person can act on."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloud_agent.domain.policy.failures import _EXPLANATIONS, explain, readable_reason

UNEXPECTED = "Something went wrong"


@given(error=st.text(max_size=300), cause=st.text(max_size=2_000))
@example(error="", cause="")
@example(error="RepositoryConfigError", cause="[" * 32_000)
@example(error="States.TaskFailed", cause="{" * 32_000)
@example(error="X", cause="1" * 32_000)
@example(error="X", cause="null")
@example(error="X", cause='{"errorMessage": null}')
@example(error="X", cause='"\\ud800"')
def test_every_error_is_explained(error: str, cause: str) -> None:
    failure = explain("Run Agent", error, cause)
    assert failure.what
    assert failure.advice
    assert error == failure.error


@pytest.mark.parametrize("error", [*_EXPLANATIONS, "Lambda.Unknown"])
def test_what_happened_stands_for_itself_and_has_no_markdown(error: str) -> None:
    what = explain("Run Agent", error, "").what
    assert "`" not in what
    assert "below" not in what


def test_a_lambdas_cause_is_shown_as_its_message_alone() -> None:
    cause = json.dumps(
        {"errorMessage": "acme/shop has no branch main.", "errorType": "X", "stackTrace": ["secret path"]}
    )
    assert explain("Run Agent", "RepositoryEmptyError", cause).detail == "acme/shop has no branch main."


@pytest.mark.parametrize("cause", ["plain words", "[1, 2]", '{"other": 1}', "{"])
def test_any_other_cause_is_shown_as_it_is(cause: str) -> None:
    assert cause == explain("Run Agent", "RepositoryConfigError", cause).detail


def test_an_unknown_error_is_shown_with_its_name() -> None:
    failure = explain("Run Agent", "Lambda.Unknown", "the function was killed")
    assert (failure.what, failure.detail) == (UNEXPECTED, "Lambda.Unknown: the function was killed")
    assert explain("Run Agent", "Lambda.Unknown", "").detail == "Lambda.Unknown"


@pytest.mark.parametrize("error", ["ECS.AmazonECSException", "AmazonECS.Unknown", "Ecs.ServerException"])
def test_a_refusal_of_ecs_is_about_image_and_subnets(error: str) -> None:
    failure = explain("Run Agent", error, "The subnet is gone")
    assert failure.what == "The agent's container couldn't be started"
    assert "image" in failure.advice
    assert f"{error}: The subnet is gone" == failure.detail


def test_a_permission_that_the_workflow_lacks_is_about_permissions() -> None:
    cause = "User: workflow is not authorized to perform: ecs:TagResource on resource: task"
    failure = explain("Run Agent", "ECS.AccessDeniedException", cause)
    assert "a permission is missing" in failure.what
    assert "permission" in failure.advice
    assert "image" not in failure.advice
    assert cause == failure.detail


def test_a_timeout_is_told_as_the_agents_only_where_the_agent_was_waited_for() -> None:
    assert "container wasn't ready in time" in explain("Run Agent", "States.Timeout", "").what
    assert "“Create Branch” timed out" in explain("Create Branch", "States.Timeout", "").what


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("RepositoryReadOnlyError", "The repository is archived, or the GitHub App doesn't have write access"),
        ("ECS.AmazonECSException", "The agent's container couldn't be started"),
        ("States.Timeout", "A step of the session timed out"),
        ("Lambda.Unknown", UNEXPECTED),
        ("The pull request was closed.", "The pull request was closed."),
        ("Stopped by octo-dev.", "Stopped by octo-dev."),
    ],
)
def test_a_failure_that_could_not_be_reported_is_no_bare_name(reason: str, words: str) -> None:
    assert words == readable_reason(reason)


REASONS = {
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): not found": "image couldn't be pulled",
    "Capacity is unavailable at this time. Please try again later": "AWS has no capacity",
    "You\u2019ve reached the limit on the number of vCPUs you can run": "quota of Fargate vCPUs is used up",
    "You've reached the limit on the number of tasks you can run concurrently": "quota of Fargate tasks is used up",
    "OutOfMemoryError: Container killed due to memory usage; exit code 137": "ran out of memory",
    "ResourceInitializationError: unable to pull secrets": "couldn't prepare the agent's container",
    "Essential container in task exited; exit code 1": "container stopped",
    "Timeout waiting for network interface provisioning; TaskFailedToStart": "container couldn't be started",
    "CannotPullContainerError: not found; TaskFailedToStart": "image couldn't be pulled",
}


@pytest.mark.parametrize("cause", REASONS)
def test_what_ecs_says_of_a_stopped_container_is_told_by_its_cause(cause: str) -> None:
    failure = explain("Run Agent", "AgentTaskStoppedError", cause)
    assert REASONS[cause] in failure.what
    assert cause == failure.detail


def test_a_container_that_ecs_has_no_room_for_is_told_as_that() -> None:
    failure = explain("Run Agent", "ECS.AmazonECSException", "Capacity is unavailable at this time.")
    assert "AWS has no capacity" in failure.what


def test_the_agents_own_words_are_not_taken_for_those_of_ecs() -> None:
    assert "clone" in explain("Run Agent", "CloneFailedError", "OutOfMemoryError in my program").what


# What the person has to be able to tell apart, by the error that stands for it.
KINDS = [
    *("GitHubUnavailableError", "GitHubRateLimitedError", "AppNotInstalledError", "RepositoryNotFoundError"),
    *("BranchProtectedError", "RepositoryEmptyError", "RepositoryReadOnlyError", "DefaultBranchNotFoundError"),
    *("CloneFailedError", "AgentTaskStoppedError"),
    *("UnexpectedAgentError", "RepositoryConfigError", "SessionStillEndingError"),
    *("NoFreeSlotError", "BranchTakenError", "States.HeartbeatTimeout", "States.Timeout"),
]


def test_every_kind_of_failure_has_words_of_its_own() -> None:
    assert len(KINDS) == len({explain("Run Agent", error, "").what for error in KINDS} - {UNEXPECTED})
