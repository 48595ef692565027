"""GraphQL's commits, branches, and what a branch has that another has not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from local_github import history
from local_github.api.nodes import connection
from local_github.documents.accounts import node_id

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from local_github.history import Commit
    from local_github.site import Repository


def describe_ref(repo: Repository, qualified_name: str) -> dict[str, Any] | None:
    """Describe a branch or tag by its full name; None where there is none."""
    sha = repo.git.ref_sha(qualified_name)
    if sha is None:
        return None
    prefix = "/".join([*qualified_name.split("/")[:2], ""])
    return {
        "__typename": "Ref",
        "id": node_id("REF", f"{repo.id}:{qualified_name}"),
        "name": qualified_name.removeprefix(prefix),
        "prefix": prefix,
        "target": partial(_commit_of, repo, sha),
        "compare": partial(_compare, repo, sha),
    }


def describe_commit(repo: Repository, commit: Commit) -> dict[str, Any]:
    """Describe a commit, with its tree's name and its parents as they are asked for."""
    return {
        "__typename": "Commit",
        "id": node_id("C", commit.sha),
        "oid": commit.sha,
        "author": {"name": commit.author.name, "email": commit.author.email},
        "message": commit.message,
        "parents": lambda _info, **page: connection([_commit_of(repo, sha) for sha in commit.parents], page),
        "tree": {"__typename": "Tree", "id": node_id("T", commit.tree), "oid": commit.tree},
        "url": f"{repo.html_url}/commit/{commit.sha}",
    }


def _commit_of(repo: Repository, sha: str, _info: object = None) -> dict[str, Any]:
    return describe_commit(repo, history.commit(repo.git, sha))


def _compare(repo: Repository, base: str, _info: GraphQLResolveInfo, headRef: str) -> dict[str, Any] | None:  # noqa: N803 - GraphQL's own name
    """Describe what a head has that this ref lacks; None where the head is none, or shares no history."""
    head = repo.git.resolve(headRef)
    if head is None or not repo.git.merge_base(base, head):
        return None
    ahead, behind = history.ahead_behind(repo.git, base, head)
    status = "DIVERGED" if ahead and behind else "AHEAD" if ahead else "BEHIND" if behind else "IDENTICAL"
    return {
        "__typename": "Comparison",
        "id": node_id("COMP", f"{repo.id}:{base}...{head}"),
        "aheadBy": ahead,
        "behindBy": behind,
        "baseTarget": partial(_commit_of, repo, base),
        "headTarget": partial(_commit_of, repo, head),
        "status": status,
        "commits": partial(_commits, repo, base, head),
    }


def _commits(repo: Repository, base: str, head: str, _info: object, **page: Any) -> dict[str, Any]:  # noqa: ANN401 - GraphQL's arguments
    """Describe a page of the commits, oldest first as REST has them. A cursor is the number of commits before."""
    start = int(page.pop("after", None) or 0)
    listed = history.log(repo.git, head, f"^{base}", oldest_first=True)
    shown = connection([describe_commit(repo, one) for one in listed[start:]], page)
    end = start + len(shown["nodes"])
    return shown | {
        "totalCount": len(listed),
        "pageInfo": {"endCursor": str(end) if shown["nodes"] else None, "hasNextPage": end < len(listed)},
    }
