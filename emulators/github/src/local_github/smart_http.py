"""Clone, fetch and push: git's own http-backend behind our access rules."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from anyio import CancelScope, to_thread
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from local_github import commit_rules
from local_github.actors import Actor, Anonymous, Installation, identify
from local_github.errors import (
    ApiError,
    ArchivedError,
    ForbiddenError,
    MovedError,
    NotFoundError,
    UnauthenticatedError,
)
from local_github.permissions import Needs, authorize, reading, writing
from local_github.pushes import ref_moved
from local_github.refused_pushes import PRE_RECEIVE_HOOK, commit_rules_of, commits_refusal, refusal, workflow_refusal
from local_github.site import Acting, Repository, Site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

_SERVICES = {"git-upload-pack": reading("contents"), "git-receive-pack": writing("contents")}
_CHUNK_BYTES = 1 << 16
_MOVED, _WORKFLOW, _BROKEN = "moved", "refused-workflow", "broken-rules"  # files of one push
# Git feeds the hook one line "old new ref" for each ref that has really moved.
_REPORTING_HOOK = '#!/bin/sh\ncat > "$PUSH_REPORT"\n'


def install_hooks(hooks_dir: Path) -> None:
    """Write the hooks by which git reports what a push has moved, and refuses what GitHub does."""
    hooks_dir.mkdir(exist_ok=True)
    for name, program in (("post-receive", _REPORTING_HOOK), ("pre-receive", PRE_RECEIVE_HOOK)):
        hook = hooks_dir / name
        hook.write_text(program, encoding="utf-8")
        hook.chmod(0o755)


async def advertise(request: Request) -> Response:
    """Answer GET info/refs."""
    return await _serve(request, request.query_params.get("service", ""), "info/refs")


async def exchange(request: Request) -> Response:
    """Answer POST git-upload-pack (fetch) and git-receive-pack (push)."""
    service = request.path_params["service"]
    return await _serve(request, service, service)


async def _serve(request: Request, service: str, path: str) -> Response:
    site: Site = request.app.state.site
    try:
        if service not in _SERVICES:
            raise NotFoundError("Only the smart HTTP protocol is served")
        repo, actor = await to_thread.run_sync(admit, site, request, _SERVICES[service])
    except UnauthenticatedError as error:
        return PlainTextResponse(f"{error.message}\n", 401, {"WWW-Authenticate": 'Basic realm="GitHub"'})
    except MovedError:
        raise
    except ApiError as error:
        return PlainTextResponse(f"{error.message}\n", error.status)
    with tempfile.TemporaryDirectory(prefix="push-") as folder, tempfile.TemporaryFile(buffering=0) as body:
        # The body is read to its end first: a streamed answer would eat what is left of it. Unbuffered, so that git
        # finds the file where we leave it.
        async for chunk in request.stream():
            body.write(chunk)
        length = body.tell()
        body.seek(0)
        if path == "git-receive-pack" and (declined := await to_thread.run_sync(refusal, site, repo, actor, body)):
            return Response(declined, 200, {"Content-Type": "application/x-git-receive-pack-result"})
        environment = _backend_environment(request, repo, path, actor) | {"CONTENT_LENGTH": str(length)}
        if path == "git-receive-pack":
            environment |= await to_thread.run_sync(_hooks_environment, site, repo, actor, body, Path(folder))
        process = await _start_backend(site, environment, body)
        headers = await _headers(process)
        status = int(headers.pop("Status", "200").split()[0])
        if request.method == "POST" and service == "git-receive-pack":
            # The client learns of the end of its push when the pull requests know of it too.
            content = await _read_all(process)
            if declined := _declined_by_hook(repo, body, Path(folder)):
                return Response(declined, status, headers)
            await to_thread.run_sync(_announce, site, repo, actor.login, Path(folder) / _MOVED)
            return Response(content, status, headers)
    return StreamingResponse(_drain(process), status, headers)


def admit(site: Site, request: Request, needs: Needs) -> tuple[Repository, Actor]:
    """Return the repository and the actor, who has what Git or Git LFS needs there.

    Raises:
        UnauthenticatedError: git should ask for a credential: a private repository does not show itself as missing
            to one who has not said who they are.
        NotFoundError: there is no such repository, or the actor may not know of it.
        ForbiddenError: the actor may not push, or not even read.
    """
    actor = request.state.actor = identify(site, request.headers.get("authorization", ""))
    try:
        repo = site.repository(request.path_params["owner"], request.path_params["repo"])
        authorize(site, actor, repo, needs)
    except NotFoundError as error:
        if isinstance(actor, Anonymous):
            raise UnauthenticatedError("Authentication required") from error
        raise NotFoundError("Repository not found.") from error
    except ArchivedError as error:
        raise ForbiddenError("This repository was archived so it is read-only.") from error
    except ForbiddenError as error:
        if isinstance(actor, Installation):
            raise ForbiddenError("Write access to repository not granted.") from error
        raise ForbiddenError(f"Permission to {repo.full_name}.git denied to {actor.login}.") from error
    return repo, actor


def _backend_environment(request: Request, repo: Repository, path: str, actor: Actor) -> dict[str, str]:
    site: Site = request.app.state.site
    return site.git_environment | {
        "GIT_PROJECT_ROOT": str(site.repositories_dir),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repo.full_name}.git/{path}",
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": actor.login,
    }


def _hooks_environment(site: Site, repo: Repository, actor: Actor, body: BinaryIO, folder: Path) -> dict[str, str]:
    """Return what the hooks look for in a push, and where they write down what they find."""
    environment = {"PUSH_REPORT": str(folder / _MOVED)}
    if isinstance(actor, Installation) and actor.permissions.get("workflows") != "write":
        environment["REFUSED_WORKFLOW"] = str(folder / _WORKFLOW)
    if rules := commit_rules_of(site, repo, actor, body):
        program = {"PYTHON": sys.executable, "COMMIT_RULES_PROGRAM": commit_rules.__file__}
        environment |= program | {"COMMIT_RULES": json.dumps(rules), "BROKEN_RULES": str(folder / _BROKEN)}
    return environment


def _declined_by_hook(repo: Repository, body: BinaryIO, folder: Path) -> bytes | None:
    workflow, broken = folder / _WORKFLOW, folder / _BROKEN
    if workflow.exists() and (path := workflow.read_text(encoding="utf-8").partition("\n")[0]):
        return workflow_refusal(body, path)
    return commits_refusal(repo, body, json.loads(broken.read_text(encoding="utf-8"))) if broken.exists() else None


async def _start_backend(site: Site, environment: dict[str, str], body: BinaryIO) -> Process:
    settings = ("-c", "http.receivepack=true", "-c", f"core.hooksPath={site.data_dir / 'hooks'}")
    return await asyncio.create_subprocess_exec(
        "git", *settings, "http-backend", stdin=body.fileno(), stdout=PIPE, stderr=DEVNULL, env=environment
    )


async def _headers(process: Process) -> dict[str, str]:
    assert process.stdout  # noqa: S101 - it was asked for as a pipe
    head = (await process.stdout.readuntil(b"\r\n\r\n")).decode("latin-1")
    return dict(line.split(": ", 1) for line in head.split("\r\n") if ": " in line)


async def _read_all(process: Process) -> bytes:
    return b"".join([chunk async for chunk in _drain(process)])


async def _drain(process: Process) -> AsyncGenerator[bytes]:
    assert process.stdout  # noqa: S101 - it was asked for as a pipe
    try:
        while chunk := await process.stdout.read(_CHUNK_BYTES):
            yield chunk
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()  # the client has gone away
            with CancelScope(shield=True):
                await process.wait()


def _announce(site: Site, repo: Repository, pusher: str, report: Path) -> None:
    if not report.exists():
        return  # git has refused every ref
    with site.storage.transaction():
        for line in report.read_text(encoding="utf-8", errors="replace").splitlines():
            before, after, ref = line.split(" ", 2)
            ref_moved(Acting(site, repo, pusher), ref, before, after)


ROUTES = [
    Route("/{owner}/{repo}.git/info/refs", advertise, methods=["GET"]),
    Route("/{owner}/{repo}.git/{service}", exchange, methods=["POST"]),
]
