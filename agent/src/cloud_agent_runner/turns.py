"""A turn from its prompt to its result on GitHub: Claude's work, published and reported."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from cloud_agent_runner.claude.description import without_description
from cloud_agent_runner.claude.pages import without_pages
from cloud_agent_runner.claude.prompts import request_text
from cloud_agent_runner.claude.question import with_question
from cloud_agent_runner.git.left_out import names_of
from cloud_agent_runner.git.publish_errors import PublishFailedError, PublishRefusedError
from cloud_agent_runner.git.push import Published
from cloud_agent_runner.git.update import NOTHING_NEW
from cloud_agent_runner.tool_reports import ToolReports
from cloud_agent_runner.transcript.events import PROMPT_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.agent_api_messages import Prompt
    from cloud_agent_runner.attachments.attachments import Attachments
    from cloud_agent_runner.attachments.given import Image
    from cloud_agent_runner.claude.client import Claude, TurnResult
    from cloud_agent_runner.git.credit import Credits
    from cloud_agent_runner.git.update import Update
    from cloud_agent_runner.git.workspace import GitWorkspace
    from cloud_agent_runner.inbox import Inbox
    from cloud_agent_runner.notices import Notices
    from cloud_agent_runner.pictures.pictures import Pictures
    from cloud_agent_runner.preview.preview import Preview
    from cloud_agent_runner.transcript.transcript import Transcript
    from cloud_agent_runner.unpublished_work import UnpublishedWork

logger = logging.getLogger(__name__)

_UNCOMMITTED = "(Not committed, as files like these rarely belong in Git: {}. If one does, ask Claude to add it.)"


class Turns:
    """The session's turns, one after the other."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a turn works with
        self,
        workspace: GitWorkspace,
        api: AgentApi,
        notices: Notices,
        transcript: Transcript,
        credits_: Credits,
        attachments: Attachments,
        unpublished: UnpublishedWork,
        update: Update = NOTHING_NEW,
    ) -> None:
        self._workspace = workspace
        self._transcript = transcript
        self._api = api
        self._notices = notices
        self._credits = credits_
        self._attachments = attachments
        self._may_have_written = False
        self._work_tree_is_free = asyncio.Lock()
        self._unpublished = unpublished
        self._update = update

    async def push_taken_up(self) -> None:
        """Try to push what an earlier session couldn't. If it's refused again, the next turn sees to it."""
        async with self._work_tree_is_free:
            await self._unpublished.push_taken_up()

    async def follow(self, inbox: Inbox, preview: Preview) -> NoReturn:
        """Between turns, have the work tree and so the preview follow what others push, until cancelled."""
        while True:
            head = await inbox.branch_moved()
            async with self._work_tree_is_free:
                if self._workspace.has(head):
                    continue
                update = await self._workspace.bring_up_to_date()
                if update.for_claude:  # else the next turn tries, and says what is in the way
                    self._update = self._update.then(update)
                    preview.turn_ended()

    async def work_on(self, prompt: Prompt, claude: Claude, preview: Preview, pictures: Pictures) -> None:
        """Run the turn of one prompt, publish its commits, and report the result, also where either failed.

        The prompt is read again once it's reported as begun: from then on nobody can edit or delete it.
        """
        async with self._work_tree_is_free:
            self._transcript.prompt_id = prompt.id
            try:
                await self._work_on(prompt, claude, preview, pictures)
            finally:
                self._transcript.prompt_id = None

    async def _work_on(self, prompt: Prompt, claude: Claude, preview: Preview, pictures: Pictures) -> None:
        async def run_turn(request: str, images: tuple[Image, ...] = ()) -> TurnResult:
            self._unpublished.turn_began()
            async with ToolReports(self._api, prompt.id) as tools:
                return self._notices.add_to(await claude.turn(request, tools.add, observe, images))

        # Not before Claude's own module has imported the SDK: the agent starts without it.
        from cloud_agent_runner.transcript.claude_events import record_message  # noqa: PLC0415 - as said

        observe = partial(record_message, self._transcript, self._workspace.work_tree)
        pictures.turn_begins()
        logger.info("turn started", extra={"prompt_id": prompt.id, "kind": prompt.kind})
        claude.expect_turn()
        await self._api.turn_started(prompt.id)
        requests = await self._api.requests()
        current = next((one for one in requests.prompts if one.id == prompt.id), None)
        if current is None:
            logger.info("prompt deleted", extra={"prompt_id": prompt.id})
            return
        self._transcript.record("prompt", prompt=current.model_dump(include=PROMPT_MEMBERS))
        self._transcript.record("turn_started")
        await self._workspace.credit(self._credits.of(requests.app, current.requester, requests.session_url))
        base = self._workspace.follow_base(requests.base_branch)
        update = self._update.then(base).then(await self._workspace.bring_up_to_date()).then(self._workspace.missing())
        self._update = NOTHING_NEW
        given = await self._attachments.of(current)
        for notice in filter(None, (update.for_people, given.for_people)):
            self._notices.add(notice)
            self._transcript.record("notice", text=notice)
        request = update.before(given.before(request_text(current, preview.report)))
        turn, published = await self._publish(await run_turn(request, given.images), run_turn)
        # At once, for whoever has interrupted Claude waits for them.
        uncommitted, conflicts = await asyncio.gather(self._workspace.newly_uncommitted(), self._workspace.conflicts())
        if uncommitted:
            turn = replace(turn, result=f"{turn.result}\n\n{_UNCOMMITTED.format(names_of(uncommitted))}")
        result, pages = without_pages(turn.result)
        result, description = without_description(result)
        result, question = with_question(result)
        await self._record_changes()
        self._transcript.record(
            "turn_finished",
            is_error=turn.is_error,
            interrupted=turn.interrupted,
            turns=turn.turns,
            cost_usd=turn.cost_usd,
            head_sha=published.head_sha,
            result=result,
        )
        preview.turn_ended()
        shown = await pictures.after_turn(pages) if published.head_sha else 0
        await self._api.turn_finished(
            prompt.id,
            is_error=turn.is_error,
            result=result,
            description=description,
            question=question,
            turns=turn.turns,
            cost_usd=turn.cost_usd,
            head_sha=published.head_sha,
            unpublished=published.unpublished,
            conflicts=conflicts,
            interrupted=turn.interrupted,
            pictures=shown,
        )
        logger.info(
            "turn finished",
            extra={"prompt_id": prompt.id, "is_error": turn.is_error, "head_sha": published.head_sha},
        )

    async def _record_changes(self) -> None:
        commits, diff = await self._workspace.changes()
        for commit in commits:
            self._transcript.record("commit", **asdict(commit))
        if commits and diff:
            self._transcript.record("total_diff", **asdict(diff))

    def claude_changes(self) -> None:
        """Take files that come up from now on for Claude's, unless they're known as what is never committed."""
        self._may_have_written = True

    async def leave_out_what_install_made(self) -> None:
        """Keep the files that are there now, and in no commit, out of the commits to come.

        Once Claude may have written, nobody can tell its files from those of the install command: then only what is
        never committed stays out.
        """
        if not self._may_have_written:
            await self._workspace.leave_out_untracked()

    async def _publish(
        self, turn: TurnResult, rework: Callable[[str], Awaitable[TurnResult]] | None = None
    ) -> tuple[TurnResult, Published]:
        """Publish a turn's commits; its result mentions what a reader wouldn't expect.

        Commits that are refused for what they contain, and what is half done, go back to Claude once, as a turn of
        `rework`.
        """
        may_rework = rework is not None and not turn.is_error and not turn.interrupted
        try:
            published = await self._workspace.publish(undo=not may_rework)
        except PublishFailedError as error:
            logger.warning("turn not published", extra={"reason": str(error)})
            if isinstance(error, PublishRefusedError) and rework and may_rework:
                reworked = await rework(error.request)
                return await self._publish(replace(reworked, result=f"{turn.result}\n\n{reworked.result}"))
            failed = Published(head_sha=None, unpublished=await self._unpublished.keep())
            return replace(turn, is_error=True, result=f"{error}\n\n{turn.result}{self._undone()}"), failed
        note = f"\n\n({published.note})" if published.note else ""
        if published.head_sha is None:
            note = "\n\n(No files changed, so nothing was pushed.)"
        turn = replace(turn, result=f"{turn.result}{note}{self._undone()}")
        if self._workspace.has_set_aside:
            return turn, replace(published, unpublished=await self._unpublished.keep())
        await self._unpublished.all_published()
        return turn, published

    def _undone(self) -> str:
        """Return what publishing had to undo, as a paragraph for people. Claude learns it with its next turn."""
        undone = self._workspace.undone()
        self._update = self._update.then(replace(undone, for_people=""))
        return undone.for_people and f"\n\n{undone.for_people}"
