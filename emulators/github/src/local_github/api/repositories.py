"""Repositories: making them, their settings, branches and files."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from local_github import history
from local_github.bare_repository import NO_COMMIT, Identity, TreeEntry
from local_github.documents import commits
from local_github.documents.accounts import email
from local_github.documents.repositories import full_repository, repository
from local_github.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from local_github.permissions import ADMINISTERING, may_see, reading
from local_github.pushes import ref_moved
from local_github.removals import move, remove
from local_github.rest import Call, Reply, RepositoryCall, found, person_route, repository_route
from local_github.site import Acting, Repository
from local_github.storage import now

_METADATA, _CONTENTS = reading("metadata"), reading("contents")


def _create_own(call: Call) -> Reply:
    return _create(call, call.actor.login)


def _create_in_organization(call: Call) -> Reply:
    owner = call.site.user(call.path["org"])
    if not owner or owner["type"] != "Organization":
        raise NotFoundError
    if not call.site.is_member(call.actor.login):
        raise ForbiddenError("You need admin access to the organization before adding a repository to it.")
    return _create(call, owner["login"])


def _create(call: Call, owner: str) -> Reply:
    private = call.flag("private", default=False) or call.text("visibility", "public") == "private"
    name, description = call.text("name"), call.text("description", None)
    auto_init = call.flag("auto_init", default=False)
    repo = call.site.create_repository(owner, name, description=description, private=private)
    if auto_init:
        _first_commit(call, repo)
    return Reply(full_repository(call.site, repo, call.actor), 201, {"Location": repo.api_url})


def _first_commit(call: Call, repo: Repository) -> None:
    author = Identity(call.actor.login, email(call.site, call.actor.login))
    tree = repo.git.tree_with_one_file("README.md", f"# {repo.name}\n".encode())
    sha = repo.git.commit_tree(tree, [], "Initial commit", author)
    repo.git.update_ref("refs/heads/main", sha, NO_COMMIT)
    ref_moved(Acting(call.site, repo, call.actor.login), "refs/heads/main", NO_COMMIT, sha)


def _list_mine(call: Call) -> Reply:
    mine = [repo for repo in call.site.repositories() if may_see(call.site, call.actor, repo)]
    return call.page(mine, lambda repo: repository(call.site, repo))


def _get_repository(call: RepositoryCall) -> Reply:
    return Reply(full_repository(call.site, call.repo, call.actor))


def _edit_repository(call: RepositoryCall) -> Reply:
    row, name = call.repo.row, call.text("name", call.repo.name)
    branch = call.text("default_branch", None)
    if branch is not None:
        if not call.repo.git.branch_sha(branch):
            raise InvalidError.of(
                "Repository",
                "invalid",
                field="default_branch",
                message=f"The branch {branch} was not found. Please push that ref first or create it via the Git API.",
            )
        call.repo.git.set_default_branch(branch)
    call.storage.update(
        "repositories",
        call.repo.id,
        archived=call.flag("archived", default=row["archived"]),
        private=call.flag("private", default=row["private"]),
        description=call.text("description", row["description"]),
        updated_at=now(),
    )
    if name != call.repo.name:
        move(call.site, call.repo, call.repo.owner, name)
    changed = call.site.repository_by_id(call.repo.id)
    return Reply(full_repository(call.site, changed, call.actor))


def _transfer(call: RepositoryCall) -> Reply:
    """Give it to another account. GitHub does so a little later, and lets a person accept it first."""
    owner = call.site.user(call.text("new_owner"))
    if not owner or not call.site.is_member(owner["login"]):
        raise InvalidError.of("Repository", "custom", field="new_owner", message="new_owner is invalid")
    move(call.site, call.repo, owner["login"], call.text("new_name", call.repo.name))
    moved = call.site.repository_by_id(call.repo.id)
    return Reply(repository(call.site, moved), 202)


def _delete_repository(call: RepositoryCall) -> Reply:
    remove(call.site, call.repo)
    return Reply(None, 204)


# branches


def _list_branches(call: RepositoryCall) -> Reply:
    branches = call.repo.git.refs("refs/heads/")

    def describe(ref: str) -> dict[str, Any]:
        sha = branches[ref]
        tip = {"sha": sha, "url": f"{call.repo.api_url}/commits/{sha}"}
        return {"name": ref.removeprefix("refs/heads/"), "commit": tip, "protected": False}

    return call.page(list(branches), describe)


def _get_branch(call: RepositoryCall) -> Reply:
    branch = call.path["branch"]
    sha = call.repo.git.branch_sha(branch)
    if not sha:
        raise NotFoundError("Branch not found")
    url = f"{call.repo.api_url}/branches/{quote(branch)}"
    return Reply(
        {
            "name": branch,
            "commit": commits.commit(call.site, call.repo, history.commit(call.repo.git, sha)),
            "_links": {"self": url, "html": f"{call.repo.html_url}/tree/{quote(branch)}"},
            "protected": False,
            "protection": {"enabled": False},
            "protection_url": f"{url}/protection",
        }
    )


# files


def _get_contents(call: RepositoryCall) -> Reply:
    """Describe a file with its content, or a folder with its entries."""
    path, ref = call.path.get("path", "").strip("/"), call.query.get("ref") or call.repo.git.default_branch()
    if call.repo.git.is_empty():
        raise NotFoundError("This repository is empty.")
    sha = call.repo.git.resolve(ref)
    if not sha:
        raise NotFoundError(f"No commit found for the ref {ref}")
    if not path:
        return Reply([_entry(call, entry, ref) for entry in call.repo.git.tree(sha)])
    entry = found(call.repo.git.entry(sha, path))
    if entry.kind == "tree":
        inside = call.repo.git.tree(entry.sha)
        below = [TreeEntry(e.mode, e.kind, e.sha, e.size, f"{path}/{e.path}") for e in inside]
        return Reply([_entry(call, e, ref) for e in below])
    if entry.kind == "commit":
        return Reply(_entry(call, entry, ref))
    content = base64.encodebytes(call.repo.git.blob(entry.sha)).decode()
    return Reply({**_entry(call, entry, ref), "encoding": "base64", "content": content})


def _entry(call: RepositoryCall, entry: TreeEntry, ref: str) -> dict[str, Any]:
    kind = {"tree": "dir", "commit": "submodule"}.get(entry.kind, "file")
    path, branch = quote(entry.path), quote(ref)
    url = f"{call.repo.api_url}/contents/{path}?ref={quote(ref, safe='')}"
    page = f"{call.repo.html_url}/{'tree' if kind == 'dir' else 'blob'}/{branch}/{path}"
    git_url = f"{call.repo.api_url}/git/{'trees' if kind == 'dir' else 'blobs'}/{entry.sha}"
    return {
        "type": kind,
        "name": entry.path.rsplit("/", 1)[-1],
        "path": entry.path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": url,
        "html_url": page,
        "git_url": git_url,
        "download_url": f"{call.repo.html_url}/raw/{branch}/{path}" if kind == "file" else None,
        "_links": {"self": url, "git": git_url, "html": page},
    }


# history


def _commit_sha(call: RepositoryCall, name: str) -> str:
    if call.repo.git.is_empty():
        raise ConflictError("Git Repository is empty.")
    sha = call.repo.git.resolve(name)
    if not sha:
        raise InvalidError(f"No commit found for SHA: {name}")
    return sha


def _list_commits(call: RepositoryCall) -> Reply:
    sha = _commit_sha(call, call.query.get("sha") or call.repo.git.default_branch())
    sources = history.log(call.repo.git, sha)
    return call.page(sources, lambda source: commits.commit(call.site, call.repo, source))


def _get_commit(call: RepositoryCall) -> Reply:
    source = history.commit(call.repo.git, _commit_sha(call, call.path["ref"]))
    return Reply(commits.full_commit(call.site, call.repo, source))


def _compare(call: RepositoryCall) -> Reply:
    """Answer base...head, each a branch, tag or sha, or owner:branch of this repository's owner."""
    names, git = call.path["basehead"], call.repo.git
    base_name, dots, head_name = names.partition("...")
    base, head = _side(call, base_name), _side(call, head_name)
    if not dots or not base or not head:
        raise NotFoundError
    merge_base = git.merge_base(base, head)
    if not merge_base:
        raise NotFoundError(f"No common ancestor between {base_name} and {head_name}.")
    sources = history.log(git, head, f"^{base}", oldest_first=True)
    shown = call.page(sources, lambda source: source)
    span = (base, merge_base, head)
    document = commits.comparison(call.site, call.repo, names, span, shown.document)
    return Reply(document, headers=shown.headers)


def _side(call: RepositoryCall, name: str) -> str | None:
    owner, colon, branch = name.rpartition(":")
    if colon and owner.lower() != call.repo.owner.lower():
        return None
    return call.repo.git.resolve(branch)


ROUTES = [
    person_route("GET", "/user/repos", _list_mine),
    person_route("POST", "/user/repos", _create_own),
    person_route("POST", "/orgs/{org}/repos", _create_in_organization),
    repository_route("GET", "", _get_repository, _METADATA),
    repository_route("PATCH", "", _edit_repository, ADMINISTERING),
    repository_route("POST", "/transfer", _transfer, ADMINISTERING),
    repository_route("DELETE", "", _delete_repository, ADMINISTERING),
    repository_route("GET", "/branches", _list_branches, _CONTENTS),
    repository_route("GET", "/branches/{branch:path}", _get_branch, _CONTENTS),
    repository_route("GET", "/contents", _get_contents, _CONTENTS),
    repository_route("GET", "/contents/{path:path}", _get_contents, _CONTENTS),
    repository_route("GET", "/compare/{basehead:path}", _compare, _CONTENTS),
    repository_route("GET", "/commits", _list_commits, _CONTENTS),
    repository_route("GET", "/commits/{ref:path}", _get_commit, _CONTENTS),
]
