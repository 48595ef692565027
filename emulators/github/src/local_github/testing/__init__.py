"""A local GitHub for tests: a process of their own, and an endpoint that receives its webhooks. Needs httpx."""

from __future__ import annotations

from local_github.testing.receiver import Delivery, Receiver
from local_github.testing.server import Server

__all__ = ["Delivery", "Receiver", "Server"]
