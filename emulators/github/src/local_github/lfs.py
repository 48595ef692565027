"""Git LFS: the batch API beside Git, and the storage that it leads to.

As on GitHub, the batch API takes the credentials of Git and the storage doesn't: each response has addresses and
headers of its own, a download's all in its address. What was uploaded counts once it's verified.

"Git LFS: Batch API", "Git LFS: Basic transfers"; the headers: https://github.com/git-lfs/git-lfs/issues/1897.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from anyio import open_file, to_thread
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from local_github.errors import (
    ApiError,
    BadRequestError,
    ForbiddenError,
    InvalidError,
    MovedError,
    NotFoundError,
    UnauthenticatedError,
)
from local_github.permissions import reading, writing
from local_github.rest import parse_json
from local_github.smart_http import admit

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from local_github.site import Repository, Site

_MEDIA_TYPE = "application/vnd.git-lfs+json"
_OPERATIONS = {"download": reading("contents"), "upload": writing("contents")}
_OID = re.compile(r"[0-9a-f]{64}")
_LIFE_SECONDS = 900
_SIGNED = "AWS4-HMAC-SHA256 Signature="
_REMOTE = "RemoteAuth "


def object_path(repo: Repository, oid: str) -> Path:
    """Return where an object of a repository is, once it's verified."""
    return repo.git.path / "lfs" / "objects" / oid[:2] / oid[2:4] / oid


async def batch(request: Request) -> Response:
    """Answer POST info/lfs/objects/batch."""
    site: Site = request.app.state.site
    try:
        operation, objects = _wanted(parse_json(await request.body()))
        repo, _ = await to_thread.run_sync(admit, site, request, _OPERATIONS[operation])
    except MovedError:
        raise
    except ApiError as error:
        headers = {"LFS-Authenticate": 'Basic realm="GitHub"'} if isinstance(error, UnauthenticatedError) else {}
        return JSONResponse({"message": error.message}, error.status, headers, _MEDIA_TYPE)
    actions = _download if operation == "download" else _upload
    described = [{"oid": oid, "size": size, **actions(site, repo, oid, size)} for oid, size in objects]
    return JSONResponse({"transfer": "basic", "objects": described}, media_type=_MEDIA_TYPE)


def _wanted(body: Any) -> tuple[str, list[tuple[str, int]]]:  # noqa: ANN401 - JSON
    """Return the operation, and each object's id and size."""
    match body:
        case {"operation": "download" | "upload" as operation, "objects": list(objects)}:
            return str(operation), [_object(entry) for entry in objects]
    raise InvalidError("The request isn't one of the batch API's.")


def _object(entry: Any) -> tuple[str, int]:  # noqa: ANN401 - JSON
    match entry:
        case {"oid": str(oid), "size": int(size)} if _OID.fullmatch(oid) and size >= 0:
            return oid, size
    raise InvalidError("An object needs an oid and a size.")


def _download(site: Site, repo: Repository, oid: str, size: int) -> dict[str, Any]:
    path = object_path(repo, oid)
    if not path.exists() or path.stat().st_size != size:
        return {"error": {"code": 404, "message": "Object does not exist on the server"}}
    expires = int(time.time()) + _LIFE_SECONDS
    query = urlencode({"expires": expires, "signature": _signature(site, "GET", repo.id, oid, expires)})
    return {"actions": {"download": {"href": f"{_storage(site, repo, oid)}?{query}", "expires_in": _LIFE_SECONDS}}}


def _upload(site: Site, repo: Repository, oid: str, size: int) -> dict[str, Any]:
    path = object_path(repo, oid)
    if path.exists() and path.stat().st_size == size:
        return {}
    expires = int(time.time()) + _LIFE_SECONDS
    href = f"{_storage(site, repo, oid)}?{urlencode({'expires': expires})}"
    signed = f"{_SIGNED}{_signature(site, 'PUT', repo.id, oid, expires)}"
    verified = f"{_REMOTE}{_signature(site, 'POST', repo.id, oid, expires)}"
    upload = {"href": href, "header": {"Authorization": signed, "x-amz-content-sha256": oid}}
    verify = {"href": href, "header": {"Authorization": verified, "Accept": _MEDIA_TYPE}}
    return {"actions": {"upload": upload | {"expires_in": _LIFE_SECONDS}, "verify": verify}}


def _storage(site: Site, repo: Repository, oid: str) -> str:
    return f"{site.base_url}/storage/lfs/{repo.id}/{oid}"


def _signature(site: Site, method: str, repository_id: int, oid: str, expires: int) -> str:
    words = f"{method} {repository_id} {oid} {expires}"
    return hmac.new(site.credentials.client_secret.encode(), words.encode(), hashlib.sha256).hexdigest()


async def serve_object(request: Request) -> Response:
    """Answer GET, PUT and POST (verify) of an object in the storage."""
    site: Site = request.app.state.site
    try:
        repo, oid = await to_thread.run_sync(_granted, site, request)
        match request.method:
            case "PUT":
                await _store(request, repo, oid)
            case "POST":
                _verify(parse_json(await request.body()), repo, oid)
            case _:
                return FileResponse(object_path(repo, oid), media_type="application/octet-stream")
    except ApiError as error:
        return JSONResponse({"message": error.message}, error.status)
    return Response()


def _granted(site: Site, request: Request) -> tuple[Repository, str]:
    """Return what the address names, if this request was granted by the batch API."""
    authorization, query = request.headers.get("authorization", ""), request.query_params
    if request.method == "GET" and authorization:
        raise BadRequestError("Only one auth mechanism allowed")  # as Amazon S3 says it
    prefix = {"PUT": _SIGNED, "POST": _REMOTE}.get(request.method, "")
    signature = authorization.removeprefix(prefix) if prefix else query.get("signature", "")
    repository_id, oid, expires = request.path_params["repository"], request.path_params["oid"], query.get("expires")
    if not expires or not expires.isdigit() or int(expires) < time.time():
        raise ForbiddenError("Request has expired")
    if not hmac.compare_digest(signature, _signature(site, request.method, repository_id, oid, int(expires))):
        raise ForbiddenError("SignatureDoesNotMatch")
    return site.repository_by_id(repository_id), oid


def _incoming(repo: Repository, oid: str) -> Path:
    return repo.git.path / "lfs" / "incoming" / oid


async def _store(request: Request, repo: Repository, oid: str) -> None:
    """Keep what was sent until it's verified."""
    if request.headers.get("x-amz-content-sha256") != oid:
        raise ForbiddenError("SignatureDoesNotMatch")
    path, found = _incoming(repo, oid), hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True)
    async with await open_file(path, "wb") as file:
        async for chunk in request.stream():
            found.update(chunk)
            await file.write(chunk)
    if found.hexdigest() != oid:
        path.unlink()
        raise BadRequestError("XAmzContentSHA256Mismatch")


def _verify(body: Any, repo: Repository, oid: str) -> None:  # noqa: ANN401 - JSON
    """Have an object that was sent as the batch API was told."""
    sent, path = _incoming(repo, oid), object_path(repo, oid)
    if not sent.exists():
        raise NotFoundError("Object does not exist on the server")
    if body != {"oid": oid, "size": sent.stat().st_size}:
        raise InvalidError("The object isn't of that size.")
    path.parent.mkdir(parents=True, exist_ok=True)
    sent.rename(path)


ROUTES = [
    Route("/{owner}/{repo}.git/info/lfs/objects/batch", batch, methods=["POST"]),
    Route("/storage/lfs/{repository:int}/{oid}", serve_object, methods=["GET", "PUT", "POST"]),
]
