"""Errors by name: what the state machine matches exists, and what can reach a person is explained."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING, Any

import pytest

import cloud_agent_runner
from cloud_agent.adapters.aws.workflow import TASK_STOPPED
from cloud_agent.domain import errors
from cloud_agent.domain.policy.failures import explain
from cloud_agent.domain.session.agent_reports import REPORTED_ERRORS, Done
from cloud_agent_runner.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    Document = dict[str, Any]

# Of the Amazon States Language and the service integrations that the definition uses.
AWS = {
    "States.ALL",
    "States.HeartbeatTimeout",
    "States.Timeout",
    "DynamoDb.ConditionalCheckFailedException",
    "DynamoDb.InternalServerErrorException",
    "DynamoDb.ProvisionedThroughputExceededException",
    "DynamoDb.RequestLimitExceededException",
    "DynamoDb.ThrottlingException",
    "DynamoDb.TransactionCanceledException",
    "DynamoDb.TransactionConflictException",
    "DynamoDb.TransactionInProgressException",
    "AmazonECS.Unknown",
    "ECS.AmazonECSException",
    "ECS.ServerException",
    "ECS.ThrottlingException",
    "Ecs.EcsException",  # what the SDK does not model, such as throttling
    "Ecs.SdkClientException",
    "Ecs.ServerException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
}
# Raised to a webhook's sender alone.
WEBHOOK_ONLY = {"InvalidSignatureError", "NodeNotFoundError", "RequestOvertakenError", "UnreadableEventError"}
# The agent's own: over when the session is; an unusable environment is seen as a stopped task; a turn's result, or what
# is dealt with where its branch is brought up to date and pushed.
NOT_REPORTED = {
    *("SessionOverError", "SettingsError", "PublishFailedError", "PublishRefusedError", "SecretScanError"),
    *("BranchDeletedError", "BranchMovedError", "ConflictError", "PushRejectedError", "RewrittenConflictError"),
    "UnfinishedError",
}
UNEXPECTED = explain("Run Agent", "Nobody'sError", "").what


def _subclasses(base: type[Exception]) -> Iterator[type[Exception]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _domain() -> set[str]:
    return {cls.__name__ for cls in _subclasses(errors.CloudAgentError) if cls.__module__ == errors.__name__}


@pytest.fixture(scope="module")
def reported() -> set[str]:
    """The names that the agent may report at its end."""
    for module in pkgutil.iter_modules(cloud_agent_runner.__path__):
        if module.name != "__main__":  # it is the program, not a module of it
            importlib.import_module(f"cloud_agent_runner.{module.name}")
    own = {cls.__name__ for cls in _subclasses(AgentError)}
    assert own >= NOT_REPORTED
    return own - NOT_REPORTED | {"AgentError", "UnexpectedAgentError"}


def _matched(definition: Document) -> set[str]:
    return {
        error
        for state in definition["States"].values()
        for rule in state.get("Retry", []) + state.get("Catch", [])
        for error in rule["ErrorEquals"]
    }


def test_every_error_that_the_definition_matches_exists(definition: Document) -> None:
    assert set() == _matched(definition) - AWS - _domain()


def test_no_known_aws_error_has_outlived_its_use(definition: Document) -> None:
    assert set() == AWS - _matched(definition)


def test_only_what_a_retry_can_change_is_retried(definition: Document) -> None:
    retried = {e for s in definition["States"].values() for r in s.get("Retry", []) for e in r["ErrorEquals"]}
    assert {"GitHubUnavailableError", "GitHubRateLimitedError", "TaskNotRunningError"} == retried & _domain()


def test_both_names_for_a_task_that_was_not_started_are_retried_and_led_to_the_queue(definition: Document) -> None:
    run = definition["States"]["Run Agent"]
    names = ["AmazonECS.Unknown", "ECS.AmazonECSException"]  # AWS's own pages disagree
    (retrier,) = [one for one in run["Retry"] if set(names) & set(one["ErrorEquals"])]
    assert (names, names, "Out Of Capacity?") == (
        retrier["ErrorEquals"],
        run["Catch"][0]["ErrorEquals"],
        run["Catch"][0]["Next"],
    )


def test_every_error_of_the_functions_is_explained() -> None:
    assert set() == {name for name in _domain() - WEBHOOK_ONLY if explain("Run Agent", name, "").what == UNEXPECTED}


def test_every_error_of_the_agent_is_explained_and_no_other_can_be_reported(reported: set[str]) -> None:
    assert set() == {name for name in reported if explain("Run Agent", name, "").what == UNEXPECTED}
    assert reported == REPORTED_ERRORS
    for name in reported:
        assert name == Done(task_token="t", outcome="failed", error=name, message="").own_error


def test_no_error_of_the_functions_is_one_that_the_agent_can_report() -> None:
    assert set() == REPORTED_ERRORS & _domain()


def test_every_error_that_the_definition_makes_up_is_explained(asl_text: str) -> None:
    made_up = set(re.findall(r'"error": "(\w+Error)"', asl_text)) | {TASK_STOPPED}
    assert {"AgentTaskStoppedError", "BranchTakenError", "NoFreeSlotError", "SessionStillEndingError"} == made_up
    assert set() == {name for name in made_up if explain("Run Agent", name, "").what == UNEXPECTED}


@pytest.mark.parametrize(
    "error", ["States.Timeout", "States.HeartbeatTimeout", "ECS.AmazonECSException", "AmazonECS.Unknown"]
)
def test_every_way_in_which_aws_ends_the_wait_for_an_agent_is_explained(error: str) -> None:
    assert explain("Run Agent", error, "").what != UNEXPECTED
