"""The git objects and refs themselves."""

from __future__ import annotations

import base64
import re
from typing import Any

from local_github import history
from local_github.bare_repository import NO_COMMIT, GitCommandError, Identity
from local_github.documents import commits
from local_github.documents.accounts import email
from local_github.errors import ConflictError, InvalidError, NotFoundError
from local_github.permissions import reading, writing
from local_github.pushes import ref_moved
from local_github.rest import Reply, RepositoryCall, found, repository_route
from local_github.rulesets import Move, require_allowed

_READING, _WRITING = reading("contents"), writing("contents")
_SHA = re.compile(r"[0-9a-f]{40}")


def _existing_ref(call: RepositoryCall) -> tuple[str, str]:
    ref = f"refs/{call.path['ref']}"
    sha = call.repo.git.ref_sha(ref)
    if not sha:
        raise ConflictError("Git Repository is empty.") if call.repo.git.is_empty() else NotFoundError
    return ref, sha


def _commit_to_point_at(call: RepositoryCall) -> str:
    sha = call.text("sha")
    if not _SHA.fullmatch(sha):
        raise InvalidError("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    if not call.repo.git.object_of_kind(sha, "commit"):
        raise InvalidError("Object does not exist")
    return str(sha)


def _get_ref(call: RepositoryCall) -> Reply:
    return Reply(commits.git_ref(call.repo, *_existing_ref(call)))


def _list_matching_refs(call: RepositoryCall) -> Reply:
    refs = call.repo.git.refs(f"refs/{call.path['prefix']}")
    return call.page(list(refs.items()), lambda ref: commits.git_ref(call.repo, *ref))


def _create_ref(call: RepositoryCall) -> Reply:
    if call.repo.git.is_empty():
        raise ConflictError("Git Repository is empty.")
    ref, git = call.text("ref"), call.repo.git
    if not git.is_valid_ref(ref) or ref.startswith("refs/pull/"):
        raise InvalidError(f"{ref} is not a valid ref name.")
    sha = _commit_to_point_at(call)
    if git.ref_sha(ref):
        raise InvalidError("Reference already exists")
    require_allowed(call.site, call.repo, call.actor, Move(ref, NO_COMMIT, sha))
    try:
        git.update_ref(ref, sha, NO_COMMIT)
    except GitCommandError as error:
        raise InvalidError("Reference update failed") from error  # another ref is a folder of this one's name
    ref_moved(call.acting, ref, NO_COMMIT, sha)
    document = commits.git_ref(call.repo, ref, sha)
    return Reply(document, 201, {"Location": document["url"]})


def _update_ref(call: RepositoryCall) -> Reply:
    ref, old = _changeable_ref(call)
    new, force = _commit_to_point_at(call), call.flag("force", default=False)
    if not force and not call.repo.git.is_ancestor(old, new):
        raise InvalidError("Update is not a fast forward")
    if new != old:
        _move(call, ref, new, old)
    return Reply(commits.git_ref(call.repo, ref, new))


def _changeable_ref(call: RepositoryCall) -> tuple[str, str]:
    ref = f"refs/{call.path['ref']}"
    sha = call.repo.git.ref_sha(ref)
    if not sha or ref.startswith("refs/pull/"):
        raise InvalidError("Reference does not exist")
    return ref, sha


def _move(call: RepositoryCall, ref: str, new: str, old: str) -> None:
    require_allowed(call.site, call.repo, call.actor, Move(ref, old, new))
    try:
        call.repo.git.update_ref(ref, new, old)
    except GitCommandError as error:
        raise ConflictError("Reference has been updated by somebody else") from error
    ref_moved(call.acting, ref, old, new)


def _delete_ref(call: RepositoryCall) -> Reply:
    ref, old = _changeable_ref(call)
    if ref == f"refs/heads/{call.repo.git.default_branch()}":
        raise InvalidError("Cannot delete the default branch")
    require_allowed(call.site, call.repo, call.actor, Move(ref, old, NO_COMMIT))
    call.repo.git.delete_ref(ref, old)
    ref_moved(call.acting, ref, old, NO_COMMIT)
    return Reply(None, 204)


def _get_commit(call: RepositoryCall) -> Reply:
    sha = found(call.repo.git.object_of_kind(call.path["sha"], "commit"))
    return Reply(commits.git_commit(call.repo, history.commit(call.repo.git, sha)))


def _create_commit(call: RepositoryCall) -> Reply:
    """Write a commit of an existing tree; no ref points at it yet."""
    git, message = call.repo.git, call.text("message")
    tree, parents = call.text("tree"), call.words("parents", [])
    if not git.object_of_kind(tree, "tree"):
        raise InvalidError("Tree SHA does not exist")
    if not all(git.object_of_kind(parent, "commit") for parent in parents):
        raise InvalidError("Parent SHA does not exist or is not a commit object")
    if "\0" in message:
        raise InvalidError("A commit message cannot contain NUL")
    sha = git.commit_tree(tree, parents, message, _identity(call))
    document = commits.git_commit(call.repo, history.commit(git, sha))
    return Reply(document, 201, {"Location": document["url"]})


def _identity(call: RepositoryCall) -> Identity:
    given = call.value("author", dict, "an object", {})
    name, address = given.get("name", call.actor.login), given.get("email", email(call.site, call.actor.login))
    if not all(isinstance(text, str) and text.strip("<>\n\0 ") and "\0" not in text for text in (name, address)):
        raise InvalidError.of("Commit", "invalid", field="author")
    return Identity(name, address)


def _get_tree(call: RepositoryCall) -> Reply:
    git, name = call.repo.git, call.path["tree"]
    sha = found(git.object_of_kind(name, "tree") or git.resolve(name))
    tree = found(git.object_of_kind(sha, "tree"))
    url = f"{call.repo.api_url}/git"

    def describe(mode: str, kind: str, sha: str, size: int | None, path: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"path": path, "mode": mode, "type": kind, "sha": sha}
        if kind != "commit":
            entry["url"] = f"{url}/{kind}s/{sha}"
        return entry | ({"size": size} if size is not None else {})

    entries = git.tree(tree, recursive="recursive" in call.query)
    listing = [describe(entry.mode, entry.kind, entry.sha, entry.size, entry.path) for entry in entries]
    return Reply({"sha": tree, "url": f"{url}/trees/{tree}", "tree": listing, "truncated": False})


def _get_blob(call: RepositoryCall) -> Reply:
    sha = found(call.repo.git.object_of_kind(call.path["sha"], "blob"))
    content = call.repo.git.blob(sha)
    return Reply(
        {
            "sha": sha,
            "node_id": f"B_{sha}",
            "size": len(content),
            "url": f"{call.repo.api_url}/git/blobs/{sha}",
            "content": base64.encodebytes(content).decode(),
            "encoding": "base64",
        }
    )


ROUTES = [
    repository_route("GET", "/git/ref/{ref:path}", _get_ref, _READING),
    repository_route("GET", "/git/matching-refs/{prefix:path}", _list_matching_refs, _READING),
    repository_route("POST", "/git/refs", _create_ref, _WRITING),
    repository_route("PATCH", "/git/refs/{ref:path}", _update_ref, _WRITING),
    repository_route("DELETE", "/git/refs/{ref:path}", _delete_ref, _WRITING),
    repository_route("POST", "/git/commits", _create_commit, _WRITING),
    repository_route("GET", "/git/commits/{sha}", _get_commit, _READING),
    repository_route("GET", "/git/trees/{tree:path}", _get_tree, _READING),
    repository_route("GET", "/git/blobs/{sha}", _get_blob, _READING),
]
