"""Whose certificates this process trusts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import ssl


@cache
def authorities() -> ssl.SSLContext:
    """Return the context that all of this process's HTTP clients share; each would read the certificates anew."""
    return httpx.create_ssl_context()
