"""Issues, labels, comments and reactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from local_github.documents.accounts import association, node_id, simple_user
from local_github.reactions import CONTENTS

if TYPE_CHECKING:
    from local_github.site import Repository, Site
    from local_github.storage import Row


def is_pull(row: Row) -> bool:
    """Tell whether a row of `issues` is a pull request."""
    return row["head"] is not None


def html_url(repo: Repository, row: Row) -> str:
    """Return the address of the page of an issue or pull request."""
    return f"{repo.html_url}/{'pull' if is_pull(row) else 'issues'}/{row['number']}"


def label(repo: Repository, row: Row) -> dict[str, Any]:
    """Describe a label."""
    return {
        "id": row["id"],
        "node_id": node_id("LA", row["id"]),
        "url": f"{repo.api_url}/labels/{quote(row['name'], safe='')}",
        "name": row["name"],
        "color": row["color"],
        "default": False,
        "description": row["description"],
        "archived_at": None,
        "archived_by": None,
    }


def labels(site: Site, repo: Repository, issue_id: int) -> list[dict[str, Any]]:
    """Describe the labels an issue or pull request has, in the order they were added."""
    rows = site.storage.all(
        "SELECT labels.* FROM labels JOIN issue_labels ON label_id = labels.id WHERE issue_id = ? "
        "ORDER BY issue_labels.id",
        issue_id,
    )
    return [label(repo, row) for row in rows]


def issue(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe an issue; a pull request is one too."""
    url = f"{repo.api_url}/issues/{row['number']}"
    comments = site.storage.count("SELECT 1 FROM comments WHERE issue_id = ?", row["id"])
    document = {
        "id": row["id"],
        "node_id": node_id("PR" if is_pull(row) else "I", row["id"]),
        "url": url,
        "repository_url": repo.api_url,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": html_url(repo, row),
        "number": row["number"],
        "title": row["title"],
        "body": row["body"],
        "state": row["state"],
        "state_reason": row["state_reason"],
        "user": simple_user(site, row["author"]),
        "author_association": association(site, repo, row["author"]),
        "labels": labels(site, repo, row["id"]),
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "locked": False,
        "active_lock_reason": None,
        "comments": comments,
        "closed_at": row["closed_at"],
        "closed_by": simple_user(site, row["closed_by"]) if row["closed_by"] else None,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "performed_via_github_app": None,
        "reactions": reaction_counts(site, "issue", row["id"], url),
    }
    if is_pull(row):
        page = html_url(repo, row)
        document["draft"] = bool(row["draft"])
        document["pull_request"] = {
            "url": f"{repo.api_url}/pulls/{row['number']}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": row["merged_at"],
        }
    return document


def comment(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    """Describe a comment on an issue or pull request."""
    parent, url = site.storage.get("issues", row["issue_id"]), f"{repo.api_url}/issues/comments/{row['id']}"
    return {
        "id": row["id"],
        "node_id": node_id("IC", row["id"]),
        "url": url,
        "html_url": f"{html_url(repo, parent)}#issuecomment-{row['id']}",
        "issue_url": f"{repo.api_url}/issues/{parent['number']}",
        "body": row["body"],
        "user": simple_user(site, row["author"]),
        "author_association": association(site, repo, row["author"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "performed_via_github_app": None,
        "reactions": reaction_counts(site, "comment", row["id"], url),
    }


def reaction(site: Site, row: Row) -> dict[str, Any]:
    """Describe one person's reaction."""
    return {
        "id": row["id"],
        "node_id": node_id("REA", row["id"]),
        "user": simple_user(site, row["author"]),
        "content": row["content"],
        "created_at": row["created_at"],
    }


def reaction_counts(site: Site, subject: str, subject_id: int, url: str) -> dict[str, Any]:
    """Count the reactions to a subject (issue, comment or review_comment) whose API address is `url`."""
    rows = site.storage.all(
        "SELECT content, count(*) AS times FROM reactions WHERE subject = ? AND subject_id = ? GROUP BY content",
        subject,
        subject_id,
    )
    times = {row["content"]: row["times"] for row in rows}
    counts = {content: times.get(content, 0) for content in CONTENTS}
    return {"url": f"{url}/reactions", "total_count": sum(counts.values()), **counts}
