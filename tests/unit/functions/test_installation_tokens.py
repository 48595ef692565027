"""Tokens of the App's installation, from a small GitHub on a real socket."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from tests.kit.app_key import app_key, app_key_pem
from tests.kit.http_server import NoResponse, Response, serve_http

from cloud_agent.adapters.aws.secrets import GitHubCredentials
from cloud_agent.adapters.github.installation_tokens import (
    GIT_PERMISSIONS,
    OWN_PERMISSIONS,
    InstallationTokens,
)
from cloud_agent.adapters.github.requests import SHORT, Patience
from cloud_agent.domain.errors import (
    AppNotInstalledError,
    CloudAgentError,
    ConfigurationError,
    GitHubRateLimitedError,
    GitHubRequestError,
    GitHubUnavailableError,
    RepositoryNotFoundError,
)
from cloud_agent.domain.session.repository import GitHubRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption
    from tests.kit.http_server import HttpServer

STOREFRONT, LUNCH = GitHubRepository(1, "acme/storefront", 99), GitHubRepository(5, "acme/lunch", 99)
TOKEN = {"token": "ghs_the-installation's", "expires_at": "2026-11-22T09:00:00Z"}


def _pem(key: Any, encryption: KeySerializationEncryption | None = None) -> str:  # noqa: ANN401 - any kind of key
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return pem.decode()


@pytest.fixture
def github() -> Iterator[HttpServer]:
    with serve_http(Response.of(TOKEN, 201)) as server:
        yield server


@pytest.fixture
def tokens(github: HttpServer) -> InstallationTokens:
    return InstallationTokens(github.url + "/", GitHubCredentials(app_id="527117", private_key=app_key_pem()))


def test_the_token_is_of_one_repository_with_the_permissions_asked_for(
    tokens: InstallationTokens, github: HttpServer
) -> None:
    token = tokens.token(STOREFRONT, GIT_PERMISSIONS)
    assert (TOKEN["token"], TOKEN["expires_at"]) == (token.value, token.expires_at)
    (request,) = github.requests
    assert request.path == "/app/installations/99/access_tokens"
    assert request.json() == {"repository_ids": [1], "permissions": {"contents": "write"}}
    assert (request.headers["Accept"], request.headers["X-GitHub-Api-Version"]) == (
        "application/vnd.github+json",
        "2022-11-28",
    )


def test_the_app_proves_itself_by_a_short_lived_signature(tokens: InstallationTokens, github: HttpServer) -> None:
    tokens.token(STOREFRONT, GIT_PERMISSIONS)
    scheme, _, proof = github.requests[0].headers["Authorization"].partition(" ")
    claims = jwt.decode(proof, app_key().public_key(), algorithms=["RS256"])
    assert (scheme, claims["iss"]) == ("Bearer", "527117")
    assert claims["iat"] <= time.time() - 55
    assert time.time() < claims["exp"] <= time.time() + 600


def test_a_personal_token_is_taken_as_it_is(github: HttpServer) -> None:
    storefront = replace(STOREFRONT, installation_id=None)
    token = InstallationTokens(github.url, GitHubCredentials(token="ghp_mine")).token(storefront, {})
    assert token.value == "ghp_mine"
    assert token.expires_at.endswith("Z")
    assert github.requests == []


def test_a_token_is_not_shown_by_its_repr(tokens: InstallationTokens) -> None:
    assert TOKEN["token"] not in repr(tokens.token(STOREFRONT, GIT_PERMISSIONS))


def test_an_event_without_an_installation_is_refused_before_any_request(
    tokens: InstallationTokens, github: HttpServer
) -> None:
    with pytest.raises(AppNotInstalledError, match="acme/storefront"):
        tokens.token(replace(STOREFRONT, installation_id=None), GIT_PERMISSIONS)
    assert github.requests == []


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (401, "A JSON web token could not be decoded", ConfigurationError),
        (403, "This installation has been suspended", AppNotInstalledError),
        (403, "API rate limit exceeded", GitHubRateLimitedError),
        (403, "You have exceeded a secondary rate limit", GitHubRateLimitedError),
        (404, "Not Found", AppNotInstalledError),
        (422, "There is at least one repository that does not exist or is not accessible", RepositoryNotFoundError),
        (422, "The permissions requested are not granted to this installation.", ConfigurationError),
        (429, "slow down", GitHubRateLimitedError),
        (500, "Server Error", GitHubUnavailableError),
        (503, "Unavailable", GitHubUnavailableError),
        (418, "teapot", GitHubRequestError),
        (307, "moved", GitHubRequestError),
    ],
)
def test_each_refusal_has_its_name(
    tokens: InstallationTokens, github: HttpServer, status: int, message: str, expected: type[CloudAgentError]
) -> None:
    github.respond = Response.of({"message": message}, status, {"Location": "/elsewhere"})
    with pytest.raises(expected) as refused:
        tokens.token(STOREFRONT, GIT_PERMISSIONS)
    assert expected is type(refused.value)
    assert message in str(refused.value)
    assert len(github.requests) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": 1}', b"\xff"])
def test_a_refusal_that_is_not_githubs_json_is_named_all_the_same(
    tokens: InstallationTokens, github: HttpServer, body: bytes
) -> None:
    github.respond = Response(502, body)
    with pytest.raises(GitHubUnavailableError, match="502"):
        tokens.token(STOREFRONT, GIT_PERMISSIONS)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b"{}"])
def test_a_success_without_a_token_is_githubs_fault(
    tokens: InstallationTokens, github: HttpServer, body: bytes
) -> None:
    github.respond = Response(201, body)
    with pytest.raises(GitHubUnavailableError, match="not as documented"):
        tokens.token(STOREFRONT, GIT_PERMISSIONS)


def test_a_silent_github_is_given_up(github: HttpServer) -> None:
    github.respond = NoResponse.HANG
    patience = Patience(urllib3.Timeout(connect=0.2, read=0.2), SHORT.retry)
    impatient = InstallationTokens(github.url, GitHubCredentials(app_id="1", private_key=app_key_pem()), patience)
    with pytest.raises(GitHubUnavailableError, match="ReadTimeoutError"):
        impatient.token(STOREFRONT, GIT_PERMISSIONS)


def test_a_github_that_refuses_the_connection_is_worth_a_retry() -> None:
    nowhere = InstallationTokens("http://127.0.0.1:9", GitHubCredentials(app_id="1", private_key=app_key_pem()))
    with pytest.raises(GitHubUnavailableError):
        nowhere.token(STOREFRONT, GIT_PERMISSIONS)


@pytest.mark.parametrize(
    "key",
    [
        "not a key",
        app_key_pem().replace("\n", "\\n"),
        _pem(ec.generate_private_key(ec.SECP256R1())),
        _pem(app_key(), BestAvailableEncryption(b"pass")),
    ],
    ids=["no PEM", "escaped line ends", "not RSA", "with a passphrase"],
)
def test_an_unusable_key_is_the_owners_to_correct_and_is_not_shown(github: HttpServer, key: str) -> None:
    tokens = InstallationTokens(github.url, GitHubCredentials(app_id="1", private_key=key))
    with pytest.raises(ConfigurationError, match="private_key") as refused:
        tokens.token(STOREFRONT, GIT_PERMISSIONS)
    assert key.splitlines()[0] not in str(refused.value)
    assert github.requests == []


def _expiring(github: HttpServer, value: str, minutes: float) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    github.respond = Response.of({"token": value, "expires_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}, 201)


def test_a_worker_asks_once_for_the_tokens_it_uses_itself(github: HttpServer) -> None:
    _expiring(github, "ghs_first", 60)
    credentials = GitHubCredentials(app_id="1", private_key=app_key_pem())
    for repository, permissions in [
        (LUNCH, OWN_PERMISSIONS),
        (replace(LUNCH, name="acme/renamed"), OWN_PERMISSIONS),
        (STOREFRONT, OWN_PERMISSIONS),
        (LUNCH, GIT_PERMISSIONS),
    ]:
        InstallationTokens(github.url, credentials).remembered_token(repository, permissions)
    assert len(github.requests) == 3
    InstallationTokens(github.url, credentials).remembered_token(replace(LUNCH, installation_id=98), OWN_PERMISSIONS)
    assert len(github.requests) == 4


def test_a_remembered_token_is_replaced_five_minutes_before_it_expires(
    tokens: InstallationTokens, github: HttpServer
) -> None:
    _expiring(github, "ghs_first", 4.9)
    assert tokens.remembered_token(LUNCH, GIT_PERMISSIONS).value == "ghs_first"
    _expiring(github, "ghs_second", 5.5)
    assert tokens.remembered_token(LUNCH, GIT_PERMISSIONS).value == "ghs_second"
    _expiring(github, "ghs_third", 60)
    assert tokens.remembered_token(LUNCH, GIT_PERMISSIONS).value == "ghs_second"


def test_a_token_that_is_handed_on_is_always_a_new_one(tokens: InstallationTokens, github: HttpServer) -> None:
    _expiring(github, "ghs_own", 60)
    tokens.remembered_token(LUNCH, GIT_PERMISSIONS)
    _expiring(github, "ghs_agent's", 60)
    assert tokens.token(LUNCH, GIT_PERMISSIONS).value == "ghs_agent's"
    assert tokens.remembered_token(LUNCH, GIT_PERMISSIONS).value == "ghs_own"


def test_a_rotated_personal_token_replaces_the_old_one(github: HttpServer) -> None:
    for value in ("ghp_old", "ghp_new"):
        tokens = InstallationTokens(github.url, GitHubCredentials(token=value))
        assert value == tokens.remembered_token(replace(LUNCH, installation_id=None), GIT_PERMISSIONS).value


def test_a_refused_exchange_is_not_remembered(tokens: InstallationTokens, github: HttpServer) -> None:
    github.respond = Response(502)
    with pytest.raises(GitHubUnavailableError):
        tokens.remembered_token(LUNCH, GIT_PERMISSIONS)
    github.respond = Response.of(TOKEN, 201)
    assert TOKEN["token"] == tokens.remembered_token(LUNCH, GIT_PERMISSIONS).value


def test_a_token_that_github_refused_is_not_given_out_again(tokens: InstallationTokens, github: HttpServer) -> None:
    _expiring(github, "ghs_first", 60)
    tokens.forget(tokens.remembered_token(LUNCH, GIT_PERMISSIONS))
    _expiring(github, "ghs_second", 60)
    assert tokens.remembered_token(LUNCH, GIT_PERMISSIONS).value == "ghs_second"


def test_a_token_is_kept_by_one_worker_alone(
    tokens: InstallationTokens, github: HttpServer, new_worker: Callable[[], None]
) -> None:
    _expiring(github, "ghs_first", 60)
    tokens.remembered_token(LUNCH, GIT_PERMISSIONS)
    new_worker()
    _expiring(github, "ghs_second", 60)
    assert tokens.remembered_token(LUNCH, GIT_PERMISSIONS).value == "ghs_second"
