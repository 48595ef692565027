"""GraphQL's `repository`: its issues and pull requests, by number and by branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_github.api.commit_nodes import describe_ref
from local_github.api.nodes import Node, NotResolvedError, connection, describe
from local_github.bare_repository import GitCommandError
from local_github.documents.accounts import node_id
from local_github.documents.issues import is_pull
from local_github.errors import MovedError, NotFoundError
from local_github.permissions import authorize, may_see, reading
from local_github.tracker import find_issue

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from local_github.actors import Actor
    from local_github.site import Repository, Site

_PULLS = "SELECT * FROM issues WHERE repository_id = ? AND head IS NOT NULL ORDER BY id"


def find_repository(site: Site, actor: Actor, owner: str, name: str, *, follow_renames: bool) -> dict[str, Any]:
    """Describe a repository by its name, or by one that it had.

    Raises:
        NotResolvedError: there is none that the actor may see.
    """
    repo: Repository | None
    try:
        repo = site.repository(owner, name)
    except MovedError as moved:
        repo = site.repository(*moved.current.split("/")) if follow_renames else None
    except NotFoundError:
        repo = None
    if repo is None or not may_see(site, actor, repo):
        raise NotResolvedError(f"Could not resolve to a Repository with the name '{owner}/{name}'.")
    return describe_repository(site, actor, repo)


def describe_repository(site: Site, actor: Actor, repo: Repository) -> dict[str, Any]:
    """Describe a repository for a viewer who may see it."""
    return _Fields(site, actor, repo).document


class _Fields:
    """Resolves a repository's fields for one viewer."""

    def __init__(self, site: Site, actor: Actor, repo: Repository) -> None:
        self._site = site
        self._actor = actor
        self._repo = repo
        self.document = {
            "__typename": "Repository",
            "id": node_id("R", repo.id),
            "nameWithOwner": repo.full_name,
            "defaultBranchRef": self._default_branch_ref,
            "issue": self._issue,
            "issueOrPullRequest": self._issue_or_pull_request,
            "object": self._object,
            "pullRequest": self._pull_request,
            "pullRequests": self._pull_requests,
            "ref": self._ref,
        }

    def _default_branch_ref(self, info: GraphQLResolveInfo) -> dict[str, Any] | None:
        return self._ref(info, f"refs/heads/{self._repo.git.default_branch()}")

    def _ref(self, _info: GraphQLResolveInfo, qualifiedName: str) -> dict[str, Any] | None:  # noqa: N803 - GraphQL's own name
        authorize(self._site, self._actor, self._repo, reading("contents"))
        return describe_ref(self._repo, qualifiedName)

    def _pull_request(self, _info: GraphQLResolveInfo, number: int) -> dict[str, Any]:
        authorize(self._site, self._actor, self._repo, reading("pull_requests"))
        found = self._find(number)
        if found is None or found["__typename"] != "PullRequest":
            raise NotResolvedError(f"Could not resolve to a PullRequest with the number of {number}.")
        return found

    def _issue(self, _info: GraphQLResolveInfo, number: int) -> dict[str, Any]:
        authorize(self._site, self._actor, self._repo, reading("issues"))
        found = self._find(number)
        if found is None or found["__typename"] != "Issue":
            raise NotResolvedError(f"Could not resolve to an Issue with the number of {number}.")
        return found

    def _issue_or_pull_request(self, _info: GraphQLResolveInfo, number: int) -> dict[str, Any]:
        authorize(self._site, self._actor, self._repo, reading("issues", "pull_requests"))
        found = self._find(number)
        if found is None:
            raise NotResolvedError(f"Could not resolve to an issue or pull request with the number of {number}.")
        return found

    def _object(self, _info: GraphQLResolveInfo, expression: str) -> dict[str, Any] | None:
        """Describe a file by Git's words for it, such as `HEAD:README.md`; None where there is none."""
        authorize(self._site, self._actor, self._repo, reading("contents"))
        git = self._repo.git
        try:
            oid = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", expression).decode().strip()
            content = git.blob(oid)
        except GitCommandError:
            return None
        is_binary = b"\0" in content
        described = {"__typename": "Blob", "id": node_id("B", oid), "oid": oid, "byteSize": len(content)}
        return described | {"isBinary": is_binary, "text": None if is_binary else content.decode(errors="replace")}

    def _pull_requests(self, _info: GraphQLResolveInfo, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - GraphQL's arguments
        authorize(self._site, self._actor, self._repo, reading("pull_requests"))
        pulls = [
            describe(self._site, Node("PullRequest", "issue", self._repo, row))
            for row in self._site.storage.all(_PULLS, self._repo.id)
            if given.get("headRefName") in {None, row["head"]}
        ]
        states = given.get("states")
        return connection([pull for pull in pulls if states is None or pull["state"] in states], given)

    def _find(self, number: int) -> dict[str, Any] | None:
        try:
            row = find_issue(self._site, self._repo, number)
        except NotFoundError:
            return None
        kind = "PullRequest" if is_pull(row) else "Issue"
        return describe(self._site, Node(kind, "issue", self._repo, row))
