"""Every call that the agent's client makes, with little and with as much as can be, and how an API responds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contracts.generator.documents import CONTRACTS
from pydantic import SecretStr
from tests.kit.http_server import Response
from tests.kit.pictures import png

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.agent_api_messages import PreviewReport, PreviewState, SessionLimits, WorkState
from cloud_agent_runner.claude.todo_list import TodoProgress
from cloud_agent_runner.model.choice import ModelChoice

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from http import HTTPStatus

    from tests.kit.http_server import HttpServer, Request

    Document = dict[str, Any]
    Call = Callable[[AgentApi], Awaitable[object]]

PROMPT = "0" * 26
SHA = "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d"
LONG = "😀x" * 50_000
HALF_AN_EMOJI = "cut off \ud83d"  # as JavaScript cuts it
LIMITS: dict[str, int] = json.loads((CONTRACTS / "limits.json").read_text())
NO_LIMITS = SessionLimits(
    idle_minutes=None, max_turns=None, budget_usd=None, ready_for_review=False, comment_trigger=None
)
ALL_LIMITS = SessionLimits(
    idle_minutes=LIMITS["idle_minutes"],
    max_turns=LIMITS["max_turns"],
    budget_usd=LIMITS["budget_usd"],
    ready_for_review=True,
    comment_trigger="mentions",
)
_GIT_TOKEN = {
    "username": "x-access-token",
    "token": "ghs_x",
    "expires_at": "2026-11-22T11:00:00Z",
    "revocation_url": None,
}
RESPONSES: dict[str, Document] = {
    "/agent/heartbeat": {
        "status": "RUNNING",
        "prompts": [],
        "interrupt": None,
        "branch_sha": None,
        "base_branch": "main",
        "model": None,
        "effort": None,
        "app": None,
        "session_url": "https://0a1b2c3d.uat.example.com",
        "is_watched": True,
    },
    "/agent/git-read-token": _GIT_TOKEN,
    "/agent/git-token": _GIT_TOKEN,
    "/agent/attachments": {
        "attachments": [
            {"url": "https://github.com/user-attachments/assets/1", "source": "u", "signed_url": "https://x/?jwt=e30"},
            {"url": "https://github.com/user-attachments/files/1/log.txt", "source": "u", "signed_url": None},
        ]
    },
    "/agent/environment": {"values": {f"KEY_{number}": "value" for number in range(50)}},
    "/agent/restore-dependencies": {
        "urls": ["https://bucket.example.com/cache/a", "https://bucket.example.com/cache/b"]
    },
    "/agent/save-dependencies": {"url": "https://bucket.example.com/cache/a", "headers": {"Content-Length": "1"}},
    "/agent/restore-unpublished": {"url": "https://bucket.example.com/unpublished/a"},
    "/agent/save-unpublished": {"url": None, "headers": {}},
    "/agent/transcript": {"accepted": True, "next_batch": 2, "full": False},
    "/agent/picture": {"sha256": "5f" * 32},
    "/agent/prompts": {
        "prompts": [
            {
                "id": PROMPT,
                "kind": "review_comment",
                "title": "",
                "body": "Please.",
                "author": "pat",
                "requested_by": "octo-dev",
                "url": "https://github.com/acme/lunch/issues/42",
                "created_at": "2026-11-22T10:00:00.000Z",
                "left_out": ["an HTML comment"],
                "is_edited": False,
                "edited_by": "",
                "threads": 0,
                "labels": ["ui"],
                "discussion": [
                    {
                        "author": "pat",
                        "created_at": "2026-11-22T09:00:00.000Z",
                        "url": "u",
                        "body": "Blue.",
                        "place": "",
                    }
                ],
                "mentioned": ["#7 (open): A dark mode"],
                "history": "What was before.",
                "requested_by_id": 583231,
                "has_attachments": True,
            }
        ],
        "interrupt": PROMPT,
        "branch_sha": SHA,
        "base_branch": "release",
        "model": "claude-opus-5-5",
        "effort": "high",
        "app": {"login": "claude-cloud-agent[bot]", "id": 198003},
        "session_url": "https://0a1b2c3d.uat.example.com",
        "is_watched": True,
    },
}


MESSAGE = {"kind": "message", "at": "2026-11-22T10:00:00.000Z", "prompt_id": PROMPT, "text": "Hello.", "parent": None}


def _finished(**changes: Any) -> Call:  # noqa: ANN401 - the fields of the report
    report: dict[str, Any] = {"is_error": False, "result": "", "turns": 0, "cost_usd": 0.0, "head_sha": None} | changes
    return lambda api: api.turn_finished(PROMPT, **report)


def _preview(state: PreviewState, detail: str = "", log: str = "") -> Call:
    return lambda api: api.preview(PreviewReport(state, detail, log))


def _unpublished(state: WorkState) -> Call:
    return lambda api: api.report_unpublished(2, state, taken_up=1)


CALLS: dict[str, Call] = {
    "heartbeat": lambda api: api.heartbeat(),
    "ready": lambda api: api.ready(3000, "localhost", NO_LIMITS, ModelChoice("m"), has_workspace_user=False),
    "ready at the limits": lambda api: api.ready(
        LIMITS["highest_port"], "public", ALL_LIMITS, ModelChoice("m" * 200, "xhigh"), has_workspace_user=True
    ),
    **{f"preview {state}": _preview(state) for state in ("starting", "live", "failed", "none")},
    "preview by number": lambda api: api.preview(PreviewReport("live", host_header="127.0.0.1")),
    "preview with pages to reload": lambda api: api.preview(PreviewReport("live", revision=7)),
    "preview at the second port": lambda api: api.preview(PreviewReport("live", port=23300)),
    "preview at the limits": _preview("failed", LONG, LONG),
    "preview with half an emoji": _preview("failed", HALF_AN_EMOJI, HALF_AN_EMOJI),
    "prompts": lambda api: api.requests(),
    "attachments": lambda api: api.attachments(PROMPT),
    "environment": lambda api: api.environment([f"KEY_{number}" for number in range(LIMITS["secret_names"])]),
    "no environment": lambda api: api.environment([]),
    "restore dependencies": lambda api: api.restore_dependencies("5f" * 32),
    "save dependencies": lambda api: api.save_dependencies(
        "5f" * 32, size_bytes=LIMITS["dependency_archive_bytes"], sha256="a1" * 32, head_sha=SHA, before_claude=True
    ),
    "restore unpublished": lambda api: api.restore_unpublished(),
    "save unpublished": lambda api: api.save_unpublished(
        size_bytes=LIMITS["unpublished_bundle_bytes"], sha256="a1" * 32
    ),
    **{
        f"unpublished {state}": _unpublished(state)
        for state in ("kept", "too_large", "not_kept", "published", "not_taken_up")
    },
    "git read token": lambda api: api.git_read_token(),
    "git token": lambda api: api.git_token(),
    "turn started": lambda api: api.turn_started(PROMPT),
    "tool used": lambda api: api.tool_used(PROMPT, LONG, LONG),
    "tool used on the to-do list": lambda api: api.tool_used(PROMPT, "TodoWrite", "", TodoProgress(2, 5, LONG)),
    "tool used on half an emoji of the to-do list": lambda api: api.tool_used(
        PROMPT, "TodoWrite", "", TodoProgress(0, 1_000, HALF_AN_EMOJI)
    ),
    "tool used on nothing": lambda api: api.tool_used(PROMPT, "Bash", ""),
    "tool used on half an emoji": lambda api: api.tool_used(PROMPT, "Bash", HALF_AN_EMOJI),
    "turn finished": _finished(),
    "turn finished at the limits": _finished(
        result=LONG,
        description=LONG,
        question=LONG,
        turns=LIMITS["max_turns"],
        cost_usd=float(LIMITS["budget_usd"]),
        head_sha=SHA,
        interrupted=True,
        pictures=8,
    ),
    "turn finished with half an emoji": _finished(result=HALF_AN_EMOJI, is_error=True),
    "transcript": lambda api: api.append_to_transcript(1, [MESSAGE]),
    "picture": lambda api: api.keep_picture(png(1, 1)),
    "picture at the limit": lambda api: api.keep_picture(png(1280, 2400, size=LIMITS["picture_bytes"])),
    "failed": lambda api: api.failed("CloneFailedError", LONG, patience_seconds=0),
    "failed with half an emoji": lambda api: api.failed("CloneFailedError", HALF_AN_EMOJI, patience_seconds=0),
}


def accepted(request: Request) -> Response:
    """Respond to a call as the API does that takes everything."""
    return Response.of(RESPONSES.get(request.path, {}))


def refused(status: HTTPStatus) -> Response:
    """Respond as the API does to what it doesn't take."""
    return Response.of({"message": "result: too long"}, status)


async def make_call(api: HttpServer, call: Call) -> None:
    """Have a client of the agent's make one call of this API."""
    client = AgentApi(api.url, SecretStr("the-session-token"), SecretStr("t" * 2_048), patience_seconds=0)
    try:
        await call(client)
    finally:
        await client.aclose()
