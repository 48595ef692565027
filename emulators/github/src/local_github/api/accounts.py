"""Who I am, who may work on a repository, and (for the site's administrator) who there is."""

from __future__ import annotations

import secrets

from local_github.documents.accounts import collaborator, full_user, legacy_permission, simple_user
from local_github.errors import InvalidError, NotFoundError
from local_github.permissions import ADMINISTERING, LEVELS, reading, role
from local_github.rest import (
    Call,
    Reply,
    RepositoryCall,
    found,
    public_route,
    repository_route,
    site_admin_route,
    user_route,
)
from local_github.site import digest

_METADATA = reading("metadata")
_ROLE_WORDS = {"pull": "read", "push": "write"}


def _get_meta(_call: Call) -> Reply:
    return Reply({"verifiable_password_authentication": False, "installed_version": "3.17.0"})


def _get_me(call: Call) -> Reply:
    return Reply(full_user(call.site, call.actor.login))


def _get_user(call: Call) -> Reply:
    row = found(call.site.user(call.path["login"]))
    return Reply(simple_user(call.site, row["login"]))


def _create_user(call: Call) -> Reply:
    """Make a user, as GitHub Enterprise lets its administrators do."""
    user = call.site.add_user(call.text("login"))
    return Reply(simple_user(call.site, user["login"]), 201)


def _create_user_token(call: Call) -> Reply:
    """Make a token with which to act as a user, as GitHub Enterprise lets its administrators do."""
    user = found(call.site.user(call.path["login"]))
    token = f"ghp_{secrets.token_hex(18)}"
    call.storage.insert("tokens", digest=digest(token), login=user["login"])
    return Reply({"token": token, "scopes": call.words("scopes", ["repo"])}, 201)


def _list_collaborators(call: RepositoryCall) -> Reply:
    sql = "SELECT login FROM collaborators WHERE repository_id = ? ORDER BY login"
    logins = [row["login"] for row in call.storage.all(sql, call.repo.id)]
    everybody = [user for user in _administrators(call) if user not in logins] + logins
    return call.page(everybody, lambda login: collaborator(call.site, login, role(call.site, call.repo, login)))


def _administrators(call: RepositoryCall) -> list[str]:
    rows = call.storage.all("SELECT login FROM users WHERE type = 'User' ORDER BY id")
    return [row["login"] for row in rows if role(call.site, call.repo, row["login"]) == "admin"]


def _add_collaborator(call: RepositoryCall) -> Reply:
    """Give a user a role; no invitation has to be accepted here."""
    user = found(call.site.user(call.path["login"]))
    level = call.text("permission", "push")
    level = _ROLE_WORDS.get(level, level)
    if level not in LEVELS[1:]:
        raise InvalidError.of("Collaborator", "invalid", field="permission")
    call.storage.all(
        "INSERT INTO collaborators (repository_id, login, permission) VALUES (?, ?, ?) "
        "ON CONFLICT (repository_id, login) DO UPDATE SET permission = excluded.permission",
        call.repo.id,
        user["login"],
        level,
    )
    return Reply(None, 204)


def _remove_collaborator(call: RepositoryCall) -> Reply:
    sql = "DELETE FROM collaborators WHERE repository_id = ? AND login = ?"
    call.storage.all(sql, call.repo.id, call.path["login"])
    return Reply(None, 204)


def _get_permission(call: RepositoryCall) -> Reply:
    user = call.site.user(call.path["login"])
    if not user:
        raise NotFoundError(f"{call.path['login']} is not a user")
    level = role(call.site, call.repo, user["login"])
    person = collaborator(call.site, user["login"], level)
    return Reply({"permission": legacy_permission(level), "role_name": level, "user": person})


ROUTES = [
    public_route("GET", "/meta", _get_meta),
    user_route("GET", "/user", _get_me),
    public_route("GET", "/users/{login}", _get_user),
    site_admin_route("POST", "/admin/users", _create_user),
    site_admin_route("POST", "/admin/users/{login}/authorizations", _create_user_token),
    repository_route("GET", "/collaborators", _list_collaborators, _METADATA),
    repository_route("PUT", "/collaborators/{login}", _add_collaborator, ADMINISTERING),
    repository_route("DELETE", "/collaborators/{login}", _remove_collaborator, ADMINISTERING),
    repository_route("GET", "/collaborators/{login}/permission", _get_permission, _METADATA),
]
