"""By which name people mention the App."""

from __future__ import annotations

from cloud_agent.adapters.aws.secrets import read_github_credentials
from cloud_agent.adapters.github.documents import RegisteredName
from cloud_agent.adapters.github.errors import of_app
from cloud_agent.adapters.github.installation_tokens import app_token
from cloud_agent.adapters.github.requests import SHORT, GitHubRequests
from cloud_agent.worker import once_per_worker

_OK = 200


@once_per_worker
def app_name(api_url: str, secret_arn: str) -> str:
    """Return the App's name in mentions, asked for once per Lambda worker; "" where a personal token is used.

    That token's account may be a person's, who is spoken to by their name.

    Raises:
        CloudAgentError: as `read_github_credentials`, `GitHubRequests.send` and `errors.of_app` do.
    """
    credentials = read_github_credentials(secret_arn)
    if credentials.token:
        return ""
    response = GitHubRequests(api_url, SHORT).send("GET", "/app", app_token(credentials))
    if response.status != _OK:
        raise of_app(response)
    return response.read(RegisteredName).slug
