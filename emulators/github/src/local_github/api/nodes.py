"""GraphQL's global ids: what one names, and who may know of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from local_github.documents import issues, pulls
from local_github.documents.accounts import node_id
from local_github.permissions import may_see

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
_COMMENTS = "SELECT * FROM comments WHERE issue_id = ? ORDER BY id"
_REVIEWS = "SELECT * FROM reviews WHERE issue_id = ? ORDER BY id"
_REVIEW_COMMENTS = "SELECT * FROM review_comments WHERE issue_id = ? ORDER BY id"
# Prefix of the id -> GraphQL's type, the subject of its reactions, and where it is looked up.
_KINDS = {
    "PR": ("PullRequest", "issue", _PULL),
    "I": ("Issue", "issue", _ISSUE),
    "IC": ("IssueComment", "comment", _COMMENT),
    "PRR": ("PullRequestReview", "review", _REVIEW),
    "PRRC": ("PullRequestReviewComment", "review_comment", _REVIEW_COMMENT),
}
MOST_NODES = 100  # GitHub Docs, "Rate limits and query limits for the GraphQL API": `first` is from 1 to 100
_DOCUMENTS = {
    "issue": issues.issue,
    "comment": issues.comment,
    "review": pulls.review,
    "review_comment": pulls.review_comment,
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


class NotResolvedError(GraphQLError):
    """There is no such thing, or the viewer may not see it."""


class NodeNotFoundError(NotResolvedError):
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
    document |= _text(_DOCUMENTS[node.subject](site, node.repo, row))
    if node.subject == "review":
        return document | _review(site, node)
    if node.subject == "review_comment":
        return document | _review_comment(site, node)
    if node.subject == "comment":
        return document | {"fullDatabaseId": str(row["id"])}
    document |= {"number": row["number"], "title": row["title"]}
    document |= _last_edit(site, row)
    state = "MERGED" if row["merged_at"] else row["state"].upper()
    document |= {"state": state, "isDraft": bool(row["draft"]), "isCrossRepository": False}
    document["baseRefName"] = row["base"]
    return document | {
        "repository": lambda info: info.context(node.repo),  # as whoever asks may see it
        "labels": lambda _info, **page: connection(_labels(site, row), page),
        "comments": lambda _info, **page: connection(_described(site, node, "IssueComment", _COMMENTS), page),
        "reviews": partial(_reviews, site, node),
        "reviewThreads": lambda _info, **page: connection(_threads(site, node), page),
        "timelineItems": lambda _info, **page: connection(_draft_conversions(site, row), page),
    }


def connection(nodes: Sequence[dict[str, Any]], page: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the first or the last of some things."""
    first, last = page.get("first"), page.get("last")
    if first is None and last is None:
        raise GraphQLError("You must provide a `first` or `last` value to properly paginate the connection.")
    shown = nodes[:first] if first is not None else nodes[-last:] if last else []
    return {"totalCount": len(nodes), "nodes": shown}


def _described(site: Site, parent: Node, kind: str, sql: str) -> list[dict[str, Any]]:
    subject = next(subject for name, subject, _ in _KINDS.values() if name == kind)
    rows = site.storage.all(sql, parent.row["id"])
    return [describe(site, Node(kind, subject, parent.repo, row)) for row in rows]


def _reviews(site: Site, pull: Node, _info: object, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - GraphQL's arguments
    reviews = _described(site, pull, "PullRequestReview", _REVIEWS)
    states = given.get("states")
    return connection([review for review in reviews if states is None or review["state"] in states], given)


def _threads(site: Site, pull: Node) -> list[dict[str, Any]]:
    """Describe a pull request's threads, each by its first comment. Nobody can resolve one here."""
    threads: dict[int, list[Row]] = {}
    for row in site.storage.all(_REVIEW_COMMENTS, pull.row["id"]):
        threads.setdefault(row["in_reply_to_id"] or row["id"], []).append(row)
    return [
        {
            "id": node_id("PRRT", rows[0]["id"]),
            "isResolved": False,
            "path": rows[0]["path"],
            "line": rows[0]["line"],
            "originalLine": rows[0]["line"],
            "comments": partial(_comments_of, site, pull.repo, rows),
        }
        for rows in threads.values()
    ]


def _comments_of(site: Site, repo: Repository, rows: list[Row], _info: object, **page: int) -> dict[str, Any]:
    nodes = [describe(site, Node("PullRequestReviewComment", "review_comment", repo, row)) for row in rows]
    return connection(nodes, page)


def _text(document: dict[str, Any]) -> dict[str, Any]:
    """Describe what somebody wrote, from REST's description of it. An App's login has no suffix here."""
    user = document["user"]
    kind, prefix = ("Bot", "BOT") if user["type"] == "Bot" else ("User", "U")
    return {
        "body": document["body"] or "",
        "url": document["html_url"],
        "author": {
            "__typename": kind, "id": node_id(prefix, user["id"]), "login": user["login"].removesuffix("[bot]")
        },
        "authorAssociation": document["author_association"],
        "createdAt": document.get("created_at") or document["submitted_at"],
        "viewerDidAuthor": lambda info: info.root_value.is_viewer(user["login"]),
    }  # fmt: skip


def _review(site: Site, node: Node) -> dict[str, Any]:
    """Describe a review, with its comments as they are asked for."""
    row, document = node.row, pulls.review(site, node.repo, node.row)
    return {
        "fullDatabaseId": str(row["id"]),
        "state": row["state"],
        "submittedAt": row["submitted_at"],
        "url": document["html_url"],
        "comments": lambda _info, first=MOST_NODES, after=None: _comments(site, node, first, after),
    }


def _comments(site: Site, review: Node, first: int, after: str | None) -> dict[str, Any]:
    """Describe a page of a review's comments. A cursor is the id of the last one before the page."""
    sql = "SELECT * FROM review_comments WHERE review_id = ? ORDER BY id"
    rows = site.storage.all(sql, review.row["id"])
    following = [row for row in rows if row["id"] > int(after or 0)]
    page = following[: min(first, MOST_NODES)]
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


def _labels(site: Site, row: Row) -> list[dict[str, Any]]:
    sql = "SELECT labels.* FROM labels JOIN issue_labels ON label_id = labels.id WHERE issue_id = ? ORDER BY name"
    return [{"id": node_id("LA", label["id"]), "name": label["name"]} for label in site.storage.all(sql, row["id"])]


def _last_edit(site: Site, row: Row) -> dict[str, Any]:
    """Describe who edited the text last, and when."""
    edit = site.storage.one("SELECT * FROM body_edits WHERE issue_id = ? ORDER BY id DESC", row["id"])
    return {
        "editor": _actor(site, edit["editor"]) if edit else None,
        "lastEditedAt": edit["edited_at"] if edit else None,
    }


def _draft_conversions(site: Site, row: Row) -> list[dict[str, Any]]:
    """Describe each time that a pull request was made a draft again."""
    found = site.storage.all("SELECT * FROM draft_conversions WHERE issue_id = ? ORDER BY id", row["id"])
    return [
        {
            "__typename": "ConvertToDraftEvent",
            "id": node_id("CTDE", one["id"]),
            "actor": _actor(site, one["actor"]),
            "createdAt": one["created_at"],
        }
        for one in found
    ]


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
