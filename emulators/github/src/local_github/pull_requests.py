"""Pull requests: every change of them, whether by the API or on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_github.bare_repository import GitCommandError, Identity
from local_github.documents import pulls
from local_github.documents.accounts import email
from local_github.errors import ConflictError, InvalidError, NotAllowedError, NotFoundError
from local_github.events import emit_issue_event
from local_github.limits import check_body, check_title
from local_github.pushes import close_pull, ref_moved
from local_github.storage import Row, now
from local_github.tracker import Edit, edit_issue, find_issue, next_number

if TYPE_CHECKING:
    from local_github.site import Acting, Repository, Site

MERGE_METHODS = ("merge", "squash")


@dataclass(frozen=True)
class Proposal:
    """What a pull request is opened with: merge branch `head` (or owner:branch) into branch `base`."""

    title: str
    body: str | None
    head: str
    base: str
    draft: bool


@dataclass(frozen=True)
class MergeCommit:
    """How to merge (one of MERGE_METHODS), and the commit's texts where they are not the usual ones."""

    method: str = "merge"
    title: str | None = None
    message: str | None = None


def find_pull(site: Site, repo: Repository, number: int) -> Row:
    """Return a pull request.

    Raises:
        NotFoundError: there is none of that number, or it is an issue.
    """
    row = find_issue(site, repo, number)
    if row["head"] is None:
        raise NotFoundError
    return row


def open_pull(acting: Acting, proposal: Proposal) -> Row:
    """Open a pull request and announce it.

    Raises:
        InvalidError: a branch does not exist, there is nothing to merge, or one is open for the two already.
    """
    site, repo, base = acting.site, acting.repo, proposal.base
    check_title("PullRequest", proposal.title)
    check_body("PullRequest", proposal.body)
    branch = _own_branch(repo, proposal.head)
    head_sha = repo.git.branch_sha(branch) if branch else None
    base_sha = repo.git.branch_sha(base)
    if not branch or not head_sha:
        raise InvalidError.of("PullRequest", "invalid", field="head")
    if not base_sha:
        raise InvalidError.of("PullRequest", "invalid", field="base")
    refuse_second_pull(site, repo, branch, base)
    if repo.git.is_ancestor(head_sha, base_sha):
        _refuse(f"No commits between {base} and {branch}")
    if not repo.git.merge_base(head_sha, base_sha):
        _refuse(f"The {branch} branch has no history in common with {base}")
    stamp, number = now(), next_number(site, repo)
    row = site.storage.insert(
        "issues",
        repository_id=repo.id,
        number=number,
        title=proposal.title,
        body=proposal.body or None,
        author=acting.login,
        state="open",
        created_at=stamp,
        updated_at=stamp,
        head=branch,
        base=base,
        head_sha=head_sha,
        base_sha=base_sha,
        draft=proposal.draft,
    )
    repo.git.update_ref(f"refs/pull/{number}/head", head_sha)
    emit_issue_event(acting, "opened", row)
    return row


def _own_branch(repo: Repository, head: str) -> str | None:
    owner, colon, branch = head.rpartition(":")
    return branch if not colon or owner.lower() == repo.owner.lower() else None


def _refuse(message: str) -> None:
    raise InvalidError.of("PullRequest", "custom", message=message)


def refuse_second_pull(site: Site, repo: Repository, head: str, base: str) -> None:
    """Let no two pull requests be open for the same two branches.

    Raises:
        InvalidError: one is.
    """
    sql = "SELECT 1 FROM issues WHERE repository_id = ? AND state = 'open' AND head = ? AND base = ?"
    if site.storage.one(sql, repo.id, head, base):
        _refuse(f"A pull request already exists for {repo.owner}:{head}.")


def edit(acting: Acting, row: Row, wanted: Edit) -> Row:
    """Change a pull request, or an issue, and announce what has changed.

    Raises:
        InvalidError: as `tracker.edit_issue`; and a pull request that is merged, has lost its branch or has a
            successor is not reopened.
    """
    if row["head"] is not None and wanted.state == "open" != row["state"]:
        if row["merged_at"] or not acting.repo.git.branch_sha(row["head"]):
            raise InvalidError.of("PullRequest", "invalid", field="state", message="state cannot be changed.")
        refuse_second_pull(acting.site, acting.repo, row["head"], row["base"])
    return edit_issue(acting, row, wanted)


def change_base(acting: Acting, row: Row, base: str) -> Row:
    """Let a pull request go into another branch and announce it.

    Raises:
        InvalidError: there is no such branch, or a pull request of the two is open already.
    """
    base_sha = acting.repo.git.branch_sha(base)
    if not base_sha:
        raise InvalidError.of("PullRequest", "invalid", field="base")
    refuse_second_pull(acting.site, acting.repo, row["head"], base)
    changed = acting.site.storage.update("issues", row["id"], base=base, base_sha=base_sha, updated_at=now())
    changes = {"base": {"ref": {"from": row["base"]}, "sha": {"from": row["base_sha"]}}}
    emit_issue_event(acting, "edited", changed, changes=changes)
    return changed


def set_draft(acting: Acting, row: Row, *, draft: bool) -> Row:
    """Mark a pull request as a draft or ready for review, and announce it if it was not so before."""
    if bool(row["draft"]) == draft:
        return row
    stamp = now()
    changed = acting.site.storage.update("issues", row["id"], draft=draft, updated_at=stamp)
    if draft:
        acting.site.storage.insert("draft_conversions", issue_id=row["id"], actor=acting.login, created_at=stamp)
    emit_issue_event(acting, "converted_to_draft" if draft else "ready_for_review", changed)
    return changed


def merge(acting: Acting, row: Row, commit: MergeCommit, *, expected_head: str | None = None) -> str:
    """Merge a pull request into its base, announce the closing and the push, and return the new commit.

    Raises:
        NotAllowedError: it is closed, a draft, in conflict, or the method is none of MERGE_METHODS.
        ConflictError: its head is not the expected one, or its base has just moved.
    """
    repo = acting.repo
    head, base = pulls.head_sha(repo, row), pulls.base_sha(repo, row)
    if expected_head not in {None, head}:
        raise ConflictError("Head branch was modified. Review and try the merge again.")
    if commit.method not in MERGE_METHODS:
        raise NotAllowedError(f"{commit.method.capitalize()} merges are not allowed on this repository.")
    if row["draft"]:
        raise NotAllowedError("Pull Request is still a draft")
    tree = repo.git.merged_tree(base, head) if row["state"] == "open" else None
    if not tree:
        raise NotAllowedError("Pull Request is not mergeable")
    parents = [base, head] if commit.method == "merge" else [base]
    author = Identity(acting.login, email(acting.site, acting.login))
    merged = repo.git.commit_tree(tree, parents, _merge_message(repo, row, commit), author)
    ref = f"refs/heads/{row['base']}"
    try:
        repo.git.update_ref(ref, merged, base)
    except GitCommandError as error:
        raise ConflictError("Base branch was modified. Review and try the merge again.") from error
    last = acting.site.storage.update("issues", row["id"], head_sha=head, base_sha=base)
    close_pull(acting, last, merge_sha=merged)
    ref_moved(acting, ref, base, merged)
    return merged


def update_branch(acting: Acting, row: Row, *, expected_head: str | None = None) -> None:
    """Merge a pull request's base into its branch and announce the push; GitHub does it in the background.

    Raises:
        InvalidError: it is closed, in conflict, its head is not the expected one, or its base has nothing new.
    """
    repo = acting.repo
    head, base = pulls.head_sha(repo, row), pulls.base_sha(repo, row)
    if expected_head not in {None, head}:
        raise InvalidError("expected head sha didn't match current head ref.")
    if row["state"] != "open" or repo.git.is_ancestor(base, head):
        raise InvalidError("There are no new commits on the base branch.")
    tree = repo.git.merged_tree(head, base)
    if not tree:
        raise InvalidError("merge conflict between base and head")
    author = Identity(acting.login, email(acting.site, acting.login))
    message = f"Merge branch '{row['base']}' into {row['head']}"
    merged = repo.git.commit_tree(tree, [head, base], message, author)
    ref = f"refs/heads/{row['head']}"
    repo.git.update_ref(ref, merged, head)
    ref_moved(acting, ref, head, merged)


def _merge_message(repo: Repository, row: Row, commit: MergeCommit) -> str:
    """Return the message as given, or GitHub's own: the branch and the title, or when squashed title and body."""
    if commit.method == "merge":
        title, message = f"Merge pull request #{row['number']} from {repo.owner}/{row['head']}", row["title"]
    else:
        title, message = f"{row['title']} (#{row['number']})", row["body"] or ""
    title = commit.title or title
    message = message if commit.message is None else commit.message
    return f"{title}\n\n{message}".strip().replace("\0", "")
