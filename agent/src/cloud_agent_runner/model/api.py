"""The two APIs by which Claude Code reaches a model, and what the gateway has to know of each.

Both carry the same requests and responses; they differ in paths, in where the model is named, and in the credential.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr
    from starlette.requests import Request

_FORWARDED = ("content-type", "accept", "user-agent", "x-app")
_FORWARDED_PREFIXES = ("anthropic-", "x-stainless-")


class CredentialsUnavailableError(Exception):
    """The API can't be called: where the credentials come from doesn't respond."""


@dataclass(frozen=True)
class Target:
    """Where a call goes, and the headers that it takes there: the credential among them."""

    url: str
    headers: Mapping[str, str]


class ModelApi(ABC):
    """One API.

    `paths` are open to Claude Code, and so are `free_paths`, which cost nothing; `model` is the only one that may be
    called. `final_statuses` are those that no repetition changes, each with the one from which Claude Code sees that.
    """

    paths: ClassVar[Sequence[str]]
    free_paths: ClassVar[Sequence[str]]
    final_statuses: ClassVar[Mapping[int, int]]

    def __init__(self, model: str) -> None:
        self.model = model

    @abstractmethod
    def requested_model(self, request: Request, body: Mapping[str, Any]) -> object:
        """Return the model that a call names."""

    @abstractmethod
    async def target(self, request: Request, body: bytes) -> Target:
        """Return where to send a call.

        Raises:
            CredentialsUnavailableError: try again later.
        """

    @abstractmethod
    def environment(self, url: str, key: str) -> dict[str, str]:
        """Return the variables that lead Claude Code to the gateway at `url`, with `key` for a credential."""


class AnthropicApi(ModelApi):
    """The Messages API, by Anthropic or by a gateway that speaks it."""

    paths = ("/v1/messages",)
    free_paths = ("/v1/messages/count_tokens",)
    # Claude Code would try for minutes, as a login may be renewed; a key that is wrong stays so.
    final_statuses: ClassVar = {401: 401}

    def __init__(self, model: str, base_url: str, api_key: SecretStr) -> None:
        super().__init__(model)
        self._base_url = base_url
        self._api_key = api_key

    def requested_model(self, _request: Request, body: Mapping[str, Any]) -> object:
        """Return what the body says."""
        return body.get("model")

    async def target(self, request: Request, _body: bytes) -> Target:
        """Return the same path of the real API, with the real key."""
        headers = chosen(request.headers, _FORWARDED, _FORWARDED_PREFIXES)
        query = f"?{request.url.query}" if request.url.query else ""
        url = f"{self._base_url}{request.url.path}{query}"
        return Target(url, {**headers, "x-api-key": self._api_key.get_secret_value()})

    def environment(self, url: str, key: str) -> dict[str, str]:
        """Return the variables of the Messages API."""
        return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": key}


def chosen(headers: Mapping[str, str], names: Sequence[str], prefixes: Sequence[str]) -> dict[str, str]:
    """Return the headers of these names, which are in lower case, or with these prefixes."""
    return {name: value for name, value in headers.items() if name in names or name.startswith(tuple(prefixes))}
