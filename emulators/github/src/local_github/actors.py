"""Who is asking: the credential of a request, made into an actor."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from local_github.credentials import PERSON
from local_github.errors import ForbiddenError, UnauthenticatedError
from local_github.site import Site, digest

_LONGEST_JWT_SECONDS = 600  # GitHub: "no more than 10 minutes into the future"
_CLOCK_SKEW_SECONDS = 60
USER_TOKEN_PREFIX = "ghu_"  # noqa: S105 - how such tokens begin, as on GitHub


@dataclass(frozen=True)
class Anonymous:
    """Nobody in particular: may read what is public."""

    login: str = ""


@dataclass(frozen=True)
class Person:
    """A user with a token of their own."""

    login: str

    @property
    def is_site_admin(self) -> bool:
        """Whether they may create users and tokens for them, as a site administrator of GitHub Enterprise may."""
        return self.login == PERSON


@dataclass(frozen=True)
class PersonThroughApp(Person):
    """A user for whom the App acts, with a user access token: may do what both may do."""

    @property
    def is_site_admin(self) -> bool:
        """Never: no App looks after the site."""
        return False


@dataclass(frozen=True)
class Installation:
    """The App, with an installation token: `repositories` are ids (None: all of the account's).

    `token_id` is the token's row, 0 where the App acts by a user access token.
    """

    account: str
    installation_id: int
    repositories: frozenset[int] | None
    permissions: dict[str, str]
    login: str
    token_id: int = 0


@dataclass(frozen=True)
class App:
    """The App itself, proven by a JWT: may look after its installations and its webhook only."""

    login: str


@dataclass(frozen=True)
class AppClient:
    """The App's web server, proven by client id and secret: may look after its users' tokens only."""

    login: str


Actor = Anonymous | Person | Installation | App | AppClient


def identify(site: Site, authorization: str) -> Actor:
    """Return who an Authorization header (Bearer, token or Basic) speaks for; an empty header is Anonymous.

    Raises:
        UnauthenticatedError: the credential is unknown, malformed or has expired.
        ForbiddenError: it is of an installation that is suspended.
    """
    if not authorization:
        return Anonymous()
    scheme, _, value = authorization.partition(" ")
    match scheme.lower():
        case "bearer" | "token":
            return _bearer(site, value.strip())
        case "basic":
            return _basic(site, value)
    raise UnauthenticatedError("Bad credentials")


def _basic(site: Site, value: str) -> Actor:
    try:
        username, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnauthenticatedError("Bad credentials") from error
    if is_client(site, username, password):
        return AppClient(site.credentials.bot)
    return _bearer(site, password if password not in {"", "x-oauth-basic"} else username)


def is_client(site: Site, client_id: str, client_secret: str) -> bool:
    """Tell whether these are the App's client id and secret."""
    ours = site.credentials
    return client_id == ours.client_id and hmac.compare_digest(client_secret.encode(), ours.client_secret.encode())


def _bearer(site: Site, credential: str) -> Actor:
    if credential.count(".") == 2:  # noqa: PLR2004 - a JWT has three parts
        return _app(site, credential)
    if credential.startswith(USER_TOKEN_PREFIX):
        return _user_of_app(site, credential)
    return _token_actor(site, credential)


def _user_of_app(site: Site, token: str) -> PersonThroughApp:
    row = site.storage.one("SELECT * FROM user_tokens WHERE digest = ?", digest(token))
    if not row or datetime.fromisoformat(row["expires_at"]) <= datetime.now(UTC):
        raise UnauthenticatedError("Bad credentials")
    return PersonThroughApp(row["login"])


def _token_actor(site: Site, token: str) -> Actor:
    row = site.storage.one("SELECT * FROM tokens WHERE digest = ?", digest(token))
    if not row:
        raise UnauthenticatedError("Bad credentials")
    if row["installation_id"] is None:
        return Person(row["login"])
    if datetime.fromisoformat(row["expires_at"]) <= datetime.now(UTC):
        raise UnauthenticatedError("Bad credentials")
    installation = site.installation(row["login"])
    if installation and installation["suspended_at"]:
        raise ForbiddenError("This installation has been suspended")
    ids = json.loads(row["repositories"])
    return Installation(
        account=row["login"],
        installation_id=row["installation_id"],
        repositories=None if ids is None else frozenset(ids),
        permissions=json.loads(row["permissions"]),
        login=site.credentials.bot,
        token_id=row["id"],
    )


@cache  # one key for as long as the server lives, and to read it takes longer than the rest of most requests
def _public_key(private_key_pem: str) -> str:
    key = load_pem_private_key(private_key_pem.encode(), password=None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _app(site: Site, token: str) -> App:
    try:
        claims = jwt.decode(
            token,
            _public_key(site.credentials.private_key_pem),
            algorithms=["RS256"],
            issuer=[str(site.credentials.app_id), site.credentials.client_id],
            leeway=_CLOCK_SKEW_SECONDS,
            options={"require": ["iat", "exp", "iss"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise UnauthenticatedError(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the "
            "assertion expires"
        ) from error
    except jwt.PyJWTError as error:
        raise UnauthenticatedError("A JSON web token could not be decoded") from error
    if claims["exp"] > datetime.now(UTC).timestamp() + _LONGEST_JWT_SECONDS + _CLOCK_SKEW_SECONDS:
        raise UnauthenticatedError("'Expiration time' claim ('exp') is too far in the future")
    return App(site.credentials.bot)
