"""GraphQL's global ids: what one names, and who may know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from local_github.documents import issues
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
    if node.subject != "issue":
        return document | {"body": node.row["body"]}
    row = node.row
    document |= {"number": row["number"], "title": row["title"], "url": issues.html_url(node.repo, row)}
    document |= _last_edit(site, row)
    state = "MERGED" if row["merged_at"] else row["state"].upper()
    return document | {"state": state, "isDraft": bool(row["draft"])}


def _last_edit(site: Site, row: Row) -> dict[str, Any]:
    """Describe who edited the text last, and when."""
    edit = site.storage.one("SELECT * FROM body_edits WHERE issue_id = ? ORDER BY id DESC", row["id"])
    user = site.user(edit["editor"]) if edit else None
    kind, prefix = ("Bot", "BOT") if user and user["type"] == "Bot" else ("User", "U")
    return {
        "editor": {"__typename": kind, "id": node_id(prefix, user["id"]), "login": user["login"]} if user else None,
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
