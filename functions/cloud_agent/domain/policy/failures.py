"""From the error that a state ended with to plain words: what happened and what the person can do about it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from cloud_agent.domain.session.stopped_task import FAILED_TO_START


@dataclass(frozen=True)
class Failure:
    """A failed session, ready to be told: `detail` is the raw evidence, possibly empty."""

    error: str
    what: str
    advice: str
    detail: str


_AGAIN = "Try again in a few minutes; if it stays, ask whoever runs Claude Cloud Agent to look at the execution"
_INSTALL = "Install the GitHub App on this repository (Settings → GitHub Apps) and check its permissions"
_CONFIGURE = "Describe the dev server in `.github/claude-cloud-agent.yml` (`install`, `dev`, `port`, `health_path`)"
_LOOK = "Look at the details below, and for more at the execution linked at the end"
_OPERATOR = "Ask whoever runs Claude Cloud Agent to look at the details below"

# Error name -> what it means for the person, what to do. The error's own message is added as the detail.
_WORDS: dict[str, tuple[str, str]] = {
    "GitHubUnavailableError": (
        "GitHub did not answer, in spite of several retries",
        "Look at GitHub's status page, and try again when it is up",
    ),
    "GitHubRateLimitedError": (
        "GitHub's rate limit for this App is used up",
        "Wait until the limit resets, which is an hour at most",
    ),
    "GitHubRequestError": ("GitHub refused a request", _LOOK),
    "RepositoryNotFoundError": ("The App does not see this repository", _INSTALL),
    "AppNotInstalledError": (
        "The GitHub App is not installed here, or its installation is suspended",
        "Install the GitHub App on this repository, or unsuspend it (Settings → GitHub Apps)",
    ),
    "RepositoryEmptyError": (
        "The repository has no commit to start from",
        "Push a first commit to the default branch",
    ),
    "DefaultBranchNotFoundError": (
        "The repository's default branch does not exist",
        "Choose a branch that exists (Settings → General → Default branch), or push the one that is missing",
    ),
    "RepositoryReadOnlyError": (
        "The repository is archived, or the App may not write to it",
        "Unarchive the repository, or grant the App Contents, Pull requests, Issues and Deployments: write",
    ),
    "BranchProtectedError": (
        "A rule of this repository forbids the App to create or update the session's branch",
        "Allow the App to create `claude/*` branches in the repository's rules (Settings → Rules)",
    ),
    "BranchTakenError": (
        "The session's branch already belongs to another issue with the same key in its title",
        "Change the key in one of the two titles",
    ),
    "NoFreeSlotError": (
        "The session waited for a free slot for a day: as many were running as this installation allows",
        "Close a pull request whose session is no longer needed, or ask for a higher limit",
    ),
    "SessionStillEndingError": (
        "The issue's earlier session was asked to end and had not ended ten minutes later",
        _AGAIN,
    ),
    "ConfigurationError": ("This installation of Claude Cloud Agent is not fully configured", _OPERATOR),
    "TaskNotRunningError": ("The agent's container was gone before it could be reached", _AGAIN),
    "ECS.AccessDeniedException": (
        "AWS refused to start the agent's container: the workflow's role lacks a permission",
        "Ask whoever runs Claude Cloud Agent to grant it the permission that the details below name",
    ),
    "SessionNotFoundError": ("The session's row is gone from the sessions table", _AGAIN),
    "SessionEndRequestedError": ("The session was asked to end", _AGAIN),
    "SessionOverError": ("The session ended while it was being started", _AGAIN),
    "AgentTaskStoppedError": ("The agent's container stopped", _LOOK),
    "States.HeartbeatTimeout": (
        "Nothing was heard from the agent's container for several minutes: it hangs, or could not be started",
        _AGAIN,
    ),
    "States.Timeout": (
        "The agent's container was not ready in time",
        "See whether `install` and the dev server need less time than a session is given to start",
    ),
    "RepositoryConfigError": ("`.github/claude-cloud-agent.yml` cannot be used", "Correct the lines named below"),
    "DevServerNotConfiguredError": ("No dev server was found in this repository", _CONFIGURE),
    "InstallFailedError": ("The repository's `install` command failed", "Correct the command or the repository"),
    "DevServerNotReadyError": (
        "The repository's dev server never answered; the last lines of its log are below",
        _CONFIGURE,
    ),
    "CloneFailedError": (
        "The agent could not clone the branch",
        "See that the branch still exists, and that the App may read Contents of this repository",
    ),
    "GitError": ("A Git command of the agent failed", _LOOK),
    "AgentApiRefusedError": ("The agent was refused by this installation's own API", _LOOK),
    "AgentApiUnavailableError": ("The agent could not reach this installation's own API", _AGAIN),
    "AgentError": ("The agent ended the session", _LOOK),
    "UnexpectedAgentError": ("The agent met a fault it does not know", _LOOK),
}
_ECS_UNKNOWN = (
    "The agent's container could not be started",
    "Check that the agent's image exists and that the subnets have free capacity and a route out",
)
# What ECS itself says of a container or a task -> the same, more exactly. The first that is found in the cause counts.
_ECS_REASONS: dict[str, tuple[str, str]] = {
    "CannotPullContainerError": (
        "The agent's image could not be pulled",
        "Ask whoever runs Claude Cloud Agent to see that the image exists and can be reached, and may be pulled",
    ),
    "CannotPullImageManifestError": (
        "The agent's image could not be pulled",
        "Ask whoever runs Claude Cloud Agent to see that the image exists for linux/amd64",
    ),
    "ResourceInitializationError": (
        "AWS could not prepare the agent's container",
        "Ask whoever runs Claude Cloud Agent to see that secrets, log group and subnets can be reached",
    ),
    "Capacity is unavailable": (
        "AWS has no capacity for the agent's container at the moment",
        "Try again in a few minutes, or ask for subnets in more Availability Zones",
    ),
    "OutOfMemoryError": (
        "The agent's container ran out of memory",
        "Ask for more memory (the parameter `AgentMemory`), or have `install` and the dev server use less",
    ),
    FAILED_TO_START: _ECS_UNKNOWN,
}
_UNEXPECTED = ("Something unexpected went wrong", _LOOK)
_NAME = re.compile(r"(\w+\.)?\w+")  # `AgentError`, `States.Timeout`: what is said to people has spaces


def explain(state: str, error: str, cause: str) -> Failure:
    """Turn a state's Error and Cause, as Step Functions reports them, into words. Never raises."""
    detail = _message_of(cause)
    if error == "States.Timeout" and state != "Run Agent":
        return Failure(error, f"The step “{state}” was not done in time", _AGAIN, detail)
    what, advice = _words(error, detail)
    return Failure(error, what, advice, detail if error in _WORDS else f"{error}: {detail}".strip(": "))


def in_words(reason: str) -> str:
    """Return the reason as people may read it; of an unreported failure the workflow knows the name alone."""
    if reason == "States.Timeout":
        return "A step of the session was not done in time"
    return _words(reason, "")[0] if _NAME.fullmatch(reason) else reason


def _words(error: str, detail: str) -> tuple[str, str]:
    of_ecs = error.startswith(("ECS.", "Ecs."))
    if of_ecs or error == "AgentTaskStoppedError":
        known = next((words for reason, words in _ECS_REASONS.items() if reason in detail), None)
        if known or of_ecs:
            return known or _WORDS.get(error, _ECS_UNKNOWN)
    return _WORDS.get(error, _UNEXPECTED)


def _message_of(cause: str) -> str:
    """Read the cause: a failed Lambda's Cause is JSON around its errorMessage; every other Cause is text."""
    try:
        document = json.loads(cause)
    except (ValueError, RecursionError):  # the cause may be an agent's words: thousands of brackets, if it likes
        return cause
    return str(document.get("errorMessage", cause)) if isinstance(document, dict) else cause
