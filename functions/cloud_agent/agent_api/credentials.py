"""What a session's container is entrusted with: its repository's Git token and the secrets of its dev server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from cloud_agent.adapters.aws.environment_secrets import EnvironmentSecrets
from cloud_agent.adapters.aws.secrets import read_github_credentials
from cloud_agent.adapters.github.installation_tokens import (
    GIT_PERMISSIONS,
    WORKFLOW_PERMISSIONS,
    InstallationTokens,
)
from cloud_agent.agent_api.responses import Environment, GitToken
from cloud_agent.agent_api.routes import Routes
from cloud_agent.domain.session.agent_reports import EnvironmentNames
from cloud_agent.observability import logger
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session

routes = Routes()


@routes.request("POST", "/agent/git-token", GitToken)
def git_token(session: Session) -> GitToken:
    """Return a token that can clone and push this session's repository alone, for at most an hour."""
    settings = load(AgentApiSettings)
    tokens = InstallationTokens(settings.github_api_url, read_github_credentials(settings.github_secret_arn))
    permissions = GIT_PERMISSIONS | (WORKFLOW_PERMISSIONS if settings.allow_workflow_changes else {})
    token = tokens.token(session.repository, permissions)
    return GitToken(
        username="x-access-token",
        token=token.value,
        expires_at=token.expires_at,
        revocation_url=tokens.revocation_url,
    )


@routes.report("/agent/environment", TypeAdapter(EnvironmentNames), Environment)
def environment(session: Session, wanted: EnvironmentNames) -> Environment:
    """Return the values of secrets of this session's own repository: all that are asked for, or none."""
    values = EnvironmentSecrets(load(AgentApiSettings).environment_secret_prefix).values(session.repo, wanted.names)
    logger.info("environment handed out", extra={"secrets": len(values)})
    return Environment(values=values)
