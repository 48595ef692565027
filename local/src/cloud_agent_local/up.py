"""`cloud-agent local up` and `down`: the parts in order, all of them or none."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cloud_agent_cli.terminal import part
from cloud_agent_local import container_images, deployment, images, model_access, sample, task_engine
from cloud_agent_local.errors import ImageBuildError, PartFailedError
from cloud_agent_local.github_client import GitHubClient
from cloud_agent_local.installation import AWS_PART, GITHUB_PART, MODEL_PART, PROJECT, Installation, Ports, forget
from cloud_agent_local.left_over import MARKER, left_over
from cloud_agent_local.parts import check_ports, check_tools, end, is_running, start, stop, tail, wait_until_healthy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cloud_agent_local.installation import RunningPart
    from cloud_agent_local.model_access import ModelAccess
    from embedded_aws.containers.engine import Engine

    Parameters = Mapping[str, str]

START_SECONDS = 30.0
# What most functions import from their layer. None of it reads a variable of its function as it's imported.
PRELOADED = ("aws_lambda_powertools.event_handler", "boto3", "github", "pydantic_settings")
PRELOAD_FLAGS = tuple(f"--preload={module}" for module in PRELOADED)


def up(
    state_dir: Path,
    ports: Ports,
    parameters: Parameters | Callable[[Installation], Parameters] | None = None,
    *,
    containers: bool = False,
) -> Installation:
    """Guarantee a whole running system, or none of it: what was started is stopped again when a part fails.

    `parameters` are the stack's, over those of local mode. A function is asked for them as soon as the embedded AWS
    runs, and may make there what the stack is to find. With `containers`, tasks are containers of the images, which are
    built first; else they're local processes.

    Raises:
        LocalModeError: names the part, why, and what to do.
    """
    check_tools()
    end(left_over(state_dir))  # of a run whose record was lost, and whose ports are wanted
    check_ports(ports)
    engine = task_engine.choose() if containers else None
    given = dict(parameters) if isinstance(parameters, Mapping) else {}
    installation = Installation(ports=ports, state_dir=state_dir, parameters=given)
    installation.keep_earlier_logs()
    installation.save()
    try:
        if engine:
            _prepare_engine(installation, engine)
        _bring_up(installation, model_access.choose(installation.model_url), parameters or {})
    except BaseException:
        down(installation)
        raise
    return installation


def down(installation: Installation) -> None:
    """Stop every part, last started first, and whatever they leave. The embedded AWS ends its tasks with it.

    Ctrl-C does not interrupt it: what is stopped by halves has to be looked for by hand.
    """
    with _uninterrupted():
        for running in reversed(installation.parts):
            stop(running)
        clear(installation.state_dir)
        if installation.engine:
            task_engine.remove(installation.engine)


def reset(state_dir: Path, installation: Installation | None) -> None:
    """Stop everything and delete what runs have kept: the local GitHub's data, the embedded AWS's, the logs."""
    if installation is not None:
        down(installation)
    clear(state_dir)
    for kept in ("github", "aws", "logs", "logs.earlier"):
        shutil.rmtree(state_dir / kept, ignore_errors=True)


def clear(state_dir: Path) -> int:
    """Stop what runs without a record, and forget the record; returns how many processes that were."""
    processes = left_over(state_dir)
    end(processes)
    forget(state_dir)
    return len(processes)


def dead_parts(installation: Installation) -> list[str]:
    """Return the names of the parts that do not run any more."""
    return [running.name for running in installation.parts if not is_running(running)]


def is_up(installation: Installation | None) -> bool:
    """Whether a system is running whole."""
    return bool(installation and installation.repository and not dead_parts(installation))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _prepare_engine(installation: Installation, engine: Engine) -> None:
    for unit in container_images.LOCAL_UNITS:
        with part(f"image of the {unit}"):
            _build_image(installation, engine, unit)
    with part(f"network of {engine.program}"):
        installation.engine = task_engine.create_network(engine, installation.state_dir)
        installation.save()


def _build_image(installation: Installation, engine: Engine, unit: str) -> None:
    log = _log(installation, f"image-{unit}")
    try:
        with log.open("wb") as output:
            container_images.build(engine, unit, output)
    except ImageBuildError as error:
        raise ImageBuildError(f"{error} The end of {log}:\n{tail(log)}") from error


def _bring_up(
    installation: Installation, model: ModelAccess, asked: Parameters | Callable[[Installation], Parameters]
) -> None:
    with part("embedded AWS"):
        _start_embedded_aws(installation, model)
        parameters = asked(installation) if callable(asked) else asked
    with part("local GitHub"):
        _start_local_github(installation)
    with part("scripted model" if model.scripted else f"model at {model.base_url}"):
        if model.scripted:
            _start_scripted_model(installation)
    with part("sam build") as report:
        deployment.build(installation, report)
    with part("sam deploy") as report:
        installation.outputs = deployment.deploy(installation, report, model, parameters)
        installation.save()
    with part("secrets and webhook"):
        _connect_github(installation, model)
        deployment.restart_proxy(installation)  # it began before its secret had a value
    with part("sample repository"):
        installation.repository = sample.publish(installation, GitHubClient(installation))
        installation.save()
    with part("proxy behind its load balancer"):
        _start_load_balancer(installation)
        deployment.wait_for_proxy(installation)


def _start_embedded_aws(installation: Installation, model: ModelAccess) -> None:
    # It begins empty: an execution does not survive a restart of the embedded Step Functions, so neither may the
    # rows and tasks it held.
    state_dir = installation.state_dir / "aws"
    shutil.rmtree(state_dir, ignore_errors=True)
    options = {
        "port": installation.ports.aws,
        "state-dir": state_dir,
        "log-dir": installation.log_dir,
        "layers-dir": PROJECT / ".aws-sam" / "layers",  # unpacked and compiled once for all systems of the clone
    }
    # IAM is enforced: a permission that the template forgets is missing here as it would be on AWS.
    programs = [f"--image={image}={json.dumps(argv)}" for image, argv in images.ENTRY_POINTS.items()]
    flags = ["--enforce-iam", *programs, *PRELOAD_FLAGS, *_engine_flags(installation, model)]
    running = _start(installation, AWS_PART, "embedded_aws", options, *flags)
    _wait(installation, running, f"{installation.aws_endpoint}/_ministack/health")


def _engine_flags(installation: Installation, model: ModelAccess) -> list[str]:
    if installation.engine is None:
        return []
    ports = [installation.ports.github, *model.local_ports]
    return [
        f"--engine={installation.engine.program}",
        f"--engine-network={installation.engine.network}",
        f"--network-image={images.PROXY}",
        *(f"--machine-port={port}" for port in ports),
    ]


def _start_local_github(installation: Installation) -> None:
    options = {
        "port": installation.ports.github,
        "data-dir": installation.github_dir,
        "app-name": "Claude Cloud Agent",
        "callback-url": installation.sign_in_callback_url,
    }
    running = _start(installation, GITHUB_PART, "local_github", options)
    _wait(installation, running, f"{installation.github_api_url}/meta")


def _start_scripted_model(installation: Installation) -> None:
    running = _start(installation, MODEL_PART, "scripted_model", {"port": installation.ports.model})
    _wait(installation, running, installation.model_url)


def _start_load_balancer(installation: Installation) -> None:
    options = {
        "port": installation.ports.proxy,
        "endpoint-url": installation.aws_endpoint,
        "target-group-arn": installation.outputs["ProxyTargetGroupArn"],
    }
    running = _start(installation, "load-balancer", "cloud_agent_local.load_balancer", options)
    try:
        _wait(installation, running, f"{installation.proxy_url}/health")
    except PartFailedError as error:
        # It answers once the proxy's task does; why the task does not, stands in the task's own log.
        logs = [log for log in installation.log_dir.glob("*-proxy-*.log") if log.stat().st_size]
        last = max(logs, key=lambda log: log.stat().st_mtime, default=None)
        words = f"The proxy's own log, {last}:\n{tail(last)}" if last else "No proxy task has said anything."
        raise PartFailedError(f"{error}\n{words}") from error


def _start(
    installation: Installation, name: str, module: str, options: Mapping[str, object], *flags: str
) -> RunningPart:
    argv = [sys.executable, "-m", module, *flags]
    argv += [f"--{option}={value}" for option, value in options.items()]
    running = start(name, argv, _log(installation, name), os.environ | {MARKER: str(installation.state_dir)})
    installation.parts.append(running)
    installation.save()
    return running


def _wait(installation: Installation, running: RunningPart, url: str) -> None:
    wait_until_healthy(running, url, _log(installation, running.name), START_SECONDS)


def _log(installation: Installation, name: str) -> Path:
    return installation.log_dir / f"{name}.log"


def _connect_github(installation: Installation, model: ModelAccess) -> None:
    """Do what a person does in the GitHub App's settings and in Secrets Manager after the first deployment."""
    github = GitHubClient(installation)
    app = {"app_id": github.credentials.app_id, "private_key": github.credentials.private_key_pem}
    sign_in = {"client_id": github.credentials.client_id, "client_secret": github.credentials.client_secret}
    deployment.fill_secrets(installation, model, app, sign_in)
    hook = {
        "url": webhook_url(installation),
        "secret": deployment.webhook_secret(installation),
        "content_type": "json",
    }
    github.call("PATCH", "/app/hook/config", hook, as_app=True)


def webhook_url(installation: Installation) -> str:
    """Where GitHub delivers."""
    return installation.outputs["HttpApiUrl"] + "/webhook"
