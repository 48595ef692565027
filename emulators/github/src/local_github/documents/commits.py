"""Commits, refs, diffs and comparisons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from local_github import history
from local_github.bare_repository import EMPTY_TREE, NO_COMMIT, Identity
from local_github.documents.accounts import node_id, simple_user

if TYPE_CHECKING:
    from local_github.history import Commit, FileChange
    from local_github.site import Repository, Site

_UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
_MOST_FILES = 300  # GitHub shows no more of one diff
_MOST_CHANGED_LINES = 3000  # beyond these GitHub leaves the patch of a file out


def utc(stamp: str) -> str:
    """Return an ISO 8601 time of any offset as GitHub writes it."""
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _person(identity: Identity, stamp: str) -> dict[str, str]:
    return {"name": identity.name, "email": identity.email, "date": utc(stamp)}


def git_commit(repo: Repository, commit: Commit) -> dict[str, Any]:
    """Describe a commit as the git object it is."""
    git_url = f"{repo.api_url}/git"
    return {
        "sha": commit.sha,
        "node_id": node_id("C", commit.sha),
        "url": f"{git_url}/commits/{commit.sha}",
        "html_url": f"{repo.html_url}/commit/{commit.sha}",
        "author": _person(commit.author, commit.authored_at),
        "committer": _person(commit.committer, commit.committed_at),
        "tree": {"sha": commit.tree, "url": f"{git_url}/trees/{commit.tree}"},
        "message": commit.message,
        "parents": [
            {"sha": sha, "url": f"{git_url}/commits/{sha}", "html_url": f"{repo.html_url}/commit/{sha}"}
            for sha in commit.parents
        ],
        "verification": _UNSIGNED,
    }


def commit(site: Site, repo: Repository, source: Commit) -> dict[str, Any]:
    """Describe a commit as lists do."""
    document, url = git_commit(repo, source), f"{repo.api_url}/commits"
    inner = {name: document[name] for name in ("author", "committer", "message", "tree", "verification", "url")}
    return {
        "sha": source.sha,
        "node_id": document["node_id"],
        "commit": {**inner, "comment_count": 0},
        "url": f"{url}/{source.sha}",
        "html_url": document["html_url"],
        "comments_url": f"{url}/{source.sha}/comments",
        "author": _account(site, source.author),
        "committer": _account(site, source.committer),
        "parents": [{**parent, "url": f"{url}/{parent['sha']}"} for parent in document["parents"]],
    }


def _account(site: Site, identity: Identity) -> dict[str, Any] | None:
    """Return the account whose private address wrote the commit (`<id>+<login>@users.noreply...`), if any."""
    name, _, domain = identity.email.partition("@")
    login = name.partition("+")[2]
    known = domain.startswith("users.noreply.") and login and site.user(login)
    return simple_user(site, login) if known else None


def full_commit(site: Site, repo: Repository, source: Commit) -> dict[str, Any]:
    """Describe one commit with the files it changed."""
    parent = source.parents[0] if source.parents else EMPTY_TREE
    files = [file_change(repo, source.sha, change) for change in history.changes(repo.git, parent, source.sha)]
    additions = sum(file["additions"] for file in files)
    deletions = sum(file["deletions"] for file in files)
    stats = {"additions": additions, "deletions": deletions, "total": additions + deletions}
    return {**commit(site, repo, source), "stats": stats, "files": files[:_MOST_FILES]}


def file_change(repo: Repository, sha: str, change: FileChange) -> dict[str, Any]:
    """Describe what happened to one file up to commit `sha`."""
    path, lines = quote(change.path), change.additions + change.deletions
    document = {
        "sha": change.sha,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": lines,
        "blob_url": f"{repo.html_url}/blob/{sha}/{path}",
        "raw_url": f"{repo.html_url}/raw/{sha}/{path}",
        "contents_url": f"{repo.api_url}/contents/{path}?ref={sha}",
    }
    if change.previous_path is not None:
        document["previous_filename"] = change.previous_path
    if change.patch is not None and lines <= _MOST_CHANGED_LINES:
        document["patch"] = change.patch
    return document


def comparison(
    site: Site, repo: Repository, names: str, span: tuple[str, str, str], commits: list[Commit]
) -> dict[str, Any]:
    """Describe what one side has that the other lacks; `span` is (base, merge base, head), `commits` a page of them."""
    base, merge_base, head = span
    ahead, behind = history.ahead_behind(repo.git, base, head)
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    html_url = f"{repo.html_url}/compare/{quote(names, safe='/.:')}"
    changes = history.changes(repo.git, merge_base, head)[:_MOST_FILES]
    return {
        "url": f"{repo.api_url}/compare/{quote(names, safe='/.:')}",
        "html_url": html_url,
        "permalink_url": f"{repo.html_url}/compare/{repo.owner}:{base[:7]}...{repo.owner}:{head[:7]}",
        "diff_url": f"{html_url}.diff",
        "patch_url": f"{html_url}.patch",
        "base_commit": commit(site, repo, history.commit(repo.git, base)),
        "merge_base_commit": commit(site, repo, history.commit(repo.git, merge_base)),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [commit(site, repo, source) for source in commits],
        "files": [file_change(repo, head, change) for change in changes],
    }


def git_ref(repo: Repository, ref: str, sha: str) -> dict[str, Any]:
    """Describe a ref and the commit it points at."""
    return {
        "ref": ref,
        "node_id": node_id("REF", f"{repo.id}:{ref}"),
        "url": f"{repo.api_url}/git/{quote(ref)}",
        "object": {"type": "commit", "sha": sha, "url": f"{repo.api_url}/git/commits/{sha}"},
    }


def pushed_commit(repo: Repository, source: Commit) -> dict[str, Any]:
    """Describe a commit as push events do, with the names of the files it touched."""
    parent = source.parents[0] if source.parents else EMPTY_TREE
    touched: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for word, path in history.touched_paths(repo.git, parent, source.sha):
        touched[word].append(path)
    return {
        "id": source.sha,
        "tree_id": source.tree,
        "distinct": True,
        "message": source.message,
        "timestamp": source.authored_at,
        "url": f"{repo.html_url}/commit/{source.sha}",
        "author": {"name": source.author.name, "email": source.author.email},
        "committer": {"name": source.committer.name, "email": source.committer.email},
        **touched,
    }


def push(repo: Repository, ref: str, before: str, after: str, commits: list[Commit]) -> dict[str, Any]:
    """Describe how a ref moved from `before` to `after` (NO_COMMIT: did not exist, or does not any more)."""
    created, deleted = before == NO_COMMIT, after == NO_COMMIT
    pushed = [pushed_commit(repo, source) for source in commits]
    head = pushed[-1] if pushed else None if deleted else pushed_commit(repo, history.commit(repo.git, after))
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": created,
        "deleted": deleted,
        "forced": not created and not deleted and not repo.git.is_ancestor(before, after),
        "base_ref": None,
        "compare": f"{repo.html_url}/compare/{before[:12]}...{after[:12]}",
        "commits": pushed,
        "head_commit": head,
    }
