"""One agent, whose Claude does nothing but take its time, and the person who writes to it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import SecretStr
from tests.costs import sessions
from tests.kit.stack_template import ROOT

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.agent_api_messages import Prompt
from cloud_agent_runner.inbox import CONVERSATION_SECONDS, Inbox
from cloud_agent_runner.tool_reports import ToolReports

if TYPE_CHECKING:
    import httpx
    from tests.bench.agents.figures import Found

TOOL_SECONDS = 3_600 / sessions.TOOLS_AN_HOUR
ISSUE = Prompt(id="0" * 26, kind="issue")
KINDS = ("in a turn", "in a conversation", "nobody there", "nobody there")


class Table(Protocol):
    """Where the webhook leaves what people write."""

    async def interrupt(self, key: str, news: str) -> None:
        """Record a request to interrupt on the session's row."""

    async def prompt(self, key: str, news: str) -> None:
        """Put a prompt, and name it on the session's row as the latest."""


class Agent:
    """One agent of a kind that its number says. `found` gets the seconds until it learns of what people wrote."""

    def __init__(  # noqa: PLR0913, PLR0917 - what stands around an agent
        self, number: int, url: str, task_token: str, transport: httpx.AsyncBaseTransport, table: Table, found: Found
    ) -> None:
        self.kind = KINDS[number % len(KINDS)]
        self.row = session_row(number, task_token)
        self._table, self._found = table, found
        self._sent: dict[str, float] = {}
        self._interrupt = ""
        token = SecretStr(session_token(number))
        self._api = AgentApi(url, token, SecretStr(task_token), transport=transport)
        self._inbox = Inbox(self._api)

    async def run(self) -> None:
        """Live for good."""
        await asyncio.sleep(random.uniform(0, 4))  # noqa: S311 - they were not started at once
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._inbox.collect(self._interrupted))
                tasks.create_task(self._use_tools() if self.kind == "in a turn" else self._converse())
        finally:
            await self._api.aclose()

    async def ask(self) -> None:
        """Have somebody write a comment, or `/interrupt` a turn."""
        news = f"01K0M1Z{random.getrandbits(63):019d}"
        self._sent[news] = _now()
        if self.kind == "in a turn":
            self._interrupt = news
            await self._table.interrupt(self.row["pk"], news)
        else:
            await self._table.prompt(self.row["pk"], news)

    async def _interrupted(self) -> None:
        self._note(self._interrupt)

    async def _converse(self) -> None:
        while True:
            asked = asyncio.create_task(self._inbox.next())
            await asyncio.sleep(0)
            if self.kind == "nobody there":
                long_ago = _now() - CONVERSATION_SECONDS - 1
                self._inbox._idle_since = long_ago  # noqa: SLF001 - without waiting five minutes for it
            self._note((await asked).id)

    async def _use_tools(self) -> None:
        async with ToolReports(self._api, await self._first_prompt()) as reports:
            while True:
                await asyncio.sleep(TOOL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
                reports.add("Bash", "npm test", None)

    async def _first_prompt(self) -> str:
        self._inbox._keep([ISSUE])  # noqa: SLF001 - a turn that nobody had to ask for
        return (await self._inbox.next()).id

    def _note(self, news: str) -> None:
        self._found.setdefault(self.kind, []).append(_now() - self._sent[news])


def session_token(number: int) -> str:
    """Return the token of the agent with this number."""
    return f"{number:08x}.{'x' * 73}"


def session_row(number: int, task_token: str) -> dict[str, Any]:
    """Return the row of its session, which runs and has all that a row can have but a pull request."""
    row = json.loads((ROOT / "contracts/session_row.json").read_text())
    row |= {"pk": f"SESSION#{number:08x}", "session_id": f"{number:08x}", "budget_usd": 2, "cost_usd": 0}
    row |= {"token_hash": hashlib.sha256(session_token(number).encode()).hexdigest(), "lifecycle_token": task_token}
    # Without a pull request nothing is published, which is no business of the Agent API.
    absent = {"ending", "interrupt_id", "pull_number", "comment_id"}
    return {name: value for name, value in row.items() if name not in absent}


def prompt_row(key: str, news: str) -> dict[str, Any]:
    """Return the row of a comment of 200 characters."""
    said = {"kind": "comment", "state": "PENDING", "title": "", "body": "x" * 200, "author": "octo-dev", "url": "u"}
    return {"pk": key, "sk": f"PROMPT#{news}", "created_at": "2026-11-22T10:00:00.000Z"} | said


def _now() -> float:
    return asyncio.get_running_loop().time()
