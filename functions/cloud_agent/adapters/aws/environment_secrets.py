"""Secrets Manager: what a repository's dev server needs, kept under a name of the repository's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.aws import clients
from cloud_agent.domain.errors import CloudAgentError

if TYPE_CHECKING:
    from collections.abc import Iterable


class EnvironmentSecretError(CloudAgentError):
    """A secret that the repository's file names does not exist, or has no value that an environment can hold."""


class EnvironmentSecrets:
    """The secrets `<prefix>/<owner>/<repo>/<NAME>`. One repository's are out of every other's reach."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.rstrip("/")
        self._client = clients.secrets_manager()

    def values(self, repo: str, names: Iterable[str]) -> dict[str, str]:
        """Return the current value of each secret of this repository.

        Raises:
            EnvironmentSecretError: names every one that cannot be used, and says how to create it.
        """
        found = {name: self._value(f"{self._prefix}/{repo}/{name}") for name in dict.fromkeys(names)}
        missing = [f"{self._prefix}/{repo}/{name}" for name, value in found.items() if value is None]
        if missing:
            raise EnvironmentSecretError(
                f"`.github/claude-cloud-agent.yml` names {len(missing)} secret(s) that have no value in AWS Secrets "
                f"Manager: {', '.join(missing)}. Create each with: "
                "aws secretsmanager create-secret --name <one of these names> --secret-string <its value>"
            )
        return {name: value for name, value in found.items() if value is not None}

    def _value(self, secret_name: str) -> str | None:
        """None where there is no such secret, it is scheduled for deletion, or it is binary or has a null character."""
        try:
            value = self._client.get_secret_value(SecretId=secret_name).get("SecretString")
        except (
            self._client.exceptions.ResourceNotFoundException,
            self._client.exceptions.InvalidRequestException,
        ):
            return None
        return None if value is None or "\0" in value else value
