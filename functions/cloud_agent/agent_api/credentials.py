"""What a session's container is entrusted with: its repository's Git tokens and the secrets of its dev server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from cloud_agent.adapters.aws.environment_secrets import EnvironmentSecrets
from cloud_agent.adapters.github.connection import installation_tokens
from cloud_agent.adapters.github.installation_tokens import GIT_PERMISSIONS, READ_PERMISSIONS, WORKFLOW_PERMISSIONS
from cloud_agent.agent_api.responses import Environment, GitToken
from cloud_agent.agent_api.routes import Routes
from cloud_agent.domain.session.agent_reports import EnvironmentNames
from cloud_agent.observability import logger
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from cloud_agent.adapters.github.tokens import Token
    from cloud_agent.domain.session.session import Session

routes = Routes()


@routes.request("POST", "/agent/git-read-token", GitToken)
def git_read_token(session: Session) -> GitToken:
    """Return a token that can read this session's repository and nothing else, for five minutes at least.

    All sessions of the repository are given the same one while it lives: GitHub allows requests by the hour, and
    whoever has a session has its repository's files already.
    """
    token = installation_tokens(load(AgentApiSettings)).shared_token(session.repository, READ_PERMISSIONS)
    return _git_token(token, revocation_url=None)


@routes.request("POST", "/agent/git-token", GitToken)
def git_token(session: Session) -> GitToken:
    """Return a new token that can push to this session's repository alone, for at most an hour."""
    settings = load(AgentApiSettings)
    tokens = installation_tokens(settings)
    permissions = GIT_PERMISSIONS | (WORKFLOW_PERMISSIONS if settings.allow_workflow_changes else {})
    return _git_token(tokens.token(session.repository, permissions), revocation_url=tokens.revocation_url)


@routes.report("/agent/environment", TypeAdapter(EnvironmentNames), Environment)
def environment(session: Session, wanted: EnvironmentNames) -> Environment:
    """Return the values of secrets of this session's own repository: all that are asked for, or none."""
    values = EnvironmentSecrets(load(AgentApiSettings).environment_secret_prefix).values(session.repo, wanted.names)
    logger.info("environment handed out", extra={"secrets": len(values)})
    return Environment(values=values)


def _git_token(token: Token, *, revocation_url: str | None) -> GitToken:
    return GitToken(
        username="x-access-token", token=token.value, expires_at=token.expires_at, revocation_url=revocation_url
    )
