"""GitHub as a small server with the few resources of one repository that the webhook uses."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.kit.http_server import NoResponse, Response, serve_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit.http_server import Request


Nodes = list[dict[str, Any]]


@dataclass
class GitHubStandIn:
    """The few resources of one repository that the webhook uses, on a socket; `faults` breaks requests to come."""

    url: str = ""
    roles: dict[str, str] = field(default_factory=lambda: {"octo-dev": "admin"})
    issue: dict[str, Any] | None = None
    editor: str | None = None
    # As GraphQL has them: comments on the issue, threads on the pull request, and what other issues are called.
    remarks: list[dict[str, Any]] = field(default_factory=list)
    threads: list[dict[str, Any]] = field(default_factory=list)
    reviews_of_the_pull: list[dict[str, Any]] = field(default_factory=list)
    threads_of_a_fork: list[dict[str, Any]] = field(default_factory=list)
    titles: dict[int, str] = field(default_factory=dict)
    settings: str | None = None  # the repository's own file
    default_branch: str = "main"
    operations: list[str] = field(default_factory=list)  # of GraphQL, that read an issue or pull request
    read_branches: list[str] = field(default_factory=list)  # those whose pull requests were read beside the issue
    comments: list[dict[str, Any]] = field(default_factory=list)
    eyes: list[str] = field(default_factory=list)
    # As GraphQL describes them, by the global id of the review and of each of its comments.
    reviews: dict[str, dict[str, Any]] = field(default_factory=dict)
    page_size: int = 100
    written: dict[int, dict[str, Any]] = field(default_factory=dict)  # people's comments, by their id
    merged_at: str | None = None  # of any pull request
    base: str = "main"  # of any pull request
    update: tuple[int, str] = (202, "Updating pull request branch.")  # the response to each of a branch
    requests: list[str] = field(default_factory=list)
    # Method and a part of the path -> status (0 hangs up), and whether the request is carried out all the same.
    faults: list[tuple[str, str, int, bool]] = field(default_factory=list)

    def said(self, number: int) -> list[str]:
        """The comments on an issue or pull request, without their hidden first line."""
        return [c["body"].partition("\n\n")[2] for c in self.comments if c["number"] == number]

    def respond(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and document; a status of 0 hangs up."""
        self.requests.append(f"{method} {path.partition('?')[0]}")
        fault = next((f for f in self.faults if f[0] == method and f[1] in path), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault[3]:
                self._resource(method, path, body)
            return fault[2], {"message": "a fault"}
        if path.endswith("/update-branch"):
            return self.update[0], {"message": self.update[1]}
        return self._resource(method, path, body)

    def _resource(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = path.partition("?")[0].split("/")
        if path == "/graphql":
            return 200, self._graphql(body["query"], body["variables"])
        if parts[-2] in {"comments", "reviews"}:
            review = self.reviews.get(f"PRR_{parts[-1]}")
            written = self.written.get(int(parts[-1])) if parts[-2] == "comments" else None
            found = written or (review and {"node_id": review["id"]})
            return (200, found) if found else (404, {"message": "Not Found"})
        if parts[-2] == "pulls":
            pull = {
                "number": int(parts[-1]),
                "html_url": "",
                "node_id": "",
                "state": "closed",
                "head": {"sha": "a" * 40},
                "base": {"ref": self.base},
            }
            return 200, pull | {"merged_at": self.merged_at}
        if parts[-1] == "permission":
            role = self.roles.get(parts[-2])
            return (200, {"permission": role}) if role else (404, {"message": "Not Found"})
        if method == "GET":
            numbered = enumerate(self.comments, 1)
            return 200, [{"id": i, "node_id": f"IC_{i}"} | c for i, c in numbered if c["number"] == int(parts[-2])]
        self.comments.append({"number": int(parts[-2]), "body": body["body"], "is_own": True})
        return 201, {"id": len(self.comments), "node_id": f"IC_{len(self.comments)}"}

    def _graphql(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "fragment issue" in operation:
            return self._issue(operation, variables)
        if "addReaction" in operation:
            self.eyes += [value for name, value in variables.items() if name.startswith("subject")]
            return {"data": {name: {"clientMutationId": None} for name in variables}}
        if "viewerDidAuthor" in operation:
            return {"data": {"nodes": [self._authored(int(one.removeprefix("IC_"))) for one in variables["comments"]]}}
        node_id, start = variables["subject"], int(variables["after"] or 0)
        review = self.reviews.get(node_id)
        if review is None:
            return {"data": {"node": None}, "errors": [{"type": "NOT_FOUND", "message": "a fault"}]}
        nodes, end = review["comments"]["nodes"], start + self.page_size
        page = {"nodes": nodes[start:end], "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end)}}
        review = review | {"comments": page}
        return {"data": {"node": review if node_id == review["id"] else {"pullRequestReview": review}}}

    def _authored(self, number: int) -> dict[str, Any]:
        """Of a comment, whether it was written here and not put here by a test."""
        return {"fullDatabaseId": str(number), "viewerDidAuthor": self.comments[number - 1].get("is_own", False)}

    def _issue(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The issue that is read, or seen."""
        self.operations.append(operation)
        issue, errors = self.issue and _issue(self.issue, self.editor, self.remarks), list[dict[str, Any]]()
        if issue:
            known: tuple[tuple[bool, Nodes, Nodes], ...] = (
                (True, [], self.threads_of_a_fork),
                (False, self.reviews_of_the_pull, self.threads),
            )
            pulls = [
                {"isCrossRepository": is_of_a_fork, "reviews": {"nodes": reviews}, "reviewThreads": {"nodes": threads}}
                for is_of_a_fork, reviews, threads in known
            ]
            titles = {number: self.titles.get(number) for number in map(int, re.findall(r"\bm(\d+): ", operation))}
            self.read_branches.append(variables["branch"])
            settings = None if self.settings is None else {"text": self.settings}
            default = {"name": self.default_branch, "target": {"oid": "b" * 40, "tree": {"oid": "e" * 40}}}
            repository = {"settings": settings, "defaultBranchRef": default, "pullRequests": {"nodes": pulls}}
            issue["repository"] = repository | {
                f"m{number}": title and {"number": number, "title": title, "state": "OPEN"}
                for number, title in titles.items()
            }
            errors = [_missing(f"m{number}") for number, title in titles.items() if title is None]
        else:
            errors.append(_missing("issue"))
        if "subject" not in variables:
            data: dict[str, Any] = {"repository": {"issue": issue}}
        else:
            self.eyes += [variables["subject"]] if issue else []
            data = {"addReaction": issue and {"subject": issue}}
        return {"data": data} | ({"errors": errors} if errors else {})


def _missing(path: str) -> dict[str, Any]:
    return {"type": "NOT_FOUND", "path": [path], "message": "a fault"}


def a_remark(body: str, at: str, *, author: str = "octo-dev", association: str = "MEMBER") -> dict[str, Any]:
    """A comment as GraphQL has it."""
    return {
        "author": {"login": author},
        "authorAssociation": association,
        "createdAt": f"2026-11-22T{at}Z",
        "url": f"https://github.example/{at}",
        "body": body,
    }


def a_thread(path: str, *comments: dict[str, Any], line: int | None = 12, is_resolved: bool = False) -> dict[str, Any]:
    """A review's thread as GraphQL has it."""
    nodes = {"nodes": list(comments)}
    return {"isResolved": is_resolved, "path": path, "line": line, "originalLine": 7, "comments": nodes}


def _issue(issue: dict[str, Any], editor: str | None, remarks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "number": issue["number"],
        "title": issue["title"],
        "state": issue["state"].upper(),
        "url": issue["html_url"],
        "body": issue["body"] or "",
        "author": issue["user"] and {"login": issue["user"]["login"]},
        "editor": editor and {"login": editor},
        "labels": {"nodes": [{"name": label["name"]} for label in issue["labels"]]},
        "comments": {"nodes": remarks},
    } | ({"baseRefName": issue["base"]["ref"]} if "base" in issue else {})


@contextmanager
def serve_github() -> Iterator[tuple[str, list[GitHubStandIn]]]:
    """One server for all tests; the last of the list responds."""
    standing: list[GitHubStandIn] = []

    def respond(request: Request) -> Response | NoResponse:
        assert request.headers["Authorization"] == "Bearer ghp_a-personal-token"
        status, document = standing[-1].respond(request.method, request.path, request.json())
        return Response.of(document, status) if status else NoResponse.CLOSE

    with serve_http(respond) as server:
        yield server.url, standing
