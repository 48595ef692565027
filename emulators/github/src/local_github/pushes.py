"""What follows when a ref has moved, whoever moved it: git, the API or a merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_github import history
from local_github.bare_repository import NO_COMMIT
from local_github.closing_keywords import close_named
from local_github.documents import commits
from local_github.documents.accounts import email
from local_github.events import emit, emit_issue_event
from local_github.site import Acting, Repository, Site
from local_github.storage import Row, now

if TYPE_CHECKING:
    from local_github.history import Commit

_MOST_COMMITS = 50  # of one push event; GitHub sends up to 2,048, each of which costs git a look
_BRANCHES = "refs/heads/"


def ref_moved(acting: Acting, ref: str, before: str, after: str) -> None:
    """Announce that `ref` moved (NO_COMMIT: appeared, or went) and bring its open pull requests up to date."""
    if not ref.startswith((_BRANCHES, "refs/tags/")):
        return
    site, git, stamp = acting.site, acting.repo.git, now()
    site.storage.update("repositories", acting.repo.id, pushed_at=stamp, updated_at=stamp)
    branch = ref.removeprefix(_BRANCHES)
    if ref.startswith(_BRANCHES) and after != NO_COMMIT and not git.branch_sha(git.default_branch()):
        git.set_default_branch(branch)  # the first branch pushed is the default branch
    acting = Acting(site, site.repository_by_id(acting.repo.id), acting.login)
    brought = _new_commits(acting.repo, ref, before, after)
    document = commits.push(acting.repo, ref, before, after, brought)
    pusher = {"name": acting.login, "email": email(site, acting.login)}
    emit(acting, "push", **document, pusher=pusher)
    if ref.startswith(_BRANCHES):
        _update_heads(acting, branch, before, after)
        _notice_merges(acting, branch, after)
    if branch == git.default_branch():
        close_named(acting, [commit.message for commit in brought])


def _new_commits(repo: Repository, ref: str, before: str, after: str) -> list[Commit]:
    """Return the commits a push brought, the oldest first; of a new branch, those no other branch has."""
    if after == NO_COMMIT:
        return []
    if before != NO_COMMIT:
        known = [f"^{before}"]
    else:
        known = [f"^{sha}" for name, sha in repo.git.refs(_BRANCHES).items() if name != ref]
    brought = history.log(repo.git, after, *known, limit=_MOST_COMMITS)
    return brought[::-1]


def _open_pulls(site: Site, repo: Repository, side: str, branch: str) -> list[Row]:
    sql = f"SELECT * FROM issues WHERE repository_id = ? AND state = 'open' AND {side} = ?"  # noqa: S608 - head or base
    return site.storage.all(sql, repo.id, branch)


def _update_heads(acting: Acting, branch: str, before: str, after: str) -> None:
    for pull in _open_pulls(acting.site, acting.repo, "head", branch):
        if after == NO_COMMIT:
            close_pull(acting, pull)
            continue
        acting.repo.git.update_ref(f"refs/pull/{pull['number']}/head", after)
        base = acting.repo.git.branch_sha(pull["base"]) or pull["base_sha"]
        row = acting.site.storage.update("issues", pull["id"], head_sha=after, base_sha=base, updated_at=now())
        if before != NO_COMMIT:
            emit_issue_event(acting, "synchronize", row, before=before, after=after)


def _notice_merges(acting: Acting, branch: str, after: str) -> None:
    """Mark pull requests merged whose commits have reached their base by a push."""
    if after == NO_COMMIT:
        return
    for pull in _open_pulls(acting.site, acting.repo, "base", branch):
        if acting.repo.git.is_ancestor(pull["head_sha"], after):
            close_pull(acting, pull, merge_sha=after)


def close_pull(acting: Acting, pull: Row, *, merge_sha: str | None = None) -> Row:
    """Close a pull request, merged as `merge_sha` when given, and announce it.

    Merged into the default branch, it closes the issues that its description names with a keyword.
    """
    stamp = now()
    merged = {"merged_at": stamp, "merged_by": acting.login, "merge_sha": merge_sha} if merge_sha else {}
    row = acting.site.storage.update(
        "issues", pull["id"], state="closed", closed_at=stamp, closed_by=acting.login, updated_at=stamp, **merged
    )
    emit_issue_event(acting, "closed", row)
    if merge_sha and row["base"] == acting.repo.git.default_branch():
        close_named(acting, [row["body"] or ""])
    return row
