"""What GitHub is asked: who a visitor is, and whether they may read a repository."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr

_TIMEOUT_SECONDS = 5
_LONGEST_CHAIN = 3  # a renamed repository is one redirect
_TOO_MANY = {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
# What a legal complaint (451) and a repository that is blocked (403), gone or not to be seen (404) are answered with.
_NOT_READABLE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS}


class GitHubAwayError(Exception):
    """GitHub cannot be reached, is at fault, or wants fewer requests: what was asked is not known."""


class CodeRefusedError(Exception):
    """The code is used up, expired, or does not belong to this browser."""


class UserTokenRefusedError(Exception):
    """The token has expired, or the user has taken it back."""


class ClientRefusedError(Exception):
    """GitHub does not know the App by these credentials or at this address; the text is GitHub's word for it."""


class CommentRefusedError(Exception):
    """GitHub did not take a comment; the text is GitHub's word for it."""


class Rights(Enum):
    """What a user may do in a repository."""

    NONE = "none"
    READ = "read"
    WRITE = "write"


class NotConfiguredError(Exception):
    """The App's client id and secret have not been given to this proxy."""


class ClientCredentials(BaseModel):
    """With which the App proves itself to GitHub when it exchanges a code."""

    model_config = ConfigDict(frozen=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)


@dataclass(frozen=True)
class UserToken:
    """A token with which the App acts for a user."""

    value: str = field(repr=False)
    lives_seconds: int | None
    """None for an App whose user tokens do not expire."""


class GitHub:
    """One GitHub, github.com or an Enterprise Server, which every question gets 5 s to respond."""

    def __init__(self, url: str, api_url: str, client: ClientCredentials | None) -> None:
        self._url, self._api_url = url.rstrip("/"), api_url.rstrip("/")
        self._given_client = client
        # A redirect to another host gets no Authorization header from httpx.
        self._http = httpx.AsyncClient(
            timeout=_TIMEOUT_SECONDS,
            follow_redirects=True,
            max_redirects=_LONGEST_CHAIN,
            headers={"User-Agent": "claude-cloud-agent", "X-GitHub-Api-Version": "2022-11-28"},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @property
    def _client(self) -> ClientCredentials:
        if self._given_client is None:
            raise NotConfiguredError("UAT_SIGN_IN holds no client_id and client_secret")
        return self._given_client

    def authorize_url(self, redirect_uri: str, state: str, challenge: str, *, choose_account: bool = False) -> str:
        """Return where a user lets the App know who they are.

        To `choose_account`, GitHub asks with which one; else it may send the same one back without asking.

        https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app

        Raises:
            NotConfiguredError: the App's credentials are missing.
        """
        query = {
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "allow_signup": "false",
        } | ({"prompt": "select_account"} if choose_account else {})
        return f"{self._url}/login/oauth/authorize?{urlencode(query)}"

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> UserToken:
        """Return a token for a code.

        Raises:
            CodeRefusedError: the code is used up, expired or another browser's.
            ClientRefusedError: GitHub does not know the App.
            NotConfiguredError: the App's credentials are missing.
            GitHubAwayError: GitHub does not respond.
        """
        form = {
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret.get_secret_value(),
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        url, headers = f"{self._url}/login/oauth/access_token", {"Accept": "application/json"}
        response = await self._ask(self._http.build_request("POST", url, data=form, headers=headers))
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise ClientRefusedError(f"{url} is not found")
        document = _document(response)
        match document.get("error"):
            case None:
                lives = document.get("expires_in")
                return UserToken(_text(document, "access_token"), lives if isinstance(lives, int) else None)
            case "bad_verification_code":
                raise CodeRefusedError("GitHub does not take the code")
            case error:
                raise ClientRefusedError(str(error))

    async def login(self, token: str) -> str:
        """Return the name of the token's user.

        Raises:
            UserTokenRefusedError: the token is good no longer.
            GitHubAwayError: GitHub does not respond.
        """
        response = await self._ask_api("/user", token)
        return _text(_document(response), "login")

    async def may_read(self, token: str, repository: str) -> bool:
        """Tell whether the token's user may read a repository (owner/name), and the App too.

        Raises:
            UserTokenRefusedError: the token is good no longer.
            GitHubAwayError: GitHub does not respond.
        """
        return await self.rights(token, repository) is not Rights.NONE

    async def rights(self, token: str, repository: str) -> Rights:
        """Return what the token's user may do in a repository (owner/name).

        Raises:
            UserTokenRefusedError: the token is good no longer.
            GitHubAwayError: GitHub does not respond.
        """
        response = await self._ask_api(f"/repos/{quote(repository)}", token)
        if response.status_code in _NOT_READABLE:
            return Rights.NONE
        # A page on the way, that of an enterprise's own sign-in say, may answer 200 too; it is no repository.
        document = _document(response)
        _text(document, "full_name")
        permissions = document.get("permissions")
        writes = isinstance(permissions, dict) and permissions.get("push") is True
        return Rights.WRITE if writes else Rights.READ

    async def comment(self, token: str, repository: str, number: int, body: str) -> None:
        """Comment on an issue or a pull request as the token's user; nothing is tried twice.

        Raises:
            CommentRefusedError: GitHub does not take it.
            UserTokenRefusedError: the token is good no longer.
            GitHubAwayError: GitHub doesn't respond, and may have taken it.
        """
        response = await self._ask_api(f"/repos/{quote(repository)}/issues/{number}/comments", token, {"body": body})
        if not response.is_success:
            raise CommentRefusedError(_message(response))

    async def _ask_api(self, path: str, token: str, document: dict[str, str] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        method, url = "GET" if document is None else "POST", self._api_url + path
        response = await self._ask(self._http.build_request(method, url, headers=headers, json=document))
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            raise UserTokenRefusedError("GitHub does not take the user's token")
        return response

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):  # of httpx's own, each read has one
                response = await self._http.send(request)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise GitHubAwayError(f"{request.url} did not respond: {error!r}") from error
        if response.is_server_error or _is_too_many(response):
            raise GitHubAwayError(f"{request.url} answered {response.status_code}")
        return response


def _is_too_many(response: httpx.Response) -> bool:
    """Tell a limit from a refusal, which may be 403 both.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    if response.status_code not in _TOO_MANY:
        return False
    is_used_up = response.headers.get("x-ratelimit-remaining") == "0"
    return is_used_up or "retry-after" in response.headers or response.status_code == HTTPStatus.TOO_MANY_REQUESTS


def _document(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of a successful answer; whatever else GitHub says is no answer to the question."""
    try:
        document = response.json() if response.is_success else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise GitHubAwayError(f"{response.url} answered {response.status_code}, and no JSON object")
    return document


def _message(response: httpx.Response) -> str:
    """Return what GitHub says of a request that it refuses."""
    try:
        message = response.json()["message"]
    except (ValueError, LookupError, TypeError):
        message = ""
    return str(message)[:200] or f"status {response.status_code}"


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise GitHubAwayError(f"the answer has no {name}")
    return value
