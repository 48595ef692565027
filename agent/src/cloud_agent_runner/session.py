"""One session from clone to end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.agent_api import AgentApi, AgentApiRefusedError, Prompt, SessionLimits
from cloud_agent_runner.claude.client import Assignment, Claude, TurnResult
from cloud_agent_runner.claude.prompts import request_text, standing_instructions
from cloud_agent_runner.git.publish_errors import PublishFailedError, PublishRefusedError
from cloud_agent_runner.git.tokens import GitTokens
from cloud_agent_runner.git.workspace import GitWorkspace, Published, SessionBranch
from cloud_agent_runner.inbox import HEARTBEAT_SECONDS, Inbox
from cloud_agent_runner.model.access import model_api
from cloud_agent_runner.model.budget import ModelBudget
from cloud_agent_runner.model.gateway import model_gateway
from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview.detection import dev_server_plan
from cloud_agent_runner.preview.dev_server import DevServer
from cloud_agent_runner.preview.listen_address import listen_address
from cloud_agent_runner.preview.watch import watch
from cloud_agent_runner.repository.config_file import RepositoryConfigError, read_repository_config
from cloud_agent_runner.workspace.container_memory import ContainerMemory, task_memory
from cloud_agent_runner.workspace.descendants import bury_orphans
from cloud_agent_runner.workspace.disk_space import DiskSpace
from cloud_agent_runner.workspace.resource_guard import ResourceGuard
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import SecretStr

    from cloud_agent_runner.repository.config import RepositoryConfig
    from cloud_agent_runner.settings import Platform, Settings

logger = logging.getLogger(__name__)

_BURIAL_SECONDS = 30


async def run_session(settings: Settings, platform: Platform, home: Path, api: AgentApi) -> None:
    """Clone, start the dev server, report it, and work through the prompts, until cancelled.

    Raises:
        SessionOverError: the control plane ended the session.
        AgentError: a fault that ends the session, explained for people. (Both come inside an ExceptionGroup.)
    """
    user = WorkspaceUser.find()
    if user.missing_walls:
        logger.warning("walls missing", extra={"reason": user.missing_walls})
    async with aclosing(GitTokens(api.git_token)) as git_tokens, asyncio.TaskGroup() as tasks:
        tasks.create_task(_bury_orphans())
        heartbeat = tasks.create_task(_heartbeat(api))
        workspace = await GitWorkspace.clone(home, user, _branch(settings), git_tokens)
        logger.info("branch cloned", extra={"branch": settings.branch})
        config = read_repository_config(workspace.work_tree)
        notices = Notices()
        dev_server = await _dev_server(config, platform, user, workspace, api, notices=notices)
        if user.owner is not None:
            tasks.create_task((await _guard(platform, user, dev_server, notices)).watch())
        await dev_server.install()
        tasks.create_task(dev_server.keep_running())
        await dev_server.wait_until_ready()
        await workspace.leave_out_untracked()
        await api.ready(dev_server.port, config.host_header, _limits(config), has_workspace_user=user.owner is not None)
        git_tokens.release()  # the clone's: only now, so that its revocation isn't on the way to the URL
        logger.info("dev server ready", extra={"url": dev_server.url})
        tasks.create_task(watch(dev_server, api))
        inbox = Inbox(api)
        assignment = _assignment(settings, config, workspace, dev_server)
        model = model_api(settings, platform, assignment.model)
        async with (
            model_gateway(model, _budget(settings, config)) as gateway,
            aclosing(Claude(assignment, user, gateway)) as claude,
        ):
            heartbeat.cancel()  # whoever asks for prompts says by that that the agent is alive
            tasks.create_task(inbox.collect(claude.interrupt))
            while True:
                await _work_on(await inbox.next(), claude, workspace, api, notices)


async def _guard(platform: Platform, user: WorkspaceUser, dev_server: DevServer, notices: Notices) -> ResourceGuard:
    """Return the guard of a container: elsewhere memory and disk aren't the session's alone."""
    memory = ContainerMemory(await task_memory(platform.ecs_container_metadata_uri_v4))
    disks = [DiskSpace(user.home), DiskSpace(Path("/tmp"))]  # noqa: S108 - the folder itself
    return ResourceGuard(user, memory, disks, dev_server, notices)


def _branch(settings: Settings) -> SessionBranch:
    return SessionBranch(settings.clone_url, settings.branch, settings.allow_workflow_changes)


async def _dev_server(  # noqa: PLR0913 - what a dev server is made of
    config: RepositoryConfig,
    platform: Platform,
    user: WorkspaceUser,
    workspace: GitWorkspace,
    api: AgentApi,
    *,
    notices: Notices,
) -> DevServer:
    plan = dev_server_plan(workspace.work_tree, config)
    address = await listen_address(platform.ecs_container_metadata_uri_v4)
    secrets = await _secrets(config, api)
    return DevServer(plan, user, workspace.work_tree, address, secrets, notices=notices)


async def _secrets(config: RepositoryConfig, api: AgentApi) -> dict[str, SecretStr]:
    """Return the values of the secrets that the repository names: for its own commands, never for Claude's."""
    if not config.env:
        return {}
    try:
        return await api.environment(list(dict.fromkeys(config.env)))
    except AgentApiRefusedError as error:
        if error.status != HTTPStatus.BAD_REQUEST:
            raise
        raise RepositoryConfigError(error.reason) from error


def _limits(config: RepositoryConfig) -> SessionLimits:
    return SessionLimits(
        idle_minutes=config.idle_minutes,
        max_turns=config.max_turns,
        budget_usd=config.budget_usd,
        ready_for_review=config.ready_for_review,
    )


def _assignment(
    settings: Settings, config: RepositoryConfig, workspace: GitWorkspace, dev_server: DevServer
) -> Assignment:
    """Return Claude's assignment, of which the repository may choose model and tools."""
    return Assignment(
        work_tree=workspace.work_tree,
        model=config.model or settings.claude_model,
        instructions=standing_instructions(settings.repository, settings.branch, dev_server.url),
        tools=config.allowed_tools,
        repository_settings=config.claude_settings and settings.repository_claude_settings == "on",
    )


def _budget(settings: Settings, config: RepositoryConfig) -> ModelBudget:
    """Return what the session may use: the repository may say less than the deployment."""
    return ModelBudget(
        max_turns=min(settings.max_turns, config.max_turns or settings.max_turns),
        budget_usd=min(settings.max_budget_usd, config.budget_usd or settings.max_budget_usd),
    )


async def _work_on(prompt: Prompt, claude: Claude, workspace: GitWorkspace, api: AgentApi, notices: Notices) -> None:
    """Run the turn of one prompt, publish its commits, and report the result, also where either failed."""

    async def report_tool(tool: str, detail: str) -> None:
        await api.tool_used(prompt.id, tool, detail)

    async def run_turn(request: str) -> TurnResult:
        return notices.add_to(await claude.turn(request, report_tool))

    logger.info("turn started", extra={"prompt_id": prompt.id, "kind": prompt.kind})
    await api.turn_started(prompt.id)
    turn, published = await _publish(await run_turn(request_text(prompt)), workspace, run_turn)
    await api.turn_finished(
        prompt.id,
        is_error=turn.is_error,
        result=turn.result,
        turns=turn.turns,
        cost_usd=turn.cost_usd,
        head_sha=published.head_sha,
        interrupted=turn.interrupted,
    )
    logger.info(
        "turn finished",
        extra={"prompt_id": prompt.id, "is_error": turn.is_error, "head_sha": published.head_sha},
    )


async def _publish(
    turn: TurnResult, workspace: GitWorkspace, rework: Callable[[str], Awaitable[TurnResult]] | None = None
) -> tuple[TurnResult, Published]:
    """Publish a turn's commits; its result mentions what a reader wouldn't expect.

    Commits that are refused for what they contain go back to Claude once, as a turn of `rework`.
    """
    try:
        published = await workspace.publish()
    except PublishFailedError as error:
        logger.warning("turn not published", extra={"reason": str(error)})
        if isinstance(error, PublishRefusedError) and rework and not turn.is_error and not turn.interrupted:
            reworked = await rework(error.request)
            return await _publish(replace(reworked, result=f"{turn.result}\n\n{reworked.result}"), workspace)
        return replace(turn, is_error=True, result=f"{error}\n\n{turn.result}"), Published(head_sha=None)
    if published.head_sha is None:
        return replace(turn, result=f"{turn.result}\n\n(No files changed, so nothing was pushed.)"), published
    if published.merged:
        merged = "(Merged with what others pushed to the branch.)"
        return replace(turn, result=f"{turn.result}\n\n{merged}"), published
    return turn, published


async def _heartbeat(api: AgentApi) -> None:
    while True:
        await api.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _bury_orphans() -> None:
    dead: set[int] = set()
    while True:
        dead = bury_orphans(dead)
        await asyncio.sleep(_BURIAL_SECONDS)
