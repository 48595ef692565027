"""What Fargate says of this container and its task ("Amazon ECS: Task metadata endpoint version 4")."""

from __future__ import annotations

from typing import Any

import httpx

from cloud_agent_runner.authorities import authorities

_TIMEOUT_SECONDS = 5


async def task_metadata(uri: str) -> dict[str, Any]:
    """Return the document at this address of the endpoint. Where there's none, httpx.HTTPError is raised."""
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False, verify=authorities()) as http:
        document: dict[str, Any] = (await http.get(uri)).raise_for_status().json()
    return document
