"""`python -m cloud_agent_proxy canary`: stands in for a dev server that is always well.

Whoever visits it by its session's public name and does not get its answer knows that the path between is broken.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cloud_agent_proxy.listen_address import MetadataUnavailableError, listen_address
from cloud_agent_proxy.settings import CanarySettings

if TYPE_CHECKING:
    from starlette.requests import Request

_PORT = 3000  # of every dev server


async def _answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("claude-cloud-agent canary\n", headers={"Cache-Control": "no-store"})


def main() -> int:
    """Serve until SIGTERM or SIGINT; returns the process's exit code."""
    try:
        address = listen_address(CanarySettings().metadata_uri)
    except MetadataUnavailableError as error:
        sys.stderr.write(f"canary not started: {error}\n")
        return 1
    app = Starlette(routes=[Route("/", _answer)])
    uvicorn.run(app, host=str(address), port=_PORT, http="h11", access_log=False)
    return 0
