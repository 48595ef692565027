"""One repository on GitHub, as the App's installation sees it: the way in to everything else in here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cloud_agent.adapters.aws.secrets import read_github_credentials
from cloud_agent.adapters.github.conversation import Conversation
from cloud_agent.adapters.github.deployments import Deployments
from cloud_agent.adapters.github.finished_turns import FinishedTurns
from cloud_agent.adapters.github.installation_tokens import OWN_PERMISSIONS, InstallationTokens
from cloud_agent.adapters.github.rendered_texts import RenderedTexts
from cloud_agent.adapters.github.repository import Repository
from cloud_agent.adapters.github.repository_requests import RepositoryRequests
from cloud_agent.adapters.github.requests import LONG, GitHubRequests, Patience
from cloud_agent.adapters.table.shared_tokens import SharedTokens

if TYPE_CHECKING:
    from cloud_agent.adapters.github.tokens import Token
    from cloud_agent.domain.session.repository import GitHubRepository
    from cloud_agent.settings import GitHubSettings


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
        self.finished_turns = FinishedTurns(requests)
        self.rendered_texts = RenderedTexts(requests)


def connect(settings: GitHubSettings, repository: GitHubRepository, patience: Patience = LONG) -> GitHub:
    """Open a repository with the deployment's credentials; where any function did within the hour, without a request.

    Raises:
        CloudAgentError: as `InstallationTokens.token` and `read_github_credentials` do.
    """
    tokens = installation_tokens(settings)
    token = tokens.remembered_token(repository, OWN_PERMISSIONS)
    return _open(settings, tokens, token, repository, patience)


def connect_for_all(settings: GitHubSettings, repository: GitHubRepository, patience: Patience = LONG) -> GitHub:
    """As `connect`, and leave the token for the other functions. For those whose roles write to the table anyway."""
    tokens = installation_tokens(settings)
    token = tokens.shared_token(repository, OWN_PERMISSIONS)
    return _open(settings, tokens, token, repository, patience)


def installation_tokens(settings: GitHubSettings) -> InstallationTokens:
    """Return where the deployment's functions have their tokens from, with those that they share."""
    credentials = read_github_credentials(settings.github_secret_arn)
    shared = SharedTokens(settings.sessions_table, credentials.private_key)
    return InstallationTokens(settings.github_api_url, credentials, shared=shared)


def _open(
    settings: GitHubSettings, tokens: InstallationTokens, token: Token, repository: GitHubRepository, patience: Patience
) -> GitHub:
    requests = GitHubRequests(settings.github_api_url, patience)
    return GitHub(RepositoryRequests(requests, token.value, repository, on_refusal=partial(tokens.forget, token)))
