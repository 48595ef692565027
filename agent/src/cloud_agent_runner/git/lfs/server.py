"""GitHub's server of Git LFS: "Git LFS: Batch API", "Git LFS: Basic transfers".

The token goes to the batch API alone. Its response has an address for each object, mostly of a storage elsewhere, and
the headers for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from cloud_agent_runner.authorities import authorities
from cloud_agent_runner.git.command import GitError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from cloud_agent_runner.agent_api_messages import GitToken
    from cloud_agent_runner.git.history import History
    from cloud_agent_runner.git.lfs.lfs_object import LfsObject

logger = logging.getLogger(__name__)

# What GitHub's own client asks for at once, and transfers at once ("git-lfs-config(5)").
_BATCH_OBJECTS = 100
_TRANSFERS = 8
_PAUSES_SECONDS = (2.0, 8.0)
# Of a connection on which nothing comes or goes.
_TIMEOUT_SECONDS = 60
_MESSAGE_LENGTH = 500
_CHUNK_BYTES = 1 << 18
T = TypeVar("T")
_MEDIA_TYPE = "application/vnd.git-lfs+json"


class LfsError(Exception):
    """The server refused, couldn't be reached, or sent something else than was asked for."""


class _FaultError(LfsError):
    """The server is at fault, which may pass."""


class _Action(BaseModel):
    href: str = Field(pattern="^https?://")
    header: dict[str, str] = {}


class _Actions(BaseModel):
    download: _Action | None = None
    upload: _Action | None = None
    verify: _Action | None = None


class _Error(BaseModel):
    code: int
    message: str = ""


class _Object(BaseModel):
    oid: str
    actions: _Actions = _Actions()
    error: _Error | None = None


class _Refusal(BaseModel):
    message: str


class _Batch(BaseModel):
    objects: list[_Object]


class LfsServer:
    """The objects of one repository, by its address."""

    def __init__(self, repository_url: str) -> None:
        self._repository = repository_url.removesuffix(".git")
        self._url = f"{repository_url}/info/lfs/objects/batch"

    async def keeps(self, history: History, commit: str) -> bool:
        """Return whether the files of a commit are on this server: .lfsconfig may name one that nobody here can use."""
        try:
            url = await history.git("config", "--blob", f"{commit}:.lfsconfig", "--get", "lfs.url")
        except GitError:  # that's how git says that it found nothing, too
            return True
        return url.removesuffix("/").removesuffix("/info/lfs").removesuffix(".git") == self._repository

    async def download(self, token: GitToken, wanted: Sequence[LfsObject], folder: Path) -> AsyncIterator[None]:
        """Bring each object that the server has to its path below `folder`, once it's whole and the one that was meant.

        What can't be had is logged. Yield after each hundred.

        Raises:
            LfsError: the batch API gave no usable response.
            OSError: an object couldn't be written.
        """
        for batch in _batches(wanted):
            async with _client() as client:
                granted = await self._batch(client, token, "download", batch)
                slots = asyncio.Semaphore(_TRANSFERS)
                await asyncio.gather(*(_download(client, slots, one, granted[one.oid], folder) for one in batch))
            yield

    async def lacking(self, token: GitToken, objects: Sequence[LfsObject]) -> list[LfsObject]:
        """Return those of `objects` that the server doesn't have yet.

        Raises:
            LfsError: it can't be asked, or takes none from this repository.
        """
        found = []
        async with _client() as client:
            for batch in _batches(objects):
                granted = await self._batch(client, token, "upload", batch)
                found += [one for one in batch if granted[one.oid].actions.upload or granted[one.oid].error]
        return found

    async def upload(self, token: GitToken, objects: Sequence[LfsObject], folder: Path) -> None:
        """Store objects that are below `folder`.

        Raises:
            LfsError: one of them couldn't be stored; the text has GitHub's words.
        """
        for batch in _batches(objects):
            async with _client() as client:
                granted = await self._batch(client, token, "upload", batch)
                slots = asyncio.Semaphore(_TRANSFERS)
                await asyncio.gather(*(_upload(client, slots, one, granted[one.oid], folder) for one in batch))

    async def _batch(
        self, client: httpx.AsyncClient, token: GitToken, operation: str, objects: Sequence[LfsObject]
    ) -> dict[str, _Object]:
        """Return what the server says of each object."""
        described = [{"oid": one.oid, "size": one.size} for one in objects]
        body = {"operation": operation, "transfers": ["basic"], "objects": described}
        headers = {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE}
        auth = httpx.BasicAuth(token.username, token.token.get_secret_value())

        async def ask() -> httpx.Response:
            response = await client.post(self._url, json=body, headers=headers, auth=auth)
            return _accepted(response, _message(response))

        response = await _patiently(ask)
        try:
            granted = {one.oid: one for one in _Batch.model_validate_json(response.content).objects}
        except ValidationError as error:
            raise LfsError("GitHub's Git LFS sent something else than its API says.") from error
        missing = _Error(code=404, message="no word of it")
        return {one.oid: granted.get(one.oid) or _Object(oid=one.oid, error=missing) for one in objects}


def _batches(objects: Sequence[LfsObject]) -> list[Sequence[LfsObject]]:
    return [objects[start : start + _BATCH_OBJECTS] for start in range(0, len(objects), _BATCH_OBJECTS)]


async def _download(
    client: httpx.AsyncClient, slots: asyncio.Semaphore, wanted: LfsObject, granted: _Object, folder: Path
) -> None:
    action = granted.actions.download
    if action is None:
        reason = granted.error.message if granted.error else "no address"
        logger.warning("object of Git LFS isn't there", extra={"oid": wanted.oid, "reason": reason})
        return
    path = folder / wanted.path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")

    async def get() -> None:
        found, size = hashlib.sha256(), 0
        async with client.stream("GET", action.href, headers=action.header) as response:
            _accepted(response)
            with draft.open("wb") as file:
                async for chunk in response.aiter_raw(_CHUNK_BYTES):
                    found.update(chunk)
                    size += len(chunk)
                    if size > wanted.size:
                        break
                    file.write(chunk)
        if (size, found.hexdigest()) != (wanted.size, wanted.oid):
            raise LfsError("GitHub's storage for Git LFS sent another object than was asked for.")

    async with slots:
        try:
            await _patiently(get)
        except LfsError as error:
            draft.unlink(missing_ok=True)
            logger.warning("object of Git LFS not fetched", extra={"oid": wanted.oid, "reason": str(error)})
        else:
            draft.rename(path)


async def _upload(
    client: httpx.AsyncClient, slots: asyncio.Semaphore, wanted: LfsObject, granted: _Object, folder: Path
) -> None:
    if granted.error:
        raise LfsError(f"GitHub's Git LFS doesn't take one of them: {granted.error.message[:_MESSAGE_LENGTH]}")
    upload, verify = granted.actions.upload, granted.actions.verify
    if upload is None:  # it came there meanwhile
        return
    headers = {"Content-Type": "application/octet-stream", **upload.header, "Content-Length": str(wanted.size)}

    async def put() -> None:
        _accepted(await client.put(upload.href, content=_chunks(folder / wanted.path), headers=headers))
        if verify:
            headers_of_verify = {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE, **verify.header}
            body = {"oid": wanted.oid, "size": wanted.size}
            _accepted(await client.post(verify.href, json=body, headers=headers_of_verify))

    async with slots:
        await _patiently(put)


async def _chunks(path: Path) -> AsyncGenerator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk


@asynccontextmanager
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, verify=authorities(), follow_redirects=True) as client:
        yield client


async def _patiently(request: Callable[[], Awaitable[T]]) -> T:
    """Return what a request brings; it's made again where the server or the way there is at fault."""
    pauses = iter(_PAUSES_SECONDS)
    while True:
        try:
            return await request()
        except (httpx.HTTPError, _FaultError) as error:
            reason = str(error) or type(error).__name__
            pause = None if isinstance(error, httpx.UnsupportedProtocol) else next(pauses, None)
            if pause is None:
                raise LfsError(f"GitHub's Git LFS gave no usable response: {reason}") from error
            logger.warning("request to Git LFS will be repeated", extra={"reason": reason})
            await asyncio.sleep(pause)


def _accepted(response: httpx.Response, message: str = "") -> httpx.Response:
    if response.is_success:
        return response
    text = f"GitHub's Git LFS responded with HTTP {response.status_code}. {message}".strip()
    if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise _FaultError(text)
    raise LfsError(text)


def _message(response: httpx.Response) -> str:
    """Return GitHub's words: of a quota, for example."""
    try:
        return " ".join(_Refusal.model_validate_json(response.content).message.split())[:_MESSAGE_LENGTH]
    except ValidationError:
        return ""
