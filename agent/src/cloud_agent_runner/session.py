"""One session from clone to end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.agent_api_messages import SessionLimits
from cloud_agent_runner.attachments.attachments import Attachments
from cloud_agent_runner.browser.installed import find_browser
from cloud_agent_runner.claude.assignment import Assignment
from cloud_agent_runner.claude.client import Claude
from cloud_agent_runner.claude.prompts import look_at_changes, standing_instructions
from cloud_agent_runner.first_change import FirstChange
from cloud_agent_runner.git.branch import SessionBranch
from cloud_agent_runner.git.credit import Credits
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.untouched import is_untouched
from cloud_agent_runner.git.workspace import GitWorkspace
from cloud_agent_runner.inbox import HEARTBEAT_SECONDS, Inbox
from cloud_agent_runner.model.access import model_api
from cloud_agent_runner.model.budget import ModelBudget
from cloud_agent_runner.model.choice import ModelChoice, first_choice
from cloud_agent_runner.model.gateway import model_gateway
from cloud_agent_runner.notices import Notices
from cloud_agent_runner.pictures.camera import Camera
from cloud_agent_runner.pictures.pictures import Pictures
from cloud_agent_runner.preview.dependency_key import image_id
from cloud_agent_runner.preview.listen_address import listen_address
from cloud_agent_runner.preview.preview import Preview
from cloud_agent_runner.preview.reporting import keep_log, report_changes
from cloud_agent_runner.preview.services.services import Services
from cloud_agent_runner.preview.source import PreviewSource
from cloud_agent_runner.preview.warm_start import WarmStart
from cloud_agent_runner.repository.session_settings import session_settings
from cloud_agent_runner.transcript.session_events import record_preview, record_service, record_session
from cloud_agent_runner.turns import Turns
from cloud_agent_runner.unpublished_work import UnpublishedWork
from cloud_agent_runner.workspace.container_memory import ContainerMemory, task_memory
from cloud_agent_runner.workspace.descendants import bury_orphans
from cloud_agent_runner.workspace.disk_space import DiskSpace
from cloud_agent_runner.workspace.resource_guard import ResourceGuard
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from cloud_agent_runner.agent_api import AgentApi
    from cloud_agent_runner.browser.installed import Browser
    from cloud_agent_runner.git.update import Update
    from cloud_agent_runner.repository.config import RepositoryConfig
    from cloud_agent_runner.settings import Platform, Settings
    from cloud_agent_runner.transcript.transcript import Transcript

logger = logging.getLogger(__name__)

_BURIAL_SECONDS = 30


async def run_session(
    settings: Settings, platform: Platform, home: Path, api: AgentApi, transcript: Transcript
) -> None:
    """Clone, report that Claude can begin, and work through the prompts beside the preview, until cancelled.

    Raises:
        SessionOverError: the control plane ended the session.
        AgentError: a fault that ends the session, explained for people. (Both come inside an ExceptionGroup.)
    """
    user = WorkspaceUser.find()
    if user.missing_walls:
        logger.warning("walls missing", extra={"reason": user.missing_walls})
    address = await listen_address(platform.ecs_container_metadata_uri_v4, settings.uat_domain)
    async with (
        aclosing(GitTokens(api.git_read_token, api.git_token)) as git_tokens,
        aclosing(Services(user, address.own_host, partial(record_service, transcript))) as services,
        aclosing(Attachments(api, settings.github_url)) as attachments,
        aclosing(UnpublishedWork(api, home)) as unpublished,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(_bury_orphans())
        tasks.create_task(transcript.run())
        heartbeat = tasks.create_task(_heartbeat(api))
        workspace, taken_up = await _cloned(settings, home, user, git_tokens, unpublished)
        tasks.create_task(workspace.fetch_beside())
        found = await session_settings(workspace, settings.branch)
        config, choice = found.config, found.checked(partial(first_choice, settings))
        has_own_user = user.owner is not None
        await api.ready(address.port, config.host_header, _limits(config), choice, has_workspace_user=has_own_user)
        notices, preview_log = Notices(), home / "preview" / "log"
        if found.notice:
            notices.add(found.notice)
        credits_ = Credits(config.commit_author, settings.github_url)
        turns = Turns(workspace, api, notices, transcript, credits_, attachments, unpublished, taken_up)
        source = PreviewSource(
            workspace.work_tree,
            user,
            address,
            services,
            api,
            otherwise=found.otherwise,
            notices=notices,
            installed=turns.leave_out_what_install_made,
        )
        cloned = await workspace.cloned_files()
        warm_start = WarmStart(
            api,
            user,
            workspace.work_tree,
            cloned,
            image=await image_id(platform.ecs_container_metadata_uri_v4),
            is_on=config.cache,
            is_claudes=unpublished.taken_up > 0,
        )
        preview = Preview(source, warm_start=warm_start)
        tasks.create_task(preview.run())
        tasks.create_task(warm_start.keep())
        tasks.create_task(report_changes(preview, api))
        tasks.create_task(record_preview(preview, transcript))
        tasks.create_task(keep_log(preview, preview_log))
        memory = await _memory(platform, user)
        if memory is not None:
            tasks.create_task(_guard(user, memory, preview, notices).watch())
        inbox, browser = Inbox(api), find_browser(user, address)
        pictures = Pictures(
            Camera(browser, user, memory) if browser and settings.pictures == "on" else None,
            preview,
            api,
            transcript,
            tasks,
            is_untouched=partial(is_untouched, user, workspace.work_tree, cloned.head),
        )
        before_change = FirstChange(preview.first_installed, warm_start.claude_changes, turns.claude_changes)
        of_branch = (settings.repository, settings.branch, settings.base_branch)
        instructions = standing_instructions(*of_branch, address.url, preview_log)
        assignment = _assignment(settings, config, workspace.work_tree, instructions, browser)
        budget = _budget(settings, config)
        choose = _Chosen(transcript, choice, budget, config.idle_minutes).use
        async with (
            model_gateway(model_api(settings, platform, assignment.model), budget) as gateway,
            aclosing(Claude(assignment, user, gateway, services.environment, before_change)) as claude,
        ):
            heartbeat.cancel()  # whoever asks for prompts says by that that the agent is alive
            tasks.create_task(inbox.collect(claude.interrupt, transcript.watched))
            tasks.create_task(turns.push_taken_up())
            tasks.create_task(turns.follow(inbox, preview))
            while True:
                prompt = await inbox.next()
                choose(choice.unless(inbox.chosen), claude)
                await turns.work_on(prompt, claude, preview, pictures)


async def _cloned(
    settings: Settings, home: Path, user: WorkspaceUser, tokens: GitTokens, unpublished: UnpublishedWork
) -> tuple[GitWorkspace, Update]:
    """Return the clone, with what an earlier session couldn't push, and what is to be said of that."""
    async with asyncio.TaskGroup() as both:
        finding = both.create_task(unpublished.find())
        cloning = both.create_task(GitWorkspace.clone(home, user, _branch(settings), tokens))
    workspace = cloning.result()
    logger.info("branch cloned", extra={"branch": settings.branch})
    return workspace, await unpublished.begin(workspace, with_found=finding.result())


class _Chosen:
    """The model that Claude uses, and has used so far: a change is recorded."""

    def __init__(
        self, transcript: Transcript, choice: ModelChoice, budget: ModelBudget, idle_minutes: int | None
    ) -> None:
        self._record = partial(record_session, transcript, budget=budget, idle_minutes=idle_minutes)
        self._choice = choice
        self._record(choice)

    def use(self, choice: ModelChoice, claude: Claude) -> None:
        """Have Claude use it from the next turn on."""
        if choice != self._choice:
            self._record(choice)
        self._choice = choice
        claude.use(choice)


async def _memory(platform: Platform, user: WorkspaceUser) -> ContainerMemory | None:
    """Return the container's memory: elsewhere it isn't the session's alone, and nor is the disk."""
    return ContainerMemory(await task_memory(platform.ecs_container_metadata_uri_v4)) if user.owner else None


def _guard(user: WorkspaceUser, memory: ContainerMemory, preview: Preview, notices: Notices) -> ResourceGuard:
    disks = [DiskSpace(user.home), DiskSpace(Path("/tmp"))]  # noqa: S108 - the folder itself
    return ResourceGuard(user, memory, disks, notices, note=preview.note)


def _branch(settings: Settings) -> SessionBranch:
    return SessionBranch(
        settings.clone_url, settings.branch, settings.allow_workflow_changes, base=settings.base_branch
    )


def _limits(config: RepositoryConfig) -> SessionLimits:
    return SessionLimits(
        idle_minutes=config.idle_minutes,
        max_turns=config.max_turns,
        budget_usd=config.budget_usd,
        ready_for_review=config.ready_for_review,
        comment_trigger=config.comment_trigger,
    )


def _assignment(
    settings: Settings, config: RepositoryConfig, work_tree: Path, instructions: str, browser: Browser | None
) -> Assignment:
    """Return Claude's assignment, of which the repository may choose model and tools."""
    return Assignment(
        work_tree=work_tree,
        model=first_choice(settings, config).model,
        instructions=instructions + look_at_changes(browser.preview_url) if browser else instructions,
        tools=config.allowed_tools,
        repository_settings=config.claude_settings and settings.repository_claude_settings == "on",
        browser=browser,
    )


def _budget(settings: Settings, config: RepositoryConfig) -> ModelBudget:
    """Return what the session may use: the repository may say less than the deployment."""
    return ModelBudget(
        max_turns=min(settings.max_turns, config.max_turns or settings.max_turns),
        budget_usd=min(settings.max_budget_usd, config.budget_usd or settings.max_budget_usd),
    )


async def _heartbeat(api: AgentApi) -> None:
    while True:
        await api.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _bury_orphans() -> None:
    dead: set[int] = set()
    while True:
        dead = bury_orphans(dead)
        await asyncio.sleep(_BURIAL_SECONDS)
