"""Whose credentials the proxy's calls of AWS are signed with: the environment's, else the task role's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiodynamo.credentials import ContainerMetadataCredentials, Credentials, EnvironmentCredentials

if TYPE_CHECKING:
    from aiodynamo.credentials import Key
    from aiodynamo.http.types import HttpImplementation

_TIMEOUT_SECONDS = 2  # a visitor waits for the call


def credentials() -> Credentials:
    """Choose as AWS's own libraries do; the library's chain would log a failed task role with its token."""
    static = EnvironmentCredentials()
    return _TaskRoleCredentials(timeout=_TIMEOUT_SECONDS, max_attempts=2) if static.is_disabled() else static


class _TaskRoleCredentials(ContainerMetadataCredentials):
    async def get_key(self, http: HttpImplementation) -> Key | None:
        """Return the key; who gives up waiting for a new one does not take it from those who share the request."""
        return await asyncio.shield(super().get_key(http))
