"""A repository's Deployments: GitHub's own box on the pull request, with an address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from cloud_agent.adapters.github.documents import DeploymentDocument

if TYPE_CHECKING:
    from cloud_agent.adapters.github.repository_requests import RepositoryRequests


class Deployments:
    """The Deployments of one repository. Raises as `connection.GitHub` does."""

    def __init__(self, requests: RepositoryRequests) -> None:
        self._requests = requests

    def create(self, branch: str, environment: str, session_id: str) -> DeploymentDocument:
        """Create a Deployment of the branch that carries the session's id."""
        body = {
            "ref": branch,
            "environment": environment,
            "description": "The repository's dev server, live while Claude works",
            "payload": {"session_id": session_id},
            "required_contexts": [],
            "auto_merge": False,
            "transient_environment": True,
        }
        return self._requests.send("POST", "/deployments", body).read(DeploymentDocument)

    def find(self, environment: str, session_id: str) -> DeploymentDocument | None:
        """Return the environment's Deployment that carries the session's id."""
        path = f"/deployments?per_page=100&environment={quote(environment, safe='')}"
        return next(
            (
                deployment
                for page in self._requests.pages(path, list[DeploymentDocument])
                for deployment in page
                if deployment.payload == {"session_id": session_id}
            ),
            None,
        )

    def set_state(self, deployment_id: int, state: str, log_url: str, environment_url: str = "") -> None:
        """Say how a Deployment goes. Others of its environment are left as they are."""
        body = {"state": state, "log_url": log_url, "environment_url": environment_url, "auto_inactive": False}
        self._requests.send("POST", f"/deployments/{deployment_id}/statuses", body)
