"""The Agent API as its client sees it: each report is repeated until it is accepted or the session ends."""

from __future__ import annotations

import logging
from base64 import b64encode
from dataclasses import asdict
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from cloud_agent_runner.agent_api_connection import AgentApiConnection, AgentApiRefusedError
from cloud_agent_runner.agent_api_messages import (
    Attachment,
    DependencyArchives,
    GitToken,
    Picture,
    Requests,
    TranscriptState,
    Upload,
)
from cloud_agent_runner.bounded_text import beginning, both_ends, end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloud_agent_runner.agent_api_messages import PreviewReport, SessionLimits, WorkState
    from cloud_agent_runner.claude.todo_list import TodoProgress
    from cloud_agent_runner.model.choice import ModelChoice
    from cloud_agent_runner.repository.config import HostHeader

logger = logging.getLogger(__name__)

# What the API accepts of a text, in characters; contracts/limits.json holds both sides to it.
_RESULT_LIMIT = 8_000
_PREVIEW_DETAIL_LIMIT = 500
_PREVIEW_LOG_LIMIT = 4_000
_MESSAGE_LIMIT = 32_000
_TOOL_LIMIT = 100
_DETAIL_LIMIT = 1_000
_TODO_LIMIT = 200
_DESCRIPTION_LIMIT = 4_000
_QUESTION_LIMIT = 500
_RESTORE_SECONDS = 30  # a session would rather begin without, but what isn't taken up can be lost
_ATTACHMENTS_PATIENCE_SECONDS = 10


class AgentApi:
    """All that the container asks of the control plane, as contracts/agent_api.openapi.json describes it.

    Every call is repeated as `AgentApiConnection` says. Texts are cut to what the API accepts. `handed_out` are the
    secrets that the session has been given by now.

    Raises (every method):
        SessionOverError: on 409.
        AgentApiRefusedError: on any other 4xx, a rejected token (401) among them. A report that the session can do
            without is logged and dropped instead where the API refuses its body (400).
        AgentApiUnavailableError: after `patience_seconds` without an answer.
    """

    def __init__(
        self,
        url: str,
        session_token: SecretStr,
        task_token: SecretStr,
        *,
        patience_seconds: float = 300,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._task_token = task_token
        self.handed_out = {session_token.get_secret_value(), task_token.get_secret_value()}
        self._requests = Requests()
        self._etag: str | None = None
        self._connection = AgentApiConnection(
            url, session_token, patience_seconds=patience_seconds, transport=transport
        )
        self._call = self._connection.call

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._connection.aclose()

    async def heartbeat(self) -> Requests:
        """Say that the agent is alive; returns what `requests` does."""
        response = await self._call("POST", "/agent/heartbeat", self._with_task_token())
        return Requests.model_validate(response.json())

    async def ready(
        self,
        port: int,
        host_header: HostHeader,
        limits: SessionLimits,
        choice: ModelChoice,
        *,
        has_workspace_user: bool,
    ) -> None:
        """Say that Claude can begin, by which model, within which limits, and at which port the preview will be.

        `has_workspace_user` says whether the repository's code runs as a user of its own.
        """
        body = self._with_task_token(
            port=port,
            host_header=host_header,
            limits=limits.model_dump(),
            has_workspace_user=has_workspace_user,
            model=choice.model,
            effort=choice.effort,
        )
        await self._call("POST", "/agent/ready", body)

    async def preview(self, preview: PreviewReport) -> None:
        """Report how the preview is; a courtesy to visitors, so an API that is down is not waited for."""
        detail, log = beginning(preview.detail, _PREVIEW_DETAIL_LIMIT), end(preview.log, _PREVIEW_LOG_LIMIT)
        body = asdict(preview) | {"detail": detail, "log": log}
        await self._report("/agent/preview", body, patience_seconds=0)

    async def requests(self) -> Requests:
        """Return what is asked of the session and not answered yet. Nothing new costs the API one read."""
        headers = {"If-None-Match": self._etag} if self._etag else {}
        response = await self._call("GET", "/agent/prompts", headers=headers)
        if response.status_code != httpx.codes.NOT_MODIFIED:
            self._requests = Requests.model_validate(response.json())
            self._etag = response.headers.get("ETag")
        return self._requests

    async def environment(self, names: list[str]) -> dict[str, SecretStr]:
        """Return the values of the repository's secrets.

        Raises:
            AgentApiRefusedError: with status 400 when one does not exist; its reason says where to create it.
        """
        values = (await self._call("POST", "/agent/environment", {"names": names})).json()["values"]
        self.handed_out.update(values[name] for name in names)
        return {name: SecretStr(values[name]) for name in names}

    async def git_read_token(self) -> GitToken:
        """Return credentials that read the session's repository."""
        return await self._git_token("/agent/git-read-token")

    async def git_token(self) -> GitToken:
        """Return new credentials that push to the session's repository."""
        return await self._git_token("/agent/git-token")

    async def _git_token(self, path: str) -> GitToken:
        token = GitToken.model_validate((await self._call("POST", path)).json())
        self.handed_out.add(token.token.get_secret_value())
        return token

    async def attachments(self, prompt_id: str) -> list[Attachment]:
        """Return the files that a prompt and its discussion name; the turn doesn't wait long for it."""
        response = await self._call(
            "POST", "/agent/attachments", {"prompt_id": prompt_id}, patience_seconds=_ATTACHMENTS_PATIENCE_SECONDS
        )
        found = [Attachment.model_validate(one) for one in response.json()["attachments"]]
        self.handed_out.update(one.signed_url.get_secret_value() for one in found if one.signed_url)
        return found

    async def restore_dependencies(self, key: str) -> DependencyArchives:
        """Return where an archive of this repository's installed dependencies can be; nobody waits for it."""
        response = await self._call("POST", "/agent/restore-dependencies", {"key": key}, patience_seconds=0)
        return DependencyArchives.model_validate(response.json())

    async def save_dependencies(
        self, key: str, *, size_bytes: int, sha256: str, head_sha: str, before_claude: bool
    ) -> Upload:
        """Return where this archive is to be put; nobody waits for it.

        `before_claude` says that it was complete before Claude's first change: all of the repository's sessions get it.
        """
        body = {
            "key": key,
            "size_bytes": size_bytes,
            "sha256": sha256,
            "head_sha": head_sha,
            "before_claude": before_claude,
        }
        response = await self._call("POST", "/agent/save-dependencies", body, patience_seconds=0)
        return Upload.model_validate(response.json())

    async def restore_unpublished(self) -> SecretStr | None:
        """Return where the commits are that an earlier session of the branch couldn't push; None if none are kept."""
        response = await self._call("POST", "/agent/restore-unpublished", patience_seconds=_RESTORE_SECONDS)
        url = response.json()["url"]
        return SecretStr(url) if url else None

    async def save_unpublished(self, *, size_bytes: int, sha256: str) -> Upload:
        """Return where a bundle of the commits that aren't on GitHub is to be put."""
        body = {"size_bytes": size_bytes, "sha256": sha256}
        return Upload.model_validate((await self._call("POST", "/agent/save-unpublished", body)).json())

    async def report_unpublished(self, commits: int, state: WorkState, *, taken_up: int) -> None:
        """Report how many commits aren't on GitHub, and what has become of them.

        `taken_up` counts those that an earlier session had left.
        """
        body = {"commits": commits, "state": state, "taken_up": taken_up}
        await self._report("/agent/report-unpublished", body)

    async def turn_started(self, prompt_id: str) -> None:
        """Report that Claude has begun to work on a prompt."""
        await self._report("/agent/progress", {"event": "turn_started", "prompt_id": prompt_id})

    async def tool_used(self, prompt_id: str, tool: str, detail: str, todo: TodoProgress | None = None) -> None:
        """Report which tool Claude uses; a courtesy to onlookers, so an API that is down is not waited for.

        `todo` is how far Claude is with its to-do list, where the tool has changed that.
        """
        body: dict[str, object] = {
            "event": "tool_used",
            "prompt_id": prompt_id,
            "tool": beginning(tool, _TOOL_LIMIT),
            "detail": beginning(detail, _DETAIL_LIMIT),
        }
        if todo is not None:
            body["todo"] = asdict(todo) | {"current": beginning(todo.current, _TODO_LIMIT)}
        await self._report("/agent/progress", body, patience_seconds=0)

    async def turn_finished(  # noqa: PLR0913 - the fields of the event
        self,
        prompt_id: str,
        *,
        is_error: bool,
        result: str,
        turns: int,
        cost_usd: float,
        head_sha: str | None,
        unpublished: int = 0,
        conflicts: bool = False,
        description: str = "",
        question: str = "",
        interrupted: bool = False,
        pictures: int = 0,
    ) -> None:
        """Report a turn's end. `turns` and `cost_usd` are totals of the session; `result` is cut at its end.

        `description` is the pull request's, empty where Claude wrote none; it is cut at its end, too, and so is the
        `question` that the turn ends with, if any. `pictures` counts the events that show a page before and after the
        turn.

        The one report that nobody can do without: a session whose result is refused ends, rather than leave its author
        without a reply.
        """
        body = {
            "event": "turn_finished",
            "prompt_id": prompt_id,
            "is_error": is_error,
            "result": beginning(result, _RESULT_LIMIT),
            "turns": turns,
            "cost_usd": cost_usd,
            "head_sha": head_sha,
            "unpublished": unpublished,
            "conflicts": conflicts,
            "interrupted": interrupted,
            "description": beginning(description, _DESCRIPTION_LIMIT),
            "question": beginning(question, _QUESTION_LIMIT),
            "pictures": pictures,
        }
        await self._call("POST", "/agent/progress", body)

    async def append_to_transcript(
        self, batch: int, events: Sequence[Mapping[str, object]], *, patience_seconds: float | None = None
    ) -> TranscriptState:
        """Append the transcript's next batch; one that wasn't accepted has changed nothing."""
        body = {"batch": batch, "events": events}
        response = await self._call("POST", "/agent/transcript", body, patience_seconds=patience_seconds)
        return TranscriptState.model_validate(response.json())

    async def keep_picture(self, png: bytes) -> str | None:
        """Keep a picture for those who may see the session; returns its name, None if there's no room for more."""
        body = {"png": b64encode(png).decode()}
        response = await self._call("POST", "/agent/picture", body, patience_seconds=0)
        return Picture.model_validate(response.json()).sha256

    async def failed(self, error: str, message: str, *, patience_seconds: float) -> None:
        """End the session as failed. `error` is a name such as CloneFailedError, `message` plain words.

        A long message loses its middle: it begins with what failed, and a log at its end says why.
        """
        body = self._with_task_token(outcome="failed", error=error, message=both_ends(message, _MESSAGE_LIMIT))
        await self._call("POST", "/agent/done", body, patience_seconds=patience_seconds)

    async def _report(self, path: str, body: Mapping[str, object], *, patience_seconds: float | None = None) -> None:
        """Send what the session can do without: a body that the API refuses is a fault of ours and ends no session."""
        try:
            await self._call("POST", path, body, patience_seconds=patience_seconds)
        except AgentApiRefusedError as error:
            if error.status != httpx.codes.BAD_REQUEST:
                raise
            logger.error("report refused", extra={"path": path, "reason": error.reason})  # noqa: TRY400 - the reason is the whole story

    def _with_task_token(self, **fields: object) -> dict[str, object]:
        return {"task_token": self._task_token.get_secret_value(), **fields}
