"""Transcripts as the agent writes them: events made short, and a session that one can look at."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

BEGAN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@dataclass
class Script:
    """Numbers events as the agent does; each comes three seconds after the one before."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, **members: object) -> dict[str, Any]:
        """Add an event of this kind; return it."""
        seq = len(self.events) + 1
        at = (BEGAN + timedelta(seconds=3 * seq)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        event = {"v": 1, "seq": seq, "at": at, "kind": kind, "prompt_id": "01K0M1Z0000000000000000001", **members}
        self.events.append(event)
        return event

    def message(self, text: str, parent: str | None = None) -> None:
        """Have Claude say something."""
        self.add("message", text=text, parent=parent)

    def tool(  # noqa: PLR0913 - what there is to a call
        self,
        tool: str,
        given: dict[str, Any],
        result: str | None = "",
        diffs: dict[str, str] | None = None,
        *,
        is_error: bool = False,
        parent: str | None = None,
    ) -> None:
        """Call a tool; `diffs` are its changes by path. Without a result, it still runs."""
        call = f"toolu_{len(self.events)}"
        self.add("tool_call", id=call, tool=tool, input=given, parent=parent)
        for path, diff in (diffs or {}).items():
            self.add("file_change", id=call, path=path, diff=diff)
        if result is not None:
            self.add("tool_result", id=call, is_error=is_error, text=result)

    def turn_with_pictures(self, prompt_id: str) -> None:
        """End a turn, and show a page before and after it, and on a phone after it."""
        totals = {"turns": 7, "cost_usd": 0.1834, "head_sha": None, "result": "Done."}
        self.add("turn_finished", is_error=False, interrupted=False, **totals | {"prompt_id": prompt_id})
        self.add("picture", page="/cart", width=1280, before="b" * 64, after="a" * 64)
        self.add("picture", page="/cart", width=390, before=None, after="c" * 64)

    def batches(self, events_each: int = 20, first: int = 0) -> list[bytes]:
        """Return the events from the `first` on as the objects of the bucket."""
        lines = [json.dumps(event).encode() + b"\n" for event in self.events[first:]]
        return [b"".join(lines[start : start + events_each]) for start in range(0, len(lines), events_each)]


_DIFF = """--- a/src/cart.ts
+++ b/src/cart.ts
@@ -12,7 +12,11 @@ export class Cart {
   readonly items: Item[] = [];
\x20
   add(item: Item) {
-    this.items.push(item);
+    const known = this.items.find(({ sku }) => sku === item.sku);
+    if (known) known.quantity += item.quantity;
+    else this.items.push({ ...item });
   }
\x20
-  get total() { return 0; }
+  get total() {
+    return this.items.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
+  }
 }
"""
_TEST = """--- /dev/null
+++ b/src/cart.test.ts
@@ -0,0 +1,9 @@
+import { expect, test } from "vitest";
+import { Cart } from "./cart";
+
+test("the total counts every item as often as it is in the cart", () => {
+  const cart = new Cart();
+  cart.add({ sku: "mug", price: 12.5, quantity: 2 });
+  cart.add({ sku: "mug", price: 12.5, quantity: 1 });
+  expect(cart.total).toBe(37.5);
+});
"""


def sample() -> Script:
    """Return a turn and a half of a session that looks like one."""
    script = Script()
    limits = {"max_turns": 50, "budget_usd": 2.5, "idle_minutes": 30, "ends_at": None}
    script.add("session", model="claude-opus-5-5", effort="high", limits=limits)
    script.add("log", source="install", text="$ npm ci\nadded 312 packages in 9s")
    script.add("preview", state="starting", detail="`npm run dev` is starting")
    script.add(
        "log", source="dev_server", text="  VITE v7.2.0  ready in 412 ms\n\n  ➜  Local:   http://localhost:3000/"
    )
    script.add("preview", state="live", detail="")
    script.add("service", name="postgres", state="running")
    issue = {
        "id": "01K0M1Z0000000000000000001",
        "kind": "issue",
        "author": "octo-dev",
        "requested_by": "octo-dev",
        "url": "https://github.com/acme/storefront/issues/42",
        "title": "Show the cart's total",
        "body": "The cart lists its items, but **no total**. Customers ask for it every week.\n\n"
        "- Sum of price and quantity\n- Two decimals, the shop's currency\n\nSee `src/cart.ts`.",
    }
    script.add("prompt", prompt=issue)
    script.add("turn_started")
    script.add("thinking", text="The total always returns 0. I'll look at who uses it.", parent=None)
    script.message("I'll start with how the cart is modelled and where it's rendered.")
    script.tool("Read", {"file_path": "src/cart.ts"}, "export class Cart {\n  readonly items: Item[] = [];\n  …")
    script.tool("Grep", {"pattern": "cart\\.total", "path": "src"}, "src/Checkout.tsx:18:  <b>{cart.total}</b>")
    todo = [
        "Sum items in the cart's model",
        "Cover it with a test",
        "Show the total in the page",
        "Look at the page at 390 px",
    ]
    states = ["in_progress", "pending", "pending", "pending"]
    script.add("todo", items=[{"text": text, "status": status} for text, status in zip(todo, states, strict=True)])
    script.tool(
        "Edit", {"file_path": "src/cart.ts", "old_string": "…", "new_string": "…"}, "ok", {"src/cart.ts": _DIFF}
    )
    script.tool("Write", {"file_path": "src/cart.test.ts", "content": "…"}, "ok", {"src/cart.test.ts": _TEST})
    failing = " FAIL  src/cart.test.ts\nAssertionError: expected 25 to be 37.5\n\n Tests  1 failed"
    script.tool("Bash", {"command": "npx vitest run src/cart.test.ts"}, failing, is_error=True)
    script.message(
        "The second `add` replaced the quantity in a copy. Fixed: items are looked up by SKU first.\n\n"
        "```ts\nif (known) known.quantity += item.quantity;\n```\n\n"
        "| Case | Before | Now |\n|---|---|---|\n| one item | 0.00 | 12.50 |\n| the same twice | 0.00 | 37.50 |"
    )
    script.tool("Bash", {"command": "npx vitest run"}, " ✓ src/cart.test.ts (1 test) 3ms\n\n Tests  1 passed (1)")
    script.tool("mcp__browser__navigate", {"url": "http://localhost:3000/cart"}, "Opened. The page has no errors.")
    sha = "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d"
    script.add("commit", sha=sha, subject="Show the cart's total", additions=38, deletions=3)
    script.add("total_diff", files=3, additions=38, deletions=3)
    states = ["completed", "completed", "completed", "in_progress"]
    script.add("todo", items=[{"text": text, "status": status} for text, status in zip(todo, states, strict=True)])
    script.add(
        "turn_finished", is_error=False, interrupted=False, turns=7, cost_usd=0.1834, head_sha=sha, result="Done."
    )
    comment = {
        "id": "01K0M1Z0000000000000000002",
        "kind": "comment",
        "author": "mona",
        "requested_by": "mona",
        "url": "https://github.com/acme/storefront/pull/43#issuecomment-1",
        "title": "",
        "body": "Looks right. Can the total stay visible while the list scrolls?",
    }
    script.add("prompt", prompt=comment)
    script.add("turn_started")
    script.message("Yes, with a sticky footer. I'll check how it behaves on a phone.")
    script.tool("Task", {"description": "Find the page's layout", "prompt": "Where is the cart's page laid out?"}, None)
    parent = script.events[-1]["id"]
    script.message("Looking through the components.", parent=parent)
    script.tool("Glob", {"pattern": "src/**/*.tsx"}, "src/App.tsx\nsrc/Cart.tsx\nsrc/Checkout.tsx", parent=parent)
    script.tool("Bash", {"command": "npx vite build && du -h dist/assets/*"}, None)
    return script


def sample_history(*, ended: bool = False) -> Script:
    """Return the workflow's stream of that session; of one that has `ended`, with what its execution went through."""
    script = Script()
    for at, status in (("07:58:01", "QUEUED"), ("07:58:31", "STARTING"), ("08:00:10", "RUNNING")):
        script.add("status", at=f"2026-11-22T{at}.000Z", status=status, reason="")
    if ended:
        at, reason = "2026-11-22T09:00:00.000Z", "GitHub didn't respond after several retries."
        script.add("status", at=at, status="FAILED", reason=reason)
        script.add("notice", at=at, text="The execution went through earlier states, too, which aren't listed.")
        states = (
            ("Create Branch", 1, 6, 1, None, None),
            ("Run Agent", 31, 40, 0, None, None),
            ("Announce Session", 40, 58, 5, "GitHubUnavailableError", "GitHub responded with 503 <b>nothing</b>"),
            ("Close Session", 58, None, 0, None, None),
        )
        for state, entered, exited, retries, error, cause in states:
            moments = [second and f"2026-11-22T07:58:{second:02d}.000Z" for second in (entered, exited)]
            times = {"entered": moments[0], "exited": moments[1]}
            script.add("execution", at=at, state=state, **times, retries=retries, error=error, cause=cause)
    return script


def sample_row() -> dict[str, object]:
    """Return the attributes of that session's row that say what it is about."""
    return {
        "repo": "acme/storefront",
        "issue_number": 42,
        "issue_title": "Show the cart's total",
        "issue_url": "https://github.com/acme/storefront/issues/42",
        "branch": "claude/42",
        "requested_by": "octo-dev",
        "execution_arn": "arn:aws:states:us-east-1:123456789012:execution:sessions:acme-storefront-42-6020583d",
        "logs_url": "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups",
        "created_at": "2026-11-22T07:58:00.000Z",
        "pull_number": 43,
        "pull_url": "https://github.com/acme/storefront/pull/43",
        "model": "claude-opus-5-5",
        "idle_ends_at": "2026-11-22T08:41:00.000Z",
        "turns": 7,
        "max_turns": 50,
    }
