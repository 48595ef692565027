"""GraphQL's global ids: what one names, and who may know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from local_github.documents import issues, pulls
from local_github.documents.accounts import node_id
from local_github.permissions import may_see

if TYPE_CHECKING:
    from local_github.actors import Actor
    from local_github.site import Repository, Site
    from local_github.storage import Row

_PULL = "SELECT * FROM issues WHERE CAST(id AS TEXT) = ? AND head IS NOT NULL"
_ISSUE = "SELECT * FROM issues WHERE CAST(id AS TEXT) = ? AND head IS NULL"
_COMMENT = "SELECT * FROM comments WHERE CAST(id AS TEXT) = ?"
_REVIEW = """
    SELECT reviews.*, repository_id FROM reviews JOIN issues ON issues.id = issue_id WHERE CAST(reviews.id AS TEXT) = ?
"""
_REVIEW_COMMENT = "SELECT * FROM review_comments WHERE CAST(id AS TEXT) = ?"
# Prefix of the id -> GraphQL's type, the subject of its reactions, and where it is looked up.
_KINDS = {
    "PR": ("PullRequest", "issue", _PULL),
    "I": ("Issue", "issue", _ISSUE),
    "IC": ("IssueComment", "comment", _COMMENT),
    "PRR": ("PullRequestReview", "review", _REVIEW),
    "PRRC": ("PullRequestReviewComment", "review_comment", _REVIEW_COMMENT),
}
_MOST_NODES = 100  # GitHub Docs, "Rate limits and query limits for the GraphQL API": `first` is from 1 to 100
REACTION_CONTENTS = {
    "THUMBS_UP": "+1",
    "THUMBS_DOWN": "-1",
    "LAUGH": "laugh",
    "HOORAY": "hooray",
    "CONFUSED": "confused",
    "HEART": "heart",
    "ROCKET": "rocket",
    "EYES": "eyes",
}
_REACTION_WORDS = {content: word for word, content in REACTION_CONTENTS.items()}


class NodeNotFoundError(GraphQLError):
    """A global id names nothing the viewer may see."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"Could not resolve to a node with the global id of '{wanted}'")


@dataclass(frozen=True)
class Node:
    """A thing with a global id: its GraphQL type, its row, and `subject`, the kind its reactions are stored under."""

    kind: str
    subject: str
    repo: Repository
    row: Row


def find_node(site: Site, actor: Actor, wanted: str) -> Node:
    """Return what a global id names.

    Raises:
        NodeNotFoundError: nothing, or nothing that the actor may see.
    """
    prefix, _, key = wanted.partition("_")
    kind, subject, sql = _KINDS.get(prefix, ("", "", ""))
    row = site.storage.one(sql, key) if kind and key.isascii() and key.isdigit() else None
    if not row:
        raise NodeNotFoundError(wanted)
    repo = site.repository_by_id(row["repository_id"])
    if not may_see(site, actor, repo):
        raise NodeNotFoundError(wanted)
    return Node(kind, subject, repo, row)


def describe(site: Site, node: Node) -> dict[str, Any]:
    """Describe a thing with the fields that this GitHub's GraphQL schema has for its type."""
    prefix = next(prefix for prefix, (kind, _, _) in _KINDS.items() if kind == node.kind)
    document = {"__typename": node.kind, "id": node_id(prefix, node.row["id"]), "databaseId": node.row["id"]}
    document["reactions"] = lambda _info, **_arguments: _reactions(site, node)
    row = node.row
    if node.subject == "review":
        return document | _review(site, node)
    if node.subject == "review_comment":
        return document | _review_comment(site, node)
    if node.subject == "comment":
        return document | {"body": row["body"]}
    document |= {"number": row["number"], "title": row["title"], "url": issues.html_url(node.repo, row)}
    document |= _last_edit(site, row)
    document["labels"] = lambda _info, first=_MOST_NODES: _labels(site, row, first)
    state = "MERGED" if row["merged_at"] else row["state"].upper()
    return document | {"state": state, "isDraft": bool(row["draft"])}


def _review(site: Site, node: Node) -> dict[str, Any]:
    """Describe a review, with its comments as they are asked for."""
    row, document = node.row, pulls.review(site, node.repo, node.row)
    return {
        "fullDatabaseId": str(row["id"]),
        "author": _actor(site, row["author"]),
        "body": row["body"],
        "state": row["state"],
        "submittedAt": row["submitted_at"],
        "url": document["html_url"],
        "comments": lambda _info, first=_MOST_NODES, after=None: _comments(site, node, first, after),
    }


def _comments(site: Site, review: Node, first: int, after: str | None) -> dict[str, Any]:
    """Describe a page of a review's comments. A cursor is the id of the last one before the page."""
    sql = "SELECT * FROM review_comments WHERE review_id = ? ORDER BY id"
    rows = site.storage.all(sql, review.row["id"])
    following = [row for row in rows if row["id"] > int(after or 0)]
    page = following[: min(first, _MOST_NODES)]
    return {
        "totalCount": len(rows),
        "nodes": [describe(site, _comment_node(review.repo, row)) for row in page],
        "pageInfo": {
            "endCursor": str(page[-1]["id"]) if page else None,
            "hasNextPage": len(following) > len(page),
        },
    }


def _review_comment(site: Site, node: Node) -> dict[str, Any]:
    """Describe a comment on a line, with its review and the comment that it replies to as they are asked for."""
    row, document = node.row, pulls.review_comment(site, node.repo, node.row)
    parent = row["in_reply_to_id"]
    return {
        "fullDatabaseId": str(row["id"]),
        "body": row["body"],
        "createdAt": row["created_at"],
        "diffHunk": row["diff_hunk"],
        "line": document["line"],
        "originalLine": document["original_line"],
        "path": row["path"],
        "startLine": document["start_line"],
        "url": document["html_url"],
        "pullRequestReview": lambda _info: describe(
            site, Node("PullRequestReview", "review", node.repo, site.storage.get("reviews", row["review_id"]))
        ),
        "replyTo": lambda _info: (
            describe(site, _comment_node(node.repo, site.storage.get("review_comments", parent))) if parent else None
        ),
    }


def _comment_node(repo: Repository, row: Row) -> Node:
    return Node("PullRequestReviewComment", "review_comment", repo, row)


def _actor(site: Site, login: str) -> dict[str, Any] | None:
    """Describe who did something; null where their account is gone."""
    user = site.user(login)
    kind, prefix = ("Bot", "BOT") if user and user["type"] == "Bot" else ("User", "U")
    return {"__typename": kind, "id": node_id(prefix, user["id"]), "login": user["login"]} if user else None


def _labels(site: Site, row: Row, first: int) -> dict[str, Any]:
    sql = "SELECT labels.* FROM labels JOIN issue_labels ON label_id = labels.id WHERE issue_id = ? ORDER BY name"
    labels = [{"id": node_id("LA", label["id"]), "name": label["name"]} for label in site.storage.all(sql, row["id"])]
    return {"totalCount": len(labels), "nodes": labels[: min(first, _MOST_NODES)]}


def _last_edit(site: Site, row: Row) -> dict[str, Any]:
    """Describe who edited the text last, and when."""
    edit = site.storage.one("SELECT * FROM body_edits WHERE issue_id = ? ORDER BY id DESC", row["id"])
    return {
        "editor": _actor(site, edit["editor"]) if edit else None,
        "lastEditedAt": edit["edited_at"] if edit else None,
    }


def _reactions(site: Site, node: Node) -> dict[str, Any]:
    sql = "SELECT * FROM reactions WHERE subject = ? AND subject_id = ? ORDER BY id"
    rows = site.storage.all(sql, node.subject, node.row["id"])
    return {"totalCount": len(rows), "nodes": [describe_reaction(site, row) for row in rows]}


def describe_reaction(site: Site, row: Row) -> dict[str, Any]:
    """Describe one person's reaction."""
    user = site.user(row["author"])
    return {
        "id": node_id("REA", row["id"]),
        "databaseId": row["id"],
        "content": _REACTION_WORDS[row["content"]],
        "createdAt": row["created_at"],
        "user": {"id": node_id("U", user["id"]), "login": user["login"]} if user else None,
    }
