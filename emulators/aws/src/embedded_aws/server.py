"""The embedded AWS as a server: start, and an end that leaves no process behind."""
# ruff: noqa: SLF001 - ministack has no public way to end its tasks and workers

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from ministack.app import app
from ministack.core import lambda_runtime
from ministack.services import ecs

from embedded_aws.addresses import TaskAddresses
from embedded_aws.containers import relay
from embedded_aws.containers.client import ContainerClient, Containers
from embedded_aws.containers.engine import Engine
from embedded_aws.containers.engine_container import EngineRunner, remove_left_over
from embedded_aws.containers.process_container import ProcessRunner
from embedded_aws.containers.task_networks import TaskNetworks
from embedded_aws.fault_injection import install, with_faults
from embedded_aws.faults import Faults
from embedded_aws.images import Images
from embedded_aws.patches import Context, apply_all
from embedded_aws.settings import HOST
from embedded_aws.snapshots import Snapshot, with_snapshot
from embedded_aws.workers.fork_server import ForkServers
from embedded_aws.workers.search_path import narrowing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from embedded_aws.containers.container import Runner
    from embedded_aws.settings import EmbeddedAwsSettings

logger = logging.getLogger(__name__)
logging.getLogger("persistence").setLevel(logging.WARNING)  # one line for each of 100 services

# Together below the 5 s a caller waits: tasks first, so that they can still reach the APIs, then requests.
_TASKS_GRACE_SECONDS = 2.0
_REQUESTS_GRACE_SECONDS = 1
# A client that sends its next request on a connection just as the server closes it gets no response.
_IDLE_CONNECTION_SECONDS = 75
_IMPORTED_BY_MINISTACK = "botocore.handlers"  # in every Python worker, to follow functions that invoke each other


def run(settings: EmbeddedAwsSettings, host_environment: Mapping[str, str]) -> None:
    """Serve until SIGTERM or SIGINT, then end every task and worker and exit the process with status 0."""
    runner, addresses = _task_runner(settings, host_environment)
    containers = Containers(runner, addresses, settings.log_dir)
    fork_servers = ForkServers(narrowing(), [_IMPORTED_BY_MINISTACK, *settings.preload])
    client = ContainerClient(containers, runner)
    apply_all(Context(client, addresses, settings.lambda_slots, settings.layers_dir, fork_servers))
    faults = Faults()
    install(faults)
    asyncio.new_event_loop().run_until_complete(_serve(settings, containers, faults))
    fork_servers.end()
    logger.info("embedded AWS ended")
    logging.shutdown()
    # Executions parked in a wait hold threads nothing can interrupt; the interpreter would wait for them.
    os._exit(0)


def _task_runner(
    settings: EmbeddedAwsSettings, host_environment: Mapping[str, str]
) -> tuple[Runner, TaskAddresses | TaskNetworks]:
    """Return what runs tasks, and what gives them their addresses."""
    if settings.engine is None:
        tasks_dir = settings.state_dir / "tasks"
        return ProcessRunner(tasks_dir, host_environment, Images(settings.images)), TaskAddresses()
    engine, label = Engine(settings.engine.program, host_environment), settings.engine.label
    remove_left_over(engine, label)
    settings.sockets_dir.mkdir(parents=True, exist_ok=True)
    networks = TaskNetworks(
        engine,
        network=settings.engine.network,
        label=label,
        image=settings.engine.network_image,
        sockets=settings.sockets_dir,
        ports=settings.relayed_ports,
    )
    return EngineRunner(engine, networks, label), networks


async def _serve(settings: EmbeddedAwsSettings, containers: Containers, faults: Faults) -> None:
    if settings.engine:
        await relay.serve_machine(settings.sockets_dir, settings.relayed_ports)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = _Server(
        uvicorn.Config(
            with_snapshot(with_faults(app, faults), Snapshot()),
            host=HOST,
            port=settings.port,
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_IDLE_CONNECTION_SECONDS,
            timeout_graceful_shutdown=_REQUESTS_GRACE_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve())
    await stop.wait()
    logger.info("embedded AWS stopping", extra={"containers": len(containers.list())})
    await asyncio.to_thread(_end_tasks, containers)
    server.should_exit = True
    await serving
    await asyncio.to_thread(_end_lambda_workers)


class _Server(uvicorn.Server):
    """uvicorn, but for the signals: tasks can reach the APIs until they have ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _end_tasks(containers: Containers) -> None:
    for _, task in list(ecs._tasks.all_items()):
        task["_ecs_resetting"] = True  # nobody watches it any more: no service starts a replacement
    containers.stop_all(_TASKS_GRACE_SECONDS)


def _end_lambda_workers() -> None:
    with lambda_runtime._lock:
        workers = [worker for pool in lambda_runtime._workers.values() for worker in pool]
    lambda_runtime.kill_workers(workers)
