"""API Gateway, as an agent's client sees it, before the Agent API's own handler."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import httpx
from tests.costs import sessions

from cloud_agent.agent_api.handler import handler

ROUND_TRIP_SECONDS = 0.04


class Gateway(httpx.AsyncBaseTransport):
    """API Gateway, as an agent's client sees it, before the API's own handler."""

    def __init__(self, rate: float) -> None:
        self.rate, self.tokens, self.filled = rate, rate, 0.0
        self.began = _now()
        self.executing = self.executed_at_once = 0
        self.down: tuple[float, float] = (0, 0)
        self.seconds: Counter[int] = Counter()
        self.statuses: Counter[int] = Counter()
        self.routes: Counter[str] = Counter()
        self.cpu_seconds = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse, or have the handler respond."""
        await asyncio.sleep(ROUND_TRIP_SECONDS)
        now = _now() - self.began
        self.seconds[int(now)] += 1
        self.tokens = min(self.rate, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            response = httpx.Response(429)
        elif self.down[0] <= now < self.down[1]:
            response = httpx.Response(503)
        else:
            self.tokens -= 1
            self.executing += 1
            self.executed_at_once = max(self.executing, self.executed_at_once)
            response = self._invoke(request)
            await asyncio.sleep(sessions.POLLED_MS / 1_000)
            self.executing -= 1
        self.statuses[response.status_code] += 1
        return response

    def _invoke(self, request: httpx.Request) -> httpx.Response:
        route = f"{request.method} {request.url.path}"
        event = {
            "version": "2.0",
            "rawPath": request.url.path,
            "rawQueryString": "",
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "requestContext": {"http": {"method": request.method, "path": request.url.path}, "stage": "$default"},
            "body": request.content.decode() or None,
            "isBase64Encoded": False,
        }
        began = time.process_time()
        answer = handler(event, CONTEXT)
        self.cpu_seconds += time.process_time() - began
        self.routes[f"{route} {answer['statusCode']}"] += 1
        return httpx.Response(answer["statusCode"], headers=answer["headers"], content=answer["body"] or b"")


class Context:
    """What Lambda passes beside the event."""

    function_name, memory_limit_in_mb, aws_request_id = "agent_api", 512, "1"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:agent_api"

    def get_remaining_time_in_millis(self) -> int:
        """Return enough."""
        return 10_000


CONTEXT: Any = Context()


def _now() -> float:
    return asyncio.get_running_loop().time()
