"""One session from clone to end: the order of things."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from cloud_agent_runner.agent_api import AgentApi, Prompt
from cloud_agent_runner.claude import Claude, Limits, Turn
from cloud_agent_runner.descendants import bury_orphans
from cloud_agent_runner.dev_server import DevServer
from cloud_agent_runner.dev_server_detection import dev_server_plan
from cloud_agent_runner.git_workspace import GitWorkspace, Published, PublishFailedError
from cloud_agent_runner.listen_address import listen_address
from cloud_agent_runner.model_access import model_environment
from cloud_agent_runner.private_environment import workspace_environment
from cloud_agent_runner.prompts import request_text, standing_instructions
from cloud_agent_runner.settings import Platform, Settings

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 30
POLL_SECONDS = 2


async def run_session(settings: Settings, platform: Platform, home: Path, api: AgentApi) -> None:
    """Clone, start the dev server, say so, and do what people ask for, until cancelled.

    Raises:
        SessionOverError: the control plane ended the session.
        AgentError: a fault that ends the session, in plain words. (Both come inside an ExceptionGroup.)
    """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_heartbeat(api))
        workspace = await GitWorkspace.clone(home, settings.clone_url, settings.branch, api.git_token)
        logger.info("branch cloned", extra={"branch": settings.branch})
        address = await listen_address(platform.ecs_container_metadata_uri_v4)
        environment = workspace_environment()
        dev_server = DevServer(dev_server_plan(workspace.work_tree), workspace.work_tree, address, environment)
        await dev_server.install()
        tasks.create_task(dev_server.keep_running())
        await dev_server.wait_until_ready()
        await workspace.leave_out_untracked()
        await api.ready(address.port)
        logger.info("dev server ready", extra={"url": dev_server.url})
        prompts: asyncio.Queue[Prompt] = asyncio.Queue()
        tasks.create_task(_collect_prompts(api, prompts))
        async with _claude(settings, platform, workspace, dev_server) as claude:
            while True:
                await _answer(await prompts.get(), claude, workspace, api)


@asynccontextmanager
async def _claude(
    settings: Settings, platform: Platform, workspace: GitWorkspace, dev_server: DevServer
) -> AsyncIterator[Claude]:
    instructions = standing_instructions(settings.repository, settings.branch, dev_server.url)
    limits = Limits(turns=settings.max_turns, budget_usd=settings.max_budget_usd)
    async with model_environment(settings, platform) as access:
        environment = {**workspace_environment(), **access}
        claude = Claude(workspace.work_tree, settings.claude_model, instructions, environment, limits)
        async with aclosing(claude):
            yield claude


async def _answer(prompt: Prompt, claude: Claude, workspace: GitWorkspace, api: AgentApi) -> None:
    """Have one prompt done and published, and report it, come what may of either."""

    async def report_tool(tool: str, detail: str) -> None:
        await api.tool_used(prompt.id, tool, detail)

    logger.info("turn started", extra={"prompt_id": prompt.id, "kind": prompt.kind})
    await api.turn_started(prompt.id)
    turn = await claude.turn(request_text(prompt), report_tool)
    turn, published = await _publish(turn, workspace)
    await api.turn_finished(
        prompt.id,
        is_error=turn.is_error,
        result=turn.result,
        turns=turn.turns,
        cost_usd=turn.cost_usd,
        head_sha=published.head_sha,
    )
    logger.info(
        "turn finished",
        extra={"prompt_id": prompt.id, "is_error": turn.is_error, "head_sha": published.head_sha},
    )


async def _publish(turn: Turn, workspace: GitWorkspace) -> tuple[Turn, Published]:
    """Publish a turn's commits; say in its result what a reader would not guess."""
    try:
        published = await workspace.publish()
    except PublishFailedError as error:
        logger.warning("turn not published", extra={"reason": str(error)})
        return replace(turn, is_error=True, result=f"{error}\n\n{turn.result}"), Published(head_sha=None)
    if published.head_sha is None:
        return replace(turn, result=f"{turn.result}\n\n(No file was changed, so nothing was pushed.)"), published
    if published.merged:
        merged = "(What others pushed to the branch meanwhile was merged.)"
        return replace(turn, result=f"{turn.result}\n\n{merged}"), published
    return turn, published


async def _heartbeat(api: AgentApi) -> None:
    dead: set[int] = set()
    while True:
        await api.heartbeat()
        dead = bury_orphans(dead)
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _collect_prompts(api: AgentApi, prompts: asyncio.Queue[Prompt]) -> None:
    """Take prompts in while earlier ones are being worked on: the end of the session is learnt here, too."""
    last: str | None = None
    while True:
        for prompt in await api.prompts(last):
            prompts.put_nowait(prompt)
            last = prompt.id
        await asyncio.sleep(POLL_SECONDS)
