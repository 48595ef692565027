"""Errors by the names that stand in `ErrorEquals` of the state machine.

Step Functions matches a failed Lambda state by the exception's class name, so a name here is a contract:
`tests/contract` holds every `ErrorEquals` entry to a class of this module or to an error of AWS.
"""

from __future__ import annotations


class CloudAgentError(Exception):
    """Base of every error this system raises on purpose. Its text is shown to the person on the pull request."""


class ConfigurationError(CloudAgentError):
    """The deployment lacks something only its owner can provide: a secret's value, a permission."""


class GitHubUnavailableError(CloudAgentError):
    """GitHub answered 5xx, timed out or dropped the connection. Worth a retry."""


class GitHubRateLimitedError(CloudAgentError):
    """GitHub's primary or secondary rate limit is used up. Worth a later retry."""


class GitHubRequestError(CloudAgentError):
    """GitHub refused a request for a reason that a retry will not change."""


class NodeNotFoundError(GitHubRequestError):
    """GraphQL has nothing by this global id, or nothing that the App may see."""


class RepositoryNotFoundError(CloudAgentError):
    """The repository does not exist, or the App is not installed on it."""


class RepositoryEmptyError(CloudAgentError):
    """The repository has no commit on its default branch to start from."""


class DefaultBranchNotFoundError(CloudAgentError):
    """The repository has commits, but not the branch that the session was to start from."""


class RepositoryReadOnlyError(CloudAgentError):
    """The repository is archived, or the App lacks a permission it needs."""


class BranchProtectedError(CloudAgentError):
    """A rule of the repository forbids creating or updating the session's branch."""


class NoFreeBranchNameError(CloudAgentError):
    """Every name that the session's branch could have belongs to a branch that no session created."""


class AppNotInstalledError(CloudAgentError):
    """The GitHub App's installation is gone or suspended."""


class SessionNotFoundError(CloudAgentError):
    """No row carries this session's id."""


class SessionOverError(CloudAgentError):
    """The session has ended; what was asked of it can no longer be done."""


class RequestOvertakenError(CloudAgentError):
    """Another session of the same issue was requested between the look at its sessions and the request."""


class TaskNotRunningError(CloudAgentError):
    """ECS knows no running task of this session, or gave it no private address."""


class InvalidSignatureError(CloudAgentError):
    """The webhook's signature is missing or is not that of the shared secret over the raw body."""


class UnreadableEventError(CloudAgentError):
    """The webhook's body is not the JSON object that its event promises."""
