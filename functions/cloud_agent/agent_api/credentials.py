"""What a session's container is entrusted with: its repository's Git token and the secrets of its dev server."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import TypeAdapter

from cloud_agent.adapters.aws.environment_secrets import EnvironmentSecrets
from cloud_agent.adapters.aws.secrets import read_github_credentials
from cloud_agent.adapters.github.installation_tokens import GIT_PERMISSIONS, InstallationTokens
from cloud_agent.agent_api.requests import answer, open_session, read
from cloud_agent.domain.session.agent_reports import EnvironmentNames
from cloud_agent.observability import logger
from cloud_agent.settings import AgentApiSettings, load

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]  # Powertools does not annotate it


@router.post("/agent/git-token")
def git_token() -> Response[str]:
    """Return a token that can clone and push this session's repository alone, for at most an hour."""
    settings, session = load(AgentApiSettings), open_session(router.current_event)
    tokens = InstallationTokens(settings.github_api_url, read_github_credentials(settings.github_secret_arn))
    token = tokens.token(session.repo, session.installation_id, GIT_PERMISSIONS)
    return answer(
        HTTPStatus.OK,
        {"username": "x-access-token", "token": token.value, "expires_at": token.expires_at},
    )


@router.post("/agent/environment")
def environment() -> Response[str]:
    """Return the values of this session's own repository's secrets; all that are asked for, or none."""
    session, report = open_session(router.current_event), read(router.current_event, TypeAdapter(EnvironmentNames))
    values = EnvironmentSecrets(load(AgentApiSettings).environment_secret_prefix).values(session.repo, report.names)
    logger.info("environment handed out", extra={"secrets": len(values)})
    return answer(HTTPStatus.OK, {"values": values})
