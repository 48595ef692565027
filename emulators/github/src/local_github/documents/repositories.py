"""A repository, in full, in brief, and as a push event shows it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from local_github.actors import Actor, Installation, Person
from local_github.documents.accounts import collaborator, email, node_id, organization, simple_user
from local_github.permissions import role

if TYPE_CHECKING:
    from local_github.site import Repository, Site

_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
# What no part of this GitHub has.
_ABSENT: dict[str, Any] = {
    "fork": False,
    "homepage": None,
    "mirror_url": None,
    "language": None,
    "license": None,
    "size": 0,
    "stargazers_count": 0,
    "watchers_count": 0,
    "watchers": 0,
    "forks_count": 0,
    "forks": 0,
    "disabled": False,
    "has_issues": True,
    "has_projects": False,
    "has_wiki": False,
    "has_pages": False,
    "has_downloads": False,
    "has_discussions": False,
    "is_template": False,
    "allow_forking": False,
    "web_commit_signoff_required": False,
    "topics": [],
}


def repository(site: Site, repo: Repository) -> dict[str, Any]:
    """Describe a repository as it stands inside other documents and in webhooks."""
    row, host = repo.row, site.base_url.split("://", 1)[1]
    open_issues = site.storage.count("SELECT 1 FROM issues WHERE repository_id = ? AND state = 'open'", repo.id)
    return {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": bool(row["private"]),
        "visibility": "private" if row["private"] else "public",
        "owner": simple_user(site, repo.owner),
        "html_url": repo.html_url,
        "description": row["description"],
        "url": repo.api_url,
        **{name: repo.api_url + suffix for name, suffix in _LINKS.items()},
        "git_url": f"git://{host}/{repo.full_name}.git",
        "ssh_url": f"git@{host}:{repo.full_name}.git",
        "clone_url": f"{repo.html_url}.git",
        "svn_url": repo.html_url,
        **_ABSENT,
        "archived": bool(row["archived"]),
        "default_branch": repo.git.default_branch(),
        "open_issues": open_issues,
        "open_issues_count": open_issues,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "pushed_at": row["pushed_at"],
    }


def full_repository(site: Site, repo: Repository, actor: Actor) -> dict[str, Any]:
    """Describe a repository to one who asks for it by name."""
    document = {
        **repository(site, repo),
        "subscribers_count": 0,
        "network_count": 0,
        "temp_clone_token": None,
        "allow_merge_commit": True,
        "allow_squash_merge": True,
        "allow_rebase_merge": False,
        "allow_auto_merge": False,
        "delete_branch_on_merge": False,
    }
    owner = document["owner"]
    if owner["type"] == "Organization":
        document["organization"] = owner
    match actor:
        case Person():
            level = role(site, repo, actor.login)
            document["permissions"] = collaborator(site, actor.login, level)["permissions"]
        case Installation():
            writes = actor.permissions.get("contents") == "write"
            names = ("admin", "maintain", "push", "triage", "pull")
            document["permissions"] = {name: name == "pull" or (name == "push" and writes) for name in names}
    return document


def pushed_repository(site: Site, repo: Repository) -> dict[str, Any]:
    """Describe a repository in a push event, where times are epoch seconds and the owner has a name."""
    document = repository(site, repo)
    owner = {**document["owner"], "name": repo.owner, "email": email(site, repo.owner)}
    extra = {"organization": repo.owner} if owner["type"] == "Organization" else {}
    return {
        **document,
        **extra,
        "owner": owner,
        "created_at": _epoch(document["created_at"]),
        "pushed_at": _epoch(document["pushed_at"]),
        "stargazers": 0,
        "master_branch": document["default_branch"],
    }


def event_context(site: Site, repo: Repository, sender: str) -> dict[str, Any]:
    """Return the members every webhook payload ends with."""
    context = {"repository": repository(site, repo), "sender": simple_user(site, sender)}
    if context["repository"]["owner"]["type"] == "Organization":
        context["organization"] = organization(site, repo.owner)
    installation = site.installation(repo.owner)
    if installation and not installation["suspended_at"]:
        context["installation"] = {"id": installation["id"], "node_id": node_id("INST", installation["id"])}
    return context


def _epoch(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp())
