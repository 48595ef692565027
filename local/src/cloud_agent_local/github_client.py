"""GitHub's REST API as local mode uses it: a person's token, and the App's own."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import httpx
import jwt

from cloud_agent_local.errors import PartFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_local.installation import Installation


@dataclass(frozen=True)
class Credentials:
    """What the local GitHub made on its first start."""

    app_id: str
    client_id: str
    client_secret: str
    private_key_pem: str
    token: str
    owner: str

    @classmethod
    def read(cls, github_dir: Path) -> Credentials:
        """From the local GitHub's data directory."""
        document = json.loads((github_dir / "credentials.json").read_text())
        return cls(**{field.name: str(document[field.name]) for field in fields(cls)})

    def app_token(self) -> str:
        """Return a JSON Web Token for the App's own endpoints, valid for five minutes."""
        now = int(time.time())
        return jwt.encode({"iss": self.app_id, "iat": now - 30, "exp": now + 300}, self.private_key_pem, "RS256")


class GitHubClient:
    """A few calls to GitHub's REST API; every response that is not a success is an error with GitHub's words."""

    def __init__(self, installation: Installation, token: str | None = None) -> None:
        """Speak for whoever the token belongs to; without one, for the person the local GitHub began with."""
        self.credentials = Credentials.read(installation.github_dir)
        self._token = token or self.credentials.token
        self._http = httpx.Client(base_url=installation.github_api_url, timeout=15, trust_env=False)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, as_app: bool = False) -> Any:  # noqa: ANN401 - a JSON document
        """Return the response's JSON document.

        Raises:
            PartFailedError: GitHub refused or did not respond.
        """
        token = self.credentials.app_token() if as_app else self._token
        try:
            response = self._http.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
        except httpx.HTTPError as error:
            raise PartFailedError(f"The local GitHub did not respond to {method} {path}: {error}") from error
        if not response.is_success:
            raise PartFailedError(
                f"The local GitHub answered {response.status_code} to {method} {path}: {response.text}"
            )
        return response.json() if response.content else None

    def exists(self, path: str) -> bool:
        """Whether a GET of the path succeeds."""
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._http.get(path, headers=headers).is_success
