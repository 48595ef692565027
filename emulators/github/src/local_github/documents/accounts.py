"""Users, organizations, bots, the App and its installations."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from local_github.permissions import APP_PERMISSIONS, LEVELS, at_least

if TYPE_CHECKING:
    from local_github.site import Repository, Site
    from local_github.storage import Row

# The events the App listens to.
APP_EVENTS = (
    "deployment",
    "deployment_status",
    "issue_comment",
    "issues",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
)
_APP_CREATED_AT = "2026-01-01T00:00:00Z"
_USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def node_id(kind: str, key: object) -> str:
    """Return the id by which GraphQL knows a thing."""
    return f"{kind}_{key}"


def simple_user(site: Site, login: str) -> dict[str, Any]:
    """Describe an account of any kind; one that is gone looks like GitHub's `ghost`."""
    row = site.user(login)
    login, kind, user_id = (row["login"], row["type"], row["id"]) if row else ("ghost", "User", 0)
    api_url = f"{site.api_url}/users/{quote(login)}"
    page = f"apps/{site.credentials.app_slug}" if kind == "Bot" else login
    return {
        "login": login,
        "id": user_id,
        "node_id": node_id("U", user_id),
        "avatar_url": f"{site.base_url}/avatars/{hashlib.sha256(login.encode()).hexdigest()[:12]}.svg",
        "gravatar_id": "",
        "url": api_url,
        "html_url": f"{site.base_url}/{page}",
        **{name: api_url + suffix for name, suffix in _USER_LINKS.items()},
        "type": kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def full_user(site: Site, login: str) -> dict[str, Any]:
    """Describe a person to themselves."""
    row = site.user(login)
    stamp = row["created_at"] if row else _APP_CREATED_AT
    mine = site.storage.all("SELECT private FROM repositories WHERE owner = ?", login)
    private = sum(repository["private"] for repository in mine)
    profile = dict.fromkeys(("company", "location", "hireable", "bio", "twitter_username"))
    nothing = dict.fromkeys(
        ("public_gists", "followers", "following", "private_gists", "disk_usage", "collaborators"), 0
    )
    return {
        **simple_user(site, login),
        **profile,
        **nothing,
        "name": login,
        "blog": "",
        "email": email(site, login),
        "public_repos": len(mine) - private,
        "total_private_repos": private,
        "owned_private_repos": private,
        "two_factor_authentication": False,
        "created_at": stamp,
        "updated_at": stamp,
    }


def email(site: Site, login: str) -> str:
    """Return the address that keeps a person's own private, as GitHub forms it."""
    row = site.user(login)
    return f"{row['id'] if row else 0}+{login}@users.noreply.github.com"


def organization(site: Site, login: str) -> dict[str, Any]:
    """Describe an organization as webhooks do."""
    account, api_url = simple_user(site, login), f"{site.api_url}/orgs/{login}"
    return {
        **{name: account[name] for name in ("login", "id", "node_id", "avatar_url")},
        "url": api_url,
        "repos_url": f"{api_url}/repos",
        "events_url": f"{api_url}/events",
        "hooks_url": f"{api_url}/hooks",
        "issues_url": f"{api_url}/issues",
        "members_url": f"{api_url}/members{{/member}}",
        "public_members_url": f"{api_url}/public_members{{/member}}",
        "description": None,
    }


def collaborator(site: Site, login: str, role: str) -> dict[str, Any]:
    """Describe a person together with their role in a repository."""
    names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    permissions = {name: at_least(role, level) for name, level in names.items()}
    return {**simple_user(site, login), "permissions": permissions, "role_name": role}


def legacy_permission(role: str) -> str:
    """Return the role in the four words that GitHub's `permission` field knows."""
    return {"maintain": "write", "triage": "read"}.get(role, role if role in LEVELS else "none")


def association(site: Site, repository: Repository, login: str) -> str:
    """Return what an author is to a repository, in GitHub's words."""
    if login.lower() == repository.owner.lower():
        return "OWNER"
    owner, author = site.user(repository.owner), site.user(login)
    if owner and owner["type"] == "Organization" and author and site.is_member(login):
        return "MEMBER"
    known = site.storage.one("SELECT 1 FROM collaborators WHERE repository_id = ? AND login = ?", repository.id, login)
    return "COLLABORATOR" if known else "NONE"


def app(site: Site) -> dict[str, Any]:
    """Describe the App."""
    return {
        "id": site.credentials.app_id,
        "client_id": site.credentials.client_id,
        "slug": site.credentials.app_slug,
        "node_id": node_id("A", site.credentials.app_id),
        "owner": simple_user(site, site.credentials.owner),
        "name": site.credentials.app_name,
        "description": None,
        "external_url": f"{site.base_url}/apps/{site.credentials.app_slug}",
        "html_url": f"{site.base_url}/apps/{site.credentials.app_slug}",
        "created_at": _APP_CREATED_AT,
        "updated_at": _APP_CREATED_AT,
        "permissions": APP_PERMISSIONS,
        "events": list(APP_EVENTS),
        "installations_count": site.storage.count("SELECT 1 FROM installations WHERE deleted_at IS NULL"),
    }


def installation(site: Site, row: Row) -> dict[str, Any]:
    """Describe an installation of the App."""
    installation_id, owner = row["id"], simple_user(site, row["account"])
    return {
        "id": installation_id,
        "client_id": site.credentials.client_id,
        "account": owner,
        "repository_selection": "all",
        "access_tokens_url": f"{site.api_url}/app/installations/{installation_id}/access_tokens",
        "repositories_url": f"{site.api_url}/installation/repositories",
        "html_url": f"{site.base_url}/settings/installations/{installation_id}",
        "app_id": site.credentials.app_id,
        "app_slug": site.credentials.app_slug,
        "target_id": owner["id"],
        "target_type": owner["type"],
        "permissions": APP_PERMISSIONS,
        "events": list(APP_EVENTS),
        "created_at": _APP_CREATED_AT,
        "updated_at": _APP_CREATED_AT,
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": simple_user(site, site.credentials.owner) if row["suspended_at"] else None,
        "suspended_at": row["suspended_at"],
    }
