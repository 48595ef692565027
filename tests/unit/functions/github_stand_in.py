"""GitHub as a small server with the few resources of one repository that the webhook uses."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.kit.http_server import NoResponse, Response, serve_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit.http_server import Request


@dataclass
class GitHubStandIn:
    """The few resources of one repository that the webhook uses, on a socket; `faults` breaks requests to come."""

    url: str = ""
    roles: dict[str, str] = field(default_factory=lambda: {"octo-dev": "admin"})
    issue: dict[str, Any] | None = None
    editor: str | None = None
    comments: list[dict[str, Any]] = field(default_factory=list)
    eyes: list[str] = field(default_factory=list)
    # As GraphQL describes them, by the global id of the review and of each of its comments.
    reviews: dict[str, dict[str, Any]] = field(default_factory=dict)
    page_size: int = 100
    written: dict[int, dict[str, Any]] = field(default_factory=dict)  # people's comments, by their id
    merged_at: str | None = None  # of any pull request
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
        return self._resource(method, path, body)

    def _resource(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:  # noqa: PLR0911 - one for each
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
            }
            return 200, pull | {"merged_at": self.merged_at}
        if parts[-1] == "permission":
            role = self.roles.get(parts[-2])
            return (200, {"permission": role}) if role else (404, {"message": "Not Found"})
        if parts[-1] != "comments":
            return (200, self.issue) if self.issue else (404, {"message": "Not Found"})
        if method == "GET":
            return 200, [{"id": i, **c} for i, c in enumerate(self.comments, 1) if c["number"] == int(parts[-2])]
        self.comments.append({"number": int(parts[-2]), "body": body["body"]})
        return 201, {"id": len(self.comments)}

    def _see(self, node_id: str) -> dict[str, Any]:
        if self.issue is None:
            return {"data": {"addReaction": None}, "errors": [{"type": "NOT_FOUND", "message": "a fault"}]}
        self.eyes.append(node_id)
        subject = {"state": self.issue["state"].upper(), "labels": {"nodes": self.issue["labels"]}}
        return {"data": {"addReaction": {"subject": subject}}}

    def _graphql(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "editor" in operation:
            return {"data": {"node": {"editor": self.editor and {"login": self.editor}}}}
        if "labels" in operation:
            return self._see(variables["subject"])
        if "addReaction" in operation:
            self.eyes += variables.values()
            return {"data": {name: {"clientMutationId": None} for name in variables}}
        node_id, start = variables["subject"], int(variables["after"] or 0)
        review = self.reviews.get(node_id)
        if review is None:
            return {"data": {"node": None}, "errors": [{"type": "NOT_FOUND", "message": "a fault"}]}
        nodes, end = review["comments"]["nodes"], start + self.page_size
        page = {"nodes": nodes[start:end], "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end)}}
        review = review | {"comments": page}
        return {"data": {"node": review if node_id == review["id"] else {"pullRequestReview": review}}}


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
