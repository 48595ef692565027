"""One agent, whose Claude does nothing but take its time, and the person who writes to it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from typing import TYPE_CHECKING

from pydantic import SecretStr
from tests.costs import sessions
from tests.kit.stack_template import ROOT

from cloud_agent_runner.agent_api import AgentApi, Prompt
from cloud_agent_runner.inbox import CONVERSATION_SECONDS, Inbox

if TYPE_CHECKING:
    from tests.bench.agents.aws import Table
    from tests.bench.agents.gateway import Gateway

TOOL_SECONDS = 3_600 / sessions.TOOLS_AN_HOUR
ISSUE = Prompt(id="0" * 26, kind="issue")


class Agent:
    """One agent of a kind that its number says. `found` gets the seconds until it learns of what people wrote."""

    def __init__(self, number: int, gateway: Gateway, table: Table, found: dict[str, list[float]]) -> None:
        self.kind = ("in a turn", "in a conversation", "nobody there", "nobody there")[number % 4]
        self.table, self.found = table, found
        session_id = f"{number:08x}"
        self.key = f"SESSION#{session_id}"
        token = f"{session_id}.{'x' * 73}"
        row = json.loads((ROOT / "contracts/session_row.json").read_text())
        row |= {"pk": self.key, "session_id": session_id, "budget_usd": 2, "cost_usd": 0}
        row |= {"token_hash": hashlib.sha256(token.encode()).hexdigest(), "lifecycle_token": "A" * 700}
        del row["ending"], row["interrupt_id"]
        table.rows[self.key] = row
        table.prompts[self.key] = []
        self.sent: dict[str, float] = {}
        self.api = AgentApi("https://api.example", SecretStr(token), SecretStr("t" * 700), transport=gateway)
        self.inbox = Inbox(self.api)

    async def run(self) -> None:
        """Live for good."""
        await asyncio.sleep(random.uniform(0, 4))  # noqa: S311 - they were not started at once
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.inbox.collect(self._interrupted))
            tasks.create_task(self._use_tools() if self.kind == "in a turn" else self._converse())

    def ask(self) -> None:
        """Have somebody write a comment, or `/interrupt` a turn."""
        news = f"01K0M1Z{random.getrandbits(63):019d}"
        self.sent[news] = _now()
        row = self.table.rows[self.key]
        if self.kind == "in a turn":
            row["interrupt_id"] = news
            return
        row["latest_prompt_id"] = news
        prompt = {"pk": self.key, "sk": f"PROMPT#{news}", "kind": "comment", "state": "PENDING", "body": "x" * 200}
        self.table.prompts[self.key] = [
            *self.table.prompts[self.key][-3:],
            prompt | {"title": "", "author": "octo-dev", "url": "u", "created_at": "2026-11-22T10:00:00.000Z"},
        ]

    async def _interrupted(self) -> None:
        self._note(str(self.table.rows[self.key]["interrupt_id"]))

    async def _converse(self) -> None:
        while True:
            asked = asyncio.create_task(self.inbox.next())
            await asyncio.sleep(0)
            if self.kind == "nobody there":
                long_ago = _now() - CONVERSATION_SECONDS - 1
                self.inbox._idle_since = long_ago  # noqa: SLF001 - without waiting five minutes for it
            self._note((await asked).id)

    async def _use_tools(self) -> None:
        asked = await asyncio.gather(self._first_prompt())
        while True:
            await asyncio.sleep(TOOL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            await self.api.tool_used(asked[0], "Bash", "npm test")

    async def _first_prompt(self) -> str:
        self.inbox._waiting.put_nowait((ISSUE.id, ISSUE))  # noqa: SLF001 - a turn that nobody had to ask for
        return (await self.inbox.next()).id

    def _note(self, news: str) -> None:
        self.found.setdefault(self.kind, []).append(_now() - self.sent[news])


def _now() -> float:
    return asyncio.get_running_loop().time()
