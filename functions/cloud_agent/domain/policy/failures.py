"""What a state's error means for people: what happened, and what they can do about it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from cloud_agent.domain.session.agent_task import FAILED_TO_START


@dataclass(frozen=True)
class Failure:
    """A failed session, explained. `what` is plain text; `detail` is the raw evidence, possibly empty."""

    error: str
    what: str
    advice: str
    detail: str

    @property
    def is_fixed_by_detail(self) -> bool:
        """Whether the detail names what people have to fix: it's shown then, not folded away."""
        return self.error in _FIXED_BY_DETAIL


_RETRY = "Try again in a few minutes. If it fails again, ask your administrator to check this session's execution"
_INSTALL = "Install the GitHub App on this repository (Settings → GitHub Apps) and check its permissions"
_LOOK = "Check this session's execution, linked below, for the cause"
_OPERATOR = "Ask your administrator to check this session's execution, linked below"

SETTINGS_FILE = ".github/claude-cloud-agent.yml"
SETTINGS_ERRORS = frozenset({"DefaultBranchConfigError", "RepositoryConfigError"})
_FIXED_BY_DETAIL = SETTINGS_ERRORS | {"NoFreeBranchNameError"}
# Error name -> what it means for people, and what to do. The error's own message is added as the detail.
# What happened is also shown where nothing else is, and unrendered, as on the session's page: it refers to nothing
# "below" and has no Markdown.
_EXPLANATIONS: dict[str, tuple[str, str]] = {
    "GitHubUnavailableError": (
        "GitHub didn't respond after several retries",
        "Check githubstatus.com, and try again once GitHub is up",
    ),
    "GitHubRateLimitedError": (
        "The GitHub App has reached its rate limit",
        "Wait until the limit resets (an hour at most)",
    ),
    "GitHubRequestError": ("GitHub rejected a request", _LOOK),
    "RepositoryNotFoundError": ("The GitHub App can't access this repository", _INSTALL),
    "AppNotInstalledError": (
        "The GitHub App isn't installed on this repository, or its installation is suspended",
        "Install the GitHub App on this repository, or unsuspend it (Settings → GitHub Apps)",
    ),
    "RepositoryEmptyError": (
        "The repository is empty",
        "Push a first commit to the default branch",
    ),
    "DefaultBranchNotFoundError": (
        "The repository's default branch doesn't exist",
        "Choose an existing branch (Settings → General → Default branch), or push the missing one",
    ),
    "RepositoryReadOnlyError": (
        "The repository is archived, or the GitHub App doesn't have write access",
        "Unarchive the repository, or grant the App write access to Contents, Pull requests, Issues and Deployments",
    ),
    "BranchProtectedError": (
        "A repository rule prevents the GitHub App from creating or updating the session's branch",
        "Allow the App to create `claude/*` branches (Settings → Rules)",
    ),
    "BranchTakenError": (
        "The session's branch is already used by another issue with the same key in its title",
        "Change the key in one of the two titles",
    ),
    "NoFreeBranchNameError": (
        "Other branches have every name that the session's branch could have",
        "Delete or rename the branches listed below",
    ),
    "NoFreeSlotError": (
        "The session waited a whole day, but all sessions were in use",
        "Close a pull request whose session is no longer needed, or ask your administrator to raise the limit",
    ),
    "SessionStillEndingError": (
        "The issue's previous session didn't end within ten minutes",
        _RETRY,
    ),
    "ConfigurationError": ("Claude Cloud Agent isn't fully configured", _OPERATOR),
    "TaskNotRunningError": ("The agent's container stopped before it could be reached", _RETRY),
    "ECS.AccessDeniedException": (
        "AWS refused to start the agent's container because a permission is missing",
        "Ask your administrator to grant the workflow's role the permission named in the details",
    ),
    "SessionNotFoundError": ("The session's record no longer exists", _RETRY),
    "SessionEndRequestedError": ("The session was asked to end", _RETRY),
    "SessionOverError": ("The session ended while it was starting", _RETRY),
    "AgentTaskStoppedError": ("The agent's container stopped", _LOOK),
    "States.HeartbeatTimeout": (
        "The agent's container stopped responding, or couldn't be started",
        _RETRY,
    ),
    "States.Timeout": (
        "The agent's container wasn't ready in time",
        _RETRY,
    ),
    "RepositoryConfigError": (
        f"{SETTINGS_FILE} can't be used",
        "Fix the file on the session's branch, or have a correct one on the default branch",
    ),
    "DefaultBranchConfigError": (
        f"{SETTINGS_FILE} can't be used",
        "Fix the file on the default branch",
    ),
    "ModelProviderError": (
        "The deployment's model isn't one of its provider's",
        "Ask your administrator to deploy with another `ClaudeModel`, or another `ModelProvider`",
    ),
    "CloneFailedError": (
        "The agent couldn't clone the branch",
        "Check that the branch still exists, and that the GitHub App has read access to Contents",
    ),
    "GitError": ("One of the agent's Git commands failed", _LOOK),
    "AgentApiRefusedError": ("The agent's request to Claude Cloud Agent's API was rejected", _LOOK),
    "AgentApiUnavailableError": ("The agent couldn't reach Claude Cloud Agent's API", _RETRY),
    "AgentError": ("The agent ended the session", _LOOK),
    "UnexpectedAgentError": ("The agent failed unexpectedly", _LOOK),
}
_ECS_UNKNOWN = (
    "The agent's container couldn't be started",
    "Ask your administrator to check that the agent's image exists and that the subnets have capacity and a route out",
)
# What ECS itself reports of a container or a task -> the same, more exactly. The first found in the cause counts.
_ECS_REASONS: dict[str, tuple[str, str]] = {
    "CannotPullContainerError": (
        "The agent's image couldn't be pulled",
        "Ask your administrator to check that the image exists, is reachable, and may be pulled",
    ),
    "CannotPullImageManifestError": (
        "The agent's image couldn't be pulled",
        "Ask your administrator to check that the image was built for the stack's `Architecture`",
    ),
    "ResourceInitializationError": (
        "AWS couldn't prepare the agent's container",
        "Ask your administrator to check that its secrets, log group and subnets are reachable",
    ),
    "Capacity is unavailable": (
        "AWS has no capacity for the agent's container right now",
        "Try again in a few minutes, or ask your administrator for subnets in more Availability Zones",
    ),
    "limit on the number of vCPUs": (
        "This AWS account's quota of Fargate vCPUs is used up",
        (
            "Ask your administrator to raise the quota “Fargate On-Demand vCPU resource count”, or to lower the "
            "parameter `MaxSessions` or `AgentCpu`"
        ),
    ),
    "limit on the number of tasks": (
        "This AWS account's quota of Fargate tasks is used up",
        "Ask your administrator to raise the quota, or to lower the parameter `MaxSessions`",
    ),
    "OutOfMemoryError": (
        "The agent's container ran out of memory",
        (
            "Ask your administrator to raise the parameter `AgentMemory`, or make the install command and the dev "
            "server use less"
        ),
    ),
    FAILED_TO_START: _ECS_UNKNOWN,
}
_UNEXPECTED = ("Something went wrong", _LOOK)
_NAME = re.compile(r"(\w+\.)?\w+")  # `AgentError`, `States.Timeout`: a sentence has spaces


def explain(state: str, error: str, cause: str) -> Failure:
    """Explain a state's Error and Cause, as Step Functions reports them. Never raises."""
    detail = message_of(cause)
    if error == "States.Timeout" and state != "Run Agent":
        return Failure(error, f"The step “{state}” timed out", _RETRY, detail)
    what, advice = _explanation(error, detail)
    return Failure(error, what, advice, detail if error in _EXPLANATIONS else f"{error}: {detail}".strip(": "))


def readable_reason(reason: str) -> str:
    """Return the reason as people may read it; of an unreported failure the workflow knows the name alone."""
    if reason == "States.Timeout":
        return "A step of the session timed out"
    return _explanation(reason, "")[0] if _NAME.fullmatch(reason) else reason


def _explanation(error: str, detail: str) -> tuple[str, str]:
    of_ecs = error.startswith(("ECS.", "Ecs.", "AmazonECS."))
    if of_ecs or error == "AgentTaskStoppedError":
        known = next((explanation for reason, explanation in _ECS_REASONS.items() if reason in detail), None)
        if known or of_ecs:
            return known or _EXPLANATIONS.get(error, _ECS_UNKNOWN)
    return _EXPLANATIONS.get(error, _UNEXPECTED)


def message_of(cause: str) -> str:
    """Return what a cause says: a failed Lambda's Cause is JSON around its errorMessage; every other Cause is text."""
    try:
        document = json.loads(cause)
    except (ValueError, RecursionError):  # an agent may send thousands of brackets
        return cause
    return str(document.get("errorMessage", cause)) if isinstance(document, dict) else cause
