"""One repository on GitHub, as the App's installation sees it: the way in to everything else in here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cloud_agent.adapters.aws.secrets import read_github_credentials
from cloud_agent.adapters.github.conversation import Conversation
from cloud_agent.adapters.github.deployments import Deployments
from cloud_agent.adapters.github.installation_tokens import (
    CONVERSATION_PERMISSIONS,
    STEP_PERMISSIONS,
    InstallationTokens,
)
from cloud_agent.adapters.github.repository import Repository
from cloud_agent.adapters.github.repository_requests import RepositoryRequests
from cloud_agent.adapters.github.requests import LONG, SHORT, GitHubRequests, Patience

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_agent.settings import GitHubSettings


@dataclass(frozen=True)
class Caller:
    """What a caller's token permits, and how long it waits."""

    permissions: Mapping[str, str]
    patience: Patience


WEBHOOK = Caller(CONVERSATION_PERMISSIONS, SHORT)
STEP = Caller(STEP_PERMISSIONS, LONG)


class GitHub:
    """One repository's branches, conversation and Deployments.

    Every method raises GitHubUnavailableError or GitHubRateLimitedError, both worth a later try, and whatever
    `errors.of_repository` names where a later try changes nothing. Only GETs are sent twice: a POST that GitHub
    answered with an error may still have been carried out, so the caller tries again and looks first.
    """

    def __init__(self, requests: RepositoryRequests) -> None:
        self.repository = Repository(requests)
        self.conversation = Conversation(requests)
        self.deployments = Deployments(requests)


def connect(settings: GitHubSettings, repo: str, installation_id: int | None, caller: Caller = STEP) -> GitHub:
    """Open a repository with the deployment's credentials; a warm worker needs no request for that.

    Raises:
        CloudAgentError: as `InstallationTokens.token` and `read_github_credentials` do.
    """
    tokens = InstallationTokens(settings.github_api_url, read_github_credentials(settings.github_secret_arn))
    token = tokens.remembered_token(repo, installation_id, caller.permissions)
    requests = GitHubRequests(settings.github_api_url, caller.patience)
    return GitHub(RepositoryRequests(requests, token.value, repo, on_refusal=partial(tokens.forget, token)))
