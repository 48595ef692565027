"""Repositories that go away: under another name, to another account, or for good."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_github.site import Repository, Site

_BELOW_AN_ISSUE = ("issue_labels", "reviews")
_BELOW_A_REPOSITORY = (
    "collaborators",
    "comments",
    "labels",
    "review_comments",
    "deployments",
    "statuses",
    "check_runs",
    "rulesets",
    "former_names",
    "issues",
)


def move(site: Site, repo: Repository, owner: str, name: str) -> None:
    """Rename a repository, or transfer it to another account; who asks for it by its old name is sent on.

    Raises:
        InvalidError: the name is taken, or is none.
    """
    only_case_differs = f"{owner}/{name}".lower() == repo.full_name.lower()
    if not only_case_differs:
        site.require_free_name(owner, name)
    site.storage.all("DELETE FROM former_names WHERE owner = ? AND name = ?", owner, name)
    if not only_case_differs:
        site.storage.insert("former_names", repository_id=repo.id, owner=repo.owner, name=repo.name)
    site.storage.update("repositories", repo.id, owner=owner, name=name)
    path = site.repositories_dir / owner / f"{name}.git"
    path.parent.mkdir(exist_ok=True)
    repo.git.path.rename(path)


def remove(site: Site, repo: Repository) -> None:
    """Delete a repository and all that belongs to it."""
    mine = "SELECT id FROM issues WHERE repository_id = ?"
    for table in _BELOW_AN_ISSUE:
        site.storage.all(f"DELETE FROM {table} WHERE issue_id IN ({mine})", repo.id)  # noqa: S608 - literals of our code
    deployments = "SELECT id FROM deployments WHERE repository_id = ?"
    site.storage.all(f"DELETE FROM deployment_statuses WHERE deployment_id IN ({deployments})", repo.id)  # noqa: S608 - a literal of our code
    for table in _BELOW_A_REPOSITORY:
        site.storage.all(f"DELETE FROM {table} WHERE repository_id = ?", repo.id)  # noqa: S608 - literals of our code
    site.storage.delete("repositories", repo.id)
    shutil.rmtree(repo.git.path)
