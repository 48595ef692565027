"""Queued webhook deliveries, signed and sent."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import anyio
import httpx
from anyio import to_thread

from local_github.events import HOOK_ID
from local_github.storage import Row, now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import TaskGroup

    from local_github.site import Site

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 10.0  # for the whole of an attempt, as on GitHub
_KEPT_ANSWER_CHARACTERS = 10_000


@asynccontextmanager
async def delivering(site: Site) -> AsyncIterator[None]:
    """Send deliveries while the block runs: each once, at once, and in no promised order, as GitHub does.

    A delivery whose attempt has not ended when the server stops is sent after the next start.
    """
    wake, loop = asyncio.Event(), asyncio.get_running_loop()
    site.storage.after_commit = lambda: loop.call_soon_threadsafe(wake.set)
    wake.set()
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(_start_attempts, site, client, wake, tasks)
        yield
        site.storage.after_commit = lambda: None
        tasks.cancel_scope.cancel()


async def _start_attempts(site: Site, client: httpx.AsyncClient, wake: asyncio.Event, tasks: TaskGroup) -> None:
    begun = 0
    while True:
        await wake.wait()
        wake.clear()
        sql = "SELECT * FROM deliveries WHERE delivered_at IS NULL AND id > ? ORDER BY id"
        for delivery in await to_thread.run_sync(site.storage.all, sql, begun):
            begun = delivery["id"]
            tasks.start_soon(_attempt, site, client, delivery)


async def _attempt(site: Site, client: httpx.AsyncClient, delivery: Row) -> None:
    hook = await to_thread.run_sync(site.storage.get, "hook", HOOK_ID)
    request = _signed_request(site, client, hook, delivery)
    started = time.monotonic()
    ended = await _send(client, request)
    if ended["status_code"] >= HTTPStatus.BAD_REQUEST:
        fields = {"guid": delivery["guid"], "event": delivery["event"], "status": ended["status"]}
        logger.warning("webhook delivery failed", extra=fields)
    await to_thread.run_sync(_record, site, delivery, request, {**ended, "duration": time.monotonic() - started})


async def _send(client: httpx.AsyncClient, request: httpx.Request) -> dict[str, Any]:
    """Return how an attempt ended, as columns of its row."""
    nothing = {"response_headers": "{}", "response_body": ""}
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            response = await client.send(request)
    except (TimeoutError, httpx.TimeoutException):
        return {"status": "timed out", "status_code": HTTPStatus.GATEWAY_TIMEOUT.value, **nothing}
    except (httpx.HTTPError, httpx.InvalidURL):
        return {"status": "failed to connect to host", "status_code": HTTPStatus.BAD_GATEWAY.value, **nothing}
    return {
        "status": "OK" if response.is_success else "Invalid HTTP Response",
        "status_code": response.status_code,
        "response_headers": json.dumps(dict(response.headers)),
        "response_body": response.text[:_KEPT_ANSWER_CHARACTERS],
    }


def _signed_request(site: Site, client: httpx.AsyncClient, hook: Row, delivery: Row) -> httpx.Request:
    as_form = hook["content_type"] == "form"
    body = (urlencode({"payload": delivery["payload"]}) if as_form else delivery["payload"]).encode()
    signature = {name: hmac.new(hook["secret"].encode(), body, name).hexdigest() for name in ("sha1", "sha256")}
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded" if as_form else "application/json",
        "User-Agent": f"GitHub-Hookshot/{hashlib.sha1(b'local', usedforsecurity=False).hexdigest()[:7]}",
        "X-GitHub-Event": delivery["event"],
        "X-GitHub-Delivery": delivery["guid"],
        "X-GitHub-Hook-ID": str(HOOK_ID),
        "X-GitHub-Hook-Installation-Target-ID": str(site.credentials.app_id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature": f"sha1={signature['sha1']}",
        "X-Hub-Signature-256": f"sha256={signature['sha256']}",
    }
    return client.build_request("POST", hook["url"], content=body, headers=headers)


def _record(site: Site, delivery: Row, request: httpx.Request, ended: dict[str, Any]) -> None:
    sent = {"url": str(request.url), "request_headers": json.dumps(dict(request.headers))}
    with site.storage.transaction():
        site.storage.update("deliveries", delivery["id"], delivered_at=now(), **sent, **ended)
