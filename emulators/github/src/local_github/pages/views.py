"""The pages one reads. They show what `octo-dev` sees, which is everything."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from local_github import history, tracker
from local_github.bare_repository import EMPTY_TREE
from local_github.documents import issues, pulls
from local_github.errors import NotFoundError
from local_github.pages.rendering import page
from local_github.pages.timeline import timeline
from local_github.pull_requests import find_pull
from local_github.rest import found

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from local_github.site import Repository, Site
    from local_github.storage import Row

_LATEST_COMMITS = 10
_AVATAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><rect width="2" height="2" fill="#{color}"/>'
    '<circle cx="1" cy="1" r=".45" fill="#fff"/></svg>'
)


def _open(site: Site, repo: Repository, *, are_pulls: bool) -> list[Row]:
    kind = "IS NOT NULL" if are_pulls else "IS NULL"
    sql = f"SELECT * FROM issues WHERE repository_id = ? AND state = 'open' AND head {kind} ORDER BY number DESC"  # noqa: S608 - one of two constants
    return site.storage.all(sql, repo.id)


def _repository(request: Request) -> Repository:
    site: Site = request.app.state.site
    return site.repository(request.path_params["owner"], request.path_params["repo"])


def _show_home(request: Request) -> Response:
    site: Site = request.app.state.site
    return page(site, "home.html", title="Repositories", repositories=site.repositories())


def _show_account(request: Request) -> Response:
    site: Site = request.app.state.site
    account = found(site.user(request.path_params["owner"]))["login"]
    mine = [repo for repo in site.repositories() if repo.owner == account]
    return page(site, "home.html", title=account, repositories=mine)


def _show_app(request: Request) -> Response:
    site: Site = request.app.state.site
    if request.path_params["slug"] != site.credentials.app_slug:
        raise NotFoundError
    return page(site, "home.html", title=site.credentials.bot, repositories=site.repositories())


def _show_avatar(request: Request) -> Response:
    color = hashlib.sha256(request.path_params["name"].encode()).hexdigest()[:6]
    return Response(_AVATAR.format(color=color), media_type="image/svg+xml")


def _show_repository(request: Request) -> Response:
    site, repo = request.app.state.site, _repository(request)
    tip = repo.git.branch_sha(repo.git.default_branch())
    latest = history.log(repo.git, tip, limit=_LATEST_COMMITS) if tip else []
    issues_open, pulls_open = _open(site, repo, are_pulls=False), _open(site, repo, are_pulls=True)
    return page(site, "repository.html", repo=repo, commits=latest, issues=issues_open, pulls=pulls_open)


def _show_issue(request: Request) -> Response:
    site, repo = request.app.state.site, _repository(request)
    row = tracker.find_issue(site, repo, request.path_params["number"])
    if issues.is_pull(row):
        return RedirectResponse(issues.html_url(repo, row))
    return page(site, "issue.html", repo=repo, **_conversation(site, repo, row))


def _show_pull(request: Request) -> Response:
    site, repo = request.app.state.site, _repository(request)
    row = find_pull(site, repo, request.path_params["number"])
    return page(
        site,
        "pull.html",
        repo=repo,
        **_conversation(site, repo, row),
        commits=pulls.commits(repo, row),
        changes=pulls.changes(repo, row),
        deployments=_deployments(site, repo, row),
    )


def _conversation(site: Site, repo: Repository, row: Row) -> dict[str, Any]:
    attached = tracker.attached_labels(site, row)
    known = site.storage.all("SELECT * FROM labels WHERE repository_id = ? ORDER BY name", repo.id)
    action = f"/{repo.full_name}/issues/{row['number']}"
    return {"issue": row, "action": action, "entries": timeline(site, row), "labels": attached, "known": known}


def _deployments(site: Site, repo: Repository, row: Row) -> list[Row]:
    """Return the last status of each deployment of the pull request's branch that has an address to visit."""
    sql = (
        "SELECT * FROM deployment_statuses WHERE id IN (SELECT max(s.id) FROM deployment_statuses s JOIN deployments d "
        "ON d.id = s.deployment_id WHERE d.repository_id = ? AND d.ref IN (?, ?) GROUP BY d.id) "
        "AND environment_url != '' ORDER BY id"
    )
    return site.storage.all(sql, repo.id, row["head"], pulls.head_sha(repo, row))


def _show_commit(request: Request) -> Response:
    site, repo = request.app.state.site, _repository(request)
    sha = found(repo.git.resolve(request.path_params["sha"]))
    commit = history.commit(repo.git, sha)
    parent = commit.parents[0] if commit.parents else EMPTY_TREE
    return page(site, "commit.html", repo=repo, commit=commit, changes=history.changes(repo.git, parent, sha))


def _show_comparison(request: Request) -> Response:
    site, repo = request.app.state.site, _repository(request)
    names = request.path_params["names"]
    base, _, head = names.partition("...")
    old, new = (found(repo.git.resolve(name.rpartition(":")[2])) for name in (base, head))
    start = repo.git.merge_base(old, new) or old
    return page(
        site,
        "comparison.html",
        repo=repo,
        names=names,
        commits=history.log(repo.git, new, f"^{old}", oldest_first=True),
        changes=history.changes(repo.git, start, new),
    )


def _show_tree(request: Request) -> Response:
    """List the files of a branch, tag or commit."""
    site, repo = request.app.state.site, _repository(request)
    ref = request.path_params["ref"]
    sha = found(repo.git.resolve(ref))
    files = [entry for entry in repo.git.tree(sha, recursive=True) if entry.kind == "blob"]
    return page(site, "tree.html", repo=repo, ref=ref, sha=sha, files=files)


def _show_file(request: Request) -> Response:
    """Show a file as plain text; the address says a ref, which may have slashes, and a path."""
    repo = _repository(request)
    parts = request.path_params["ref_and_path"].split("/")
    for length in range(1, len(parts)):
        ref, path = "/".join(parts[:length]), "/".join(parts[length:])
        sha = repo.git.resolve(ref)
        entry = repo.git.entry(sha, path) if sha else None
        if entry and entry.kind == "blob":
            headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
            return Response(repo.git.blob(entry.sha), media_type="text/plain; charset=utf-8", headers=headers)
    raise NotFoundError


def _show_diff(request: Request) -> Response:
    """Show a pull request's difference as text, for people and `git apply`."""
    site, repo = request.app.state.site, _repository(request)
    row = find_pull(site, repo, request.path_params["number"])
    head, base = pulls.head_sha(repo, row), pulls.base_sha(repo, row)
    if request.path_params["form"] == "patch":
        text = repo.git.run("format-patch", "--stdout", f"{base}..{head}")
    else:
        text = repo.git.run("diff", f"{base}...{head}", "--")
    return PlainTextResponse(text)


def _get(path: str, view: Callable[[Request], Response]) -> Route:
    async def serve(request: Request) -> Response:
        return await to_thread.run_sync(view, request)

    return Route(path, serve, methods=["GET"])


_REPOSITORY = "/{owner}/{repo}"
ROUTES = [
    _get("/", _show_home),
    _get("/apps/{slug}", _show_app),
    _get("/avatars/{name}.svg", _show_avatar),
    _get(f"{_REPOSITORY}/issues/{{number:int}}", _show_issue),
    _get(f"{_REPOSITORY}/pull/{{number:int}}.{{form}}", _show_diff),
    _get(f"{_REPOSITORY}/pull/{{number:int}}", _show_pull),
    _get(f"{_REPOSITORY}/commit/{{sha}}", _show_commit),
    _get(f"{_REPOSITORY}/compare/{{names:path}}", _show_comparison),
    _get(f"{_REPOSITORY}/tree/{{ref:path}}", _show_tree),
    _get(f"{_REPOSITORY}/blob/{{ref_and_path:path}}", _show_file),
    _get(f"{_REPOSITORY}/raw/{{ref_and_path:path}}", _show_file),
    _get(_REPOSITORY, _show_repository),
    _get("/{owner}", _show_account),
]
