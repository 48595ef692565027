"""Amazon Bedrock: the gateway signs, so that the task role's credentials stay in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ContainerProvider
from botocore.exceptions import BotoCoreError

from cloud_agent_runner.model.api import CredentialsUnavailableError, ModelApi, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import Credentials, ReadOnlyCredentials
    from starlette.requests import Request

    from cloud_agent_runner.settings import Platform

_SERVICE = "bedrock"
_DEFAULT_REGION = "us-east-1"  # as Claude Code has it, where no platform says


class BedrockApi(ModelApi):
    """InvokeModel of Amazon Bedrock, in the task's region and as the task's role."""

    paths = ("/model/{model:path}/invoke", "/model/{model:path}/invoke-with-response-stream")
    free_paths = ()
    # Claude Code takes 403 for credentials that have expired, and would try for minutes. These are renewed before that.
    final_statuses: ClassVar = {401: 401, 403: 401}

    def __init__(self, model: str, platform: Platform) -> None:
        super().__init__(model)
        self._region = platform.aws_region or platform.aws_default_region or _DEFAULT_REGION
        self._provider = ContainerProvider(environ=_container_variables(platform))
        self._credentials: Credentials | None = None
        self._fetching = asyncio.Lock()
        endpoint = platform.aws_endpoint_url_bedrock_runtime
        self._endpoint = endpoint or f"https://bedrock-runtime.{self._region}.amazonaws.com"

    def requested_model(self, request: Request, _body: Mapping[str, Any]) -> object:
        """Return what the path says."""
        return request.path_params["model"]

    async def target(self, request: Request, body: bytes) -> Target:
        """Return the same operation of the real API, signed."""
        operation = request.url.path.rpartition("/")[2]
        # Escaped as the API's own clients do: the signature covers the path as it is sent.
        url = f"{self._endpoint}/model/{quote(self.model, safe='')}/{operation}"
        signed = AWSRequest("POST", url, headers={"content-type": "application/json"}, data=body)
        SigV4Auth(await self._current(), _SERVICE, self._region).add_auth(signed)
        return Target(url, dict(signed.headers.items()))

    def environment(self, url: str, key: str) -> dict[str, str]:
        """Return the variables of Claude Code's mode for a gateway to Bedrock: it signs nothing by itself."""
        return {
            "CLAUDE_CODE_USE_BEDROCK": "1",
            "CLAUDE_CODE_SKIP_BEDROCK_AUTH": "1",
            "ANTHROPIC_BEDROCK_BASE_URL": url,
            "ANTHROPIC_AUTH_TOKEN": key,
            "AWS_REGION": self._region,
        }

    async def _current(self) -> ReadOnlyCredentials:
        try:
            # In a thread, because whatever fetches or renews them waits there; and one at a time.
            async with self._fetching:
                return await asyncio.to_thread(self._fetched)
        except (BotoCoreError, OSError, ValueError) as error:
            raise CredentialsUnavailableError(f"The task role's credentials couldn't be fetched: {error}.") from error

    def _fetched(self) -> ReadOnlyCredentials:
        """Return credentials that are good for minutes yet: botocore renews them before they expire."""
        self._credentials = self._credentials or self._provider.load()
        if self._credentials is None:
            raise CredentialsUnavailableError("The container has no task role. Set it in the agent's task definition.")
        return self._credentials.get_frozen_credentials()


def _container_variables(platform: Platform) -> dict[str, str]:
    token = platform.aws_container_authorization_token
    named = {
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": platform.aws_container_credentials_relative_uri,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": platform.aws_container_credentials_full_uri,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": token.get_secret_value() if token else None,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": platform.aws_container_authorization_token_file,
    }
    return {name: value for name, value in named.items() if value}
