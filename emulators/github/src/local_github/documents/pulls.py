"""Pull requests, reviews and review comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_github import history
from local_github.documents.accounts import association, node_id, simple_user
from local_github.documents.issues import html_url, issue, reaction_counts
from local_github.documents.repositories import repository

if TYPE_CHECKING:
    from local_github.history import Commit, FileChange
    from local_github.site import Repository, Site
    from local_github.storage import Row

_SHARED_WITH_ISSUE = (
    "id", "node_id", "number", "title", "body", "state", "user", "author_association", "labels", "assignee",
    "assignees", "milestone", "locked", "active_lock_reason", "created_at", "updated_at", "closed_at",
)  # fmt: skip


def head_sha(repo: Repository, row: Row) -> str:
    """Return the commit a pull request proposes: its branch's tip while it is open, the last one afterwards."""
    live = repo.git.branch_sha(row["head"]) if row["state"] == "open" else None
    return live or str(row["head_sha"])


def base_sha(repo: Repository, row: Row) -> str:
    """Return the commit a pull request is measured against, like `head_sha`."""
    live = repo.git.branch_sha(row["base"]) if row["state"] == "open" else None
    return live or str(row["base_sha"])


def commits(repo: Repository, row: Row) -> list[Commit]:
    """Return the commits a pull request would add, the oldest first."""
    return history.log(repo.git, head_sha(repo, row), f"^{base_sha(repo, row)}", oldest_first=True)


def changes(repo: Repository, row: Row) -> list[FileChange]:
    """Return the files a pull request would change."""
    head, base = head_sha(repo, row), base_sha(repo, row)
    return history.changes(repo.git, repo.git.merge_base(base, head) or base, head)


def simple_pull(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe a pull request as lists do."""
    shared = issue(site, repo, row)
    url, head, page = f"{repo.api_url}/pulls/{row['number']}", head_sha(repo, row), html_url(repo, row)
    links = {
        "self": url,
        "html": page,
        "issue": shared["url"],
        "comments": shared["comments_url"],
        "review_comments": f"{url}/comments",
        "review_comment": f"{repo.api_url}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{repo.api_url}/statuses/{head}",
    }
    addresses = {f"{name}_url": link for name, link in links.items() if name != "self"}
    return {
        **{name: shared[name] for name in _SHARED_WITH_ISSUE},
        **addresses,
        "url": url,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "draft": bool(row["draft"]),
        "merged_at": row["merged_at"],
        "merge_commit_sha": row["merge_sha"],
        "requested_reviewers": [],
        "requested_teams": [],
        "auto_merge": None,
        "head": _side(site, repo, row["head"], head),
        "base": _side(site, repo, row["base"], base_sha(repo, row)),
        "_links": {name: {"href": link} for name, link in links.items()},
    }


def _side(site: Site, repo: Repository, branch: str, sha: str) -> dict[str, Any]:
    return {
        "label": f"{repo.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": simple_user(site, repo.owner),
        "repo": repository(site, repo),
    }


def pull(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe one pull request with its counts and whether it can be merged."""
    document, files = simple_pull(site, repo, row), changes(repo, row)
    base, head = document["base"]["sha"], document["head"]["sha"]
    mergeable = None
    if row["state"] == "open":
        mergeable = repo.git.merged_tree(base, head) is not None
    states = {True: "draft" if row["draft"] else "clean", False: "dirty", None: "unknown"}
    return {
        **document,
        "merged": row["merged_at"] is not None,
        "mergeable": mergeable,
        "rebaseable": False,
        "mergeable_state": states[mergeable],
        "merged_by": simple_user(site, row["merged_by"]) if row["merged_by"] else None,
        "comments": site.storage.count("SELECT 1 FROM comments WHERE issue_id = ?", row["id"]),
        "review_comments": site.storage.count("SELECT 1 FROM review_comments WHERE issue_id = ?", row["id"]),
        "maintainer_can_modify": False,
        "commits": history.ahead_behind(repo.git, base, head)[0],
        "additions": sum(file.additions for file in files),
        "deletions": sum(file.deletions for file in files),
        "changed_files": len(files),
    }


def review(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe a review."""
    parent = site.storage.get("issues", row["issue_id"])
    page, url = f"{html_url(repo, parent)}#pullrequestreview-{row['id']}", f"{repo.api_url}/pulls/{parent['number']}"
    return {
        "id": row["id"],
        "node_id": node_id("PRR", row["id"]),
        "user": simple_user(site, row["author"]),
        "body": row["body"],
        "state": row["state"],
        "html_url": page,
        "pull_request_url": url,
        "author_association": association(site, repo, row["author"]),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": row["submitted_at"],
        "updated_at": row["submitted_at"],
        "commit_id": row["commit_id"],
    }


def review_event(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe a review as webhooks do: its state in lower case, and null for no text."""
    document = review(site, repo, row)
    return {**document, "state": document["state"].lower(), "body": document["body"] or None}


def review_comment(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe a comment on a line of a pull request."""
    parent = site.storage.get("issues", row["issue_id"])
    url, pull_url = f"{repo.api_url}/pulls/comments/{row['id']}", f"{repo.api_url}/pulls/{parent['number']}"
    page = f"{html_url(repo, parent)}#discussion_r{row['id']}"
    document = {
        "id": row["id"],
        "node_id": node_id("PRRC", row["id"]),
        "url": url,
        "html_url": page,
        "pull_request_url": pull_url,
        "pull_request_review_id": row["review_id"],
        "diff_hunk": row["diff_hunk"],
        "path": row["path"],
        "position": 1,
        "original_position": 1,
        "commit_id": row["commit_id"],
        "original_commit_id": row["commit_id"],
        "line": row["line"],
        "original_line": row["line"],
        "start_line": None,
        "original_start_line": None,
        "side": row["side"],
        "start_side": None,
        "subject_type": "line" if row["line"] else "file",
        "body": row["body"],
        "user": simple_user(site, row["author"]),
        "author_association": association(site, repo, row["author"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "reactions": reaction_counts(site, "review_comment", row["id"], url),
        "_links": {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": pull_url}},
    }
    return document | ({"in_reply_to_id": row["in_reply_to_id"]} if row["in_reply_to_id"] else {})
