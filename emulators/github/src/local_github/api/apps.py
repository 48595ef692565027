"""The App: itself, its installations, their tokens, its webhook and what was delivered there."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from local_github import installations
from local_github.actors import Installation
from local_github.documents import accounts
from local_github.documents.repositories import repository
from local_github.errors import InvalidError
from local_github.events import HOOK_ID, emit_ping, hook_config
from local_github.permissions import APP_PERMISSIONS, at_least, covers
from local_github.rest import (
    Call,
    Reply,
    app_route,
    found,
    installation_route,
)
from local_github.site import Repository, digest
from local_github.storage import Row, now

_TOKEN_LIFE = timedelta(hours=1)


def _get_app(call: Call) -> Reply:
    return Reply(accounts.app(call.site))


def _list_installations(call: Call) -> Reply:
    rows = call.storage.all("SELECT * FROM installations WHERE deleted_at IS NULL ORDER BY id")
    return call.page(rows, lambda row: accounts.installation(call.site, row))


def _installation(call: Call) -> Row:
    return installations.find_installation(call.site, call.path["installation_id"])


def _get_installation(call: Call) -> Reply:
    return Reply(accounts.installation(call.site, _installation(call)))


def _get_account_installation(call: Call) -> Reply:
    return Reply(accounts.installation(call.site, found(call.site.installation(call.path["account"]))))


def _get_repository_installation(call: Call) -> Reply:
    repo = call.site.repository(call.path["owner"], call.path["repo"])
    return Reply(accounts.installation(call.site, found(call.site.installation(repo.owner))))


def _suspend_installation(call: Call) -> Reply:
    installations.suspend(call.site, _installation(call))
    return Reply(None, 204)


def _unsuspend_installation(call: Call) -> Reply:
    installations.unsuspend(call.site, _installation(call))
    return Reply(None, 204)


def _delete_installation(call: Call) -> Reply:
    installations.delete(call.site, _installation(call))
    return Reply(None, 204)


def _create_token(call: Call) -> Reply:
    row = _installation(call)
    installations.require_active(row)
    account = row["account"]
    permissions = _narrowed_permissions(call)
    chosen = _chosen_repositories(call, account)
    expires_at = (datetime.now(UTC) + _TOKEN_LIFE).strftime("%Y-%m-%dT%H:%M:%SZ")
    token = f"ghs_{secrets.token_hex(18)}"
    call.storage.insert(
        "tokens",
        digest=digest(token),
        login=account,
        installation_id=call.path["installation_id"],
        repositories=json.dumps(None if chosen is None else [repo.id for repo in chosen]),
        permissions=json.dumps(permissions),
        expires_at=expires_at,
    )
    document: dict[str, Any] = {"token": token, "expires_at": expires_at, "permissions": permissions}
    document["repository_selection"] = "all" if chosen is None else "selected"
    if chosen is not None:
        document["repositories"] = [repository(call.site, repo) for repo in chosen]
    return Reply(document, 201)


def _revoke_token(call: Call) -> Reply:
    """Revoke the token that the request was made with."""
    assert isinstance(call.actor, Installation)  # noqa: S101 - the route serves nobody else
    call.storage.delete("tokens", call.actor.token_id)
    return Reply(None, 204)


def _narrowed_permissions(call: Call) -> dict[str, str]:
    asked = call.value("permissions", dict, "an object", None)
    if not asked:
        return APP_PERMISSIONS
    for name, level in asked.items():
        if level not in ("read", "write") or not at_least(APP_PERMISSIONS.get(name, "none"), level):
            raise InvalidError("The permissions requested are not granted to this installation.")
    return {"metadata": "read", **asked}


def _chosen_repositories(call: Call, account: str) -> list[Repository] | None:
    if not call.has("repositories") and not call.has("repository_ids"):
        return None
    names, ids = call.words("repositories", []), call.items("repository_ids", [])
    wanted = {name.lower() for name in names}
    mine = [repo for repo in call.site.repositories() if repo.owner.lower() == account.lower()]
    chosen = [repo for repo in mine if repo.name.lower() in wanted or repo.id in ids]
    if not wanted <= {repo.name.lower() for repo in chosen} or not all(
        any(repo.id == repository_id for repo in chosen) for repository_id in ids
    ):
        raise InvalidError(
            "There is at least one repository that does not exist or is not accessible to the parent installation."
        )
    return chosen


def _list_my_repositories(call: Call) -> Reply:
    actor = call.actor
    mine = [repo for repo in call.site.repositories() if isinstance(actor, Installation) and covers(actor, repo)]
    return call.page(mine, lambda repo: repository(call.site, repo), key="repositories", total_count=len(mine))


def _get_hook_config(call: Call) -> Reply:
    return Reply(hook_config(call.storage.get("hook", HOOK_ID)))


def _edit_hook_config(call: Call) -> Reply:
    """Change the webhook; a new address is greeted with a ping."""
    hook = call.storage.get("hook", HOOK_ID)
    content_type = call.text("content_type", hook["content_type"])
    url = call.text("url", hook["url"])
    if content_type not in {"json", "form"}:
        raise InvalidError.of("Hook", "invalid", field="content_type")
    if url and not _is_web_address(url):
        raise InvalidError.of("Hook", "invalid", field="url", message="url must be http or https")
    changed = call.storage.update(
        "hook",
        HOOK_ID,
        url=url,
        secret=call.text("secret", hook["secret"]),
        content_type=content_type,
        insecure_ssl=str(call.value("insecure_ssl", (str, int), "a string or number", hook["insecure_ssl"])),
        updated_at=now(),
    )
    if call.has("url") and url:
        emit_ping(call.site)
    return Reply(hook_config(changed))


def _is_web_address(url: str) -> bool:
    try:
        httpx.URL(url)  # which will be asked to go there
        address = urlsplit(url)
        return address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except (httpx.InvalidURL, ValueError):  # no host name, no port, or no IPv6 address
        return False


def _list_deliveries(call: Call) -> Reply:
    rows = call.storage.all("SELECT * FROM deliveries WHERE delivered_at IS NOT NULL ORDER BY id DESC")
    return call.page(rows, _delivery_item)


def _ended_delivery(call: Call) -> Row:
    sql = "SELECT * FROM deliveries WHERE id = ? AND delivered_at IS NOT NULL"
    row: Row = found(call.storage.one(sql, call.path["delivery_id"]))
    return row


def _get_delivery(call: Call) -> Reply:
    row = _ended_delivery(call)
    request = {"headers": json.loads(row["request_headers"]), "payload": json.loads(row["payload"])}
    response = {"headers": json.loads(row["response_headers"]), "payload": row["response_body"]}
    return Reply({**_delivery_item(row), "url": row["url"], "request": request, "response": response})


def _redeliver(call: Call) -> Reply:
    """Send a delivery once more, under the id the receiver knows."""
    row = _ended_delivery(call)
    columns = ("guid", "event", "action", "installation_id", "repository_id", "payload")
    call.storage.insert("deliveries", redelivery=True, **{name: row[name] for name in columns})
    return Reply({}, 202)


def _delivery_item(row: Row) -> dict[str, Any]:
    shown = ("id", "guid", "delivered_at", "duration", "status", "status_code", "event", "action")
    references = ("installation_id", "repository_id")
    return {
        **{name: row[name] for name in (*shown, *references)},
        "redelivery": bool(row["redelivery"]),
        "throttled_at": None,
    }


ROUTES = [
    app_route("GET", "/app", _get_app),
    app_route("GET", "/app/installations", _list_installations),
    app_route("GET", "/app/installations/{installation_id:int}", _get_installation),
    app_route("DELETE", "/app/installations/{installation_id:int}", _delete_installation),
    app_route("PUT", "/app/installations/{installation_id:int}/suspended", _suspend_installation),
    app_route("DELETE", "/app/installations/{installation_id:int}/suspended", _unsuspend_installation),
    app_route("POST", "/app/installations/{installation_id:int}/access_tokens", _create_token),
    app_route("GET", "/app/hook/config", _get_hook_config),
    app_route("PATCH", "/app/hook/config", _edit_hook_config),
    app_route("GET", "/app/hook/deliveries", _list_deliveries),
    app_route("GET", "/app/hook/deliveries/{delivery_id:int}", _get_delivery),
    app_route("POST", "/app/hook/deliveries/{delivery_id:int}/attempts", _redeliver),
    app_route("GET", "/orgs/{account}/installation", _get_account_installation),
    app_route("GET", "/users/{account}/installation", _get_account_installation),
    app_route("GET", "/repos/{owner}/{repo}/installation", _get_repository_installation),
    installation_route("GET", "/installation/repositories", _list_my_repositories),
    installation_route("DELETE", "/installation/token", _revoke_token),
]
