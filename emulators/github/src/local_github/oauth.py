"""Users let the App act for them: GitHub's web application flow, from the authorization to the user access token.

Addresses, parameters and lifetimes are those of
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from local_github.actors import USER_TOKEN_PREFIX, is_client
from local_github.errors import InvalidError, NotFoundError
from local_github.site import Site, digest
from local_github.storage import Row, now

if TYPE_CHECKING:
    from collections.abc import Mapping

# "The temporary code will expire after 10 minutes": https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
_CODE_LIFE = timedelta(minutes=10)
TOKEN_LIFE = timedelta(hours=8)
_DENIED = "The user has denied your application access."
_MISMATCH = "The redirect_uri MUST match the registered callback URL for this application."
_METHOD = "The code_challenge_method must be S256."


class SentBackError(Exception):
    """The request for authorization is no good, and the user is sent back to `location`, which says why."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class ExchangeError(Exception):
    """The code is not exchanged for a token; `error` is GitHub's word for the reason.

    https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True)
class AuthorizationRequest:
    """What the App asks a user's browser to bring: an authorization, and where to bring it."""

    redirect_uri: str
    state: str | None
    code_challenge: str | None
    login: str | None
    """The account that the App expects."""
    prompt: str | None
    """`select_account` where the person is to choose, even if they've signed in and authorized the App before."""

    @property
    def denial(self) -> str:
        """Where the user is sent who does not let the App act for them."""
        return self.address(error="access_denied", error_description=_DENIED)

    def address(self, **answer: str) -> str:
        """Return where the user is sent with an answer, which repeats the request's state."""
        state = {"state": self.state} if self.state is not None else {}
        return f"{self.redirect_uri}?{urlencode({**answer, **state})}"


def read_request(site: Site, parameters: Mapping[str, str]) -> AuthorizationRequest:
    """Return the request that a browser has brought.

    Raises:
        NotFoundError: there is no App of this client id.
        InvalidError: the App has no callback URL.
        SentBackError: the redirect_uri is none of the App's callback URLs, or the challenge is not made by S256.
    """
    if parameters.get("client_id") != site.credentials.client_id:
        raise NotFoundError
    if not site.callback_urls:
        raise InvalidError("The App has no callback URL. Start the local GitHub with --callback-url.")
    redirect_uri = parameters.get("redirect_uri", site.callback_urls[0])
    known = redirect_uri in site.callback_urls  # "must be an exact match"
    request = AuthorizationRequest(
        redirect_uri if known else site.callback_urls[0],
        parameters.get("state"),
        parameters.get("code_challenge"),
        parameters.get("login"),
        parameters.get("prompt"),
    )
    if not known:
        raise SentBackError(request.address(error="redirect_uri_mismatch", error_description=_MISMATCH))
    if request.code_challenge is not None and parameters.get("code_challenge_method") != "S256":
        # RFC 7636, section 4.4.1: "the authorization endpoint MUST return [...] invalid_request"
        raise SentBackError(request.address(error="invalid_request", error_description=_METHOD))
    return request


def has_authorized(site: Site, login: str) -> bool:
    """Tell whether a user has let the App act for them once: they are not asked again."""
    return site.storage.one("SELECT 1 FROM authorizations WHERE login = ?", login) is not None


def authorize_app(site: Site, request: AuthorizationRequest, login: str) -> str:
    """Let the App act for a user, and return where the user takes the code to."""
    code = secrets.token_hex(10)
    site.storage.all("INSERT OR IGNORE INTO authorizations (login, created_at) VALUES (?, ?)", login, now())
    site.storage.insert(
        "oauth_codes",
        digest=digest(code),
        login=login,
        redirect_uri=request.redirect_uri,
        code_challenge=request.code_challenge,
        expires_at=_after(_CODE_LIFE),
    )
    return request.address(code=code)


def exchange(site: Site, parameters: Mapping[str, str]) -> str:
    """Return a user access token for a code, which is used up by that, whatever comes of it.

    Raises:
        ExchangeError: client id and secret, the code, its redirect_uri or its verifier are not the right ones.
    """
    if not is_client(site, parameters.get("client_id", ""), parameters.get("client_secret", "")):
        message = "The client_id and/or client_secret passed are incorrect."
        raise ExchangeError("incorrect_client_credentials", message)
    code = _use_code(site, parameters.get("code", ""))
    if code is None or not _is_verified(code["code_challenge"], parameters.get("code_verifier", "")):
        raise ExchangeError("bad_verification_code", "The code passed is incorrect or expired.")
    if parameters.get("redirect_uri", code["redirect_uri"]) != code["redirect_uri"]:
        raise ExchangeError("redirect_uri_mismatch", _MISMATCH)
    token = f"{USER_TOKEN_PREFIX}{secrets.token_hex(18)}"
    site.storage.insert("user_tokens", digest=digest(token), login=code["login"], expires_at=_after(TOKEN_LIFE))
    return token


def revoke(site: Site, token: str) -> None:
    """Make a user access token worthless.

    Raises:
        NotFoundError: there is no such token.
    """
    if not site.storage.all("DELETE FROM user_tokens WHERE digest = ? RETURNING id", digest(token)):
        raise NotFoundError


def _use_code(site: Site, code: str) -> Row | None:
    used = site.storage.all("DELETE FROM oauth_codes WHERE digest = ? RETURNING *", digest(code))
    return next((row for row in used if datetime.fromisoformat(row["expires_at"]) > datetime.now(UTC)), None)


def _is_verified(challenge: str | None, verifier: str) -> bool:
    """Tell whether the verifier is the one that the challenge was made of, as RFC 7636, section 4.6, has it."""
    if challenge is None:
        return True
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def _after(life: timedelta) -> str:
    return (datetime.now(UTC) + life).strftime("%Y-%m-%dT%H:%M:%SZ")
