"""`cloud-agent local` and `cloud-agent demo`: what a clone adds to the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cloud_agent_cli.errors import ParameterError
from cloud_agent_cli.targets import Target
from cloud_agent_cli.terminal import console
from cloud_agent_local import run_lock
from cloud_agent_local.errors import InUseError, NotRunningError, StateDirectoryError
from cloud_agent_local.installation import STATE_DIR, Installation, Ports

local = typer.Typer(no_args_is_help=True, help="The whole system on this machine.")
DEFAULT = Ports()


def _port(of: str, default: int) -> object:
    return typer.Option(help=f"Port of {of}.", min=1, max=65_535, show_default=str(default))


StateDir = Annotated[Path, typer.Option(help="State directory.", resolve_path=True)]
AwsPort = Annotated[int | None, _port("the embedded AWS", DEFAULT.aws)]
GitHubPort = Annotated[int | None, _port("the local GitHub", DEFAULT.github)]
ModelPort = Annotated[int | None, _port("the scripted model", DEFAULT.model)]
ProxyPort = Annotated[int | None, _port("the session URLs", DEFAULT.proxy)]
Parameters = Annotated[
    list[str], typer.Option("--parameter", help="A parameter of the stack, such as MaxSessions=2. May be repeated.")
]
Containers = Annotated[
    bool, typer.Option("--containers", help="Run the proxy and each agent as a container, with Docker or Podman.")
]
PROCESSES_NOTE = (
    "Tasks are local processes: what an agent runs, runs as your user and sees your files and processes. "
    "--containers keeps it apart."
)


def add_to(app: typer.Typer) -> None:
    """Add the commands of local mode."""
    app.add_typer(local, name="local")
    app.command("demo")(demo)


def target(state_dir: Path | None) -> Target | None:
    """Return the local system; None where there is none, which is not the same as one that is damaged.

    Raises:
        NotRunningError: one was started and does not run whole; names the parts that do not.
        StateDirectoryError: its record cannot be read.
    """
    installation = Installation.load(state_dir or STATE_DIR)
    if installation is None:
        return None
    from cloud_agent_local import up as lifecycle
    from cloud_agent_local.deployment import STACK, client

    if not lifecycle.is_up(installation):
        dead = ", ".join(lifecycle.dead_parts(installation)) or "its start has not finished"
        raise NotRunningError(
            f"The local system is damaged: {dead}. Start it again with: cloud-agent local up. To check a stack on AWS "
            "instead, say --stack or --region."
        )
    place = f"of the local system at {installation.aws_endpoint}"
    return Target(STACK, place, lambda service: client(installation, service))


@local.command("up")
def up(  # noqa: PLR0913, PLR0917 - one for each option of the command
    state_dir: StateDir = STATE_DIR,
    aws_port: AwsPort = None,
    github_port: GitHubPort = None,
    model_port: ModelPort = None,
    proxy_port: ProxyPort = None,
    parameter: Parameters = [],  # noqa: B006 - typer wants a list and nobody changes it
    containers: Containers = False,  # noqa: FBT002 - a flag
) -> None:
    """Start everything and leave it running."""
    from cloud_agent_local import up as lifecycle

    ports = _given(aws=aws_port, github=github_port, model=model_port, proxy=proxy_port)
    parameters = _named_values(parameter)
    with run_lock.held(state_dir, "cloud-agent local up"):
        installation = _recorded(state_dir)
        if installation is not None and lifecycle.is_up(installation):
            _refuse_other_options(installation, ports, parameters, containers=containers)
            console.print("Already running.")
        else:
            if installation is not None:
                lifecycle.down(installation)
            installation = _start(state_dir, Ports(**ports), parameters, containers=containers)
    if installation.engine is None:
        console.print(f"\n{PROCESSES_NOTE}")
    console.print(f"\nOpen {installation.github_url}/{installation.repository} and label an issue claude-dev.")


@local.command("status")
def show_status(
    state_dir: StateDir = STATE_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Output JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Show what runs, where, and which sessions there are.

    Exit code 0: everything runs. 1: a part doesn't.
    """
    from cloud_agent_local import status
    from cloud_agent_local import up as lifecycle

    installation = _running(state_dir)
    if as_json:
        typer.echo(json.dumps(status.as_document(installation), indent=2))
    else:
        status.show(installation)
    dead = lifecycle.dead_parts(installation)
    if dead:
        raise NotRunningError(f"Not running: {', '.join(dead)}. Start everything again with: cloud-agent local up")


@local.command("logs")
def show_logs(
    name: Annotated[
        str, typer.Argument(help="A session's id, or part of a log's name such as agent or github. Default: all.")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="Print lines as they were logged.")] = False,  # noqa: FBT002 - a flag
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Print the logs of parts, containers and functions."""
    from cloud_agent_local import logs

    logs.show(_running(state_dir), name, follow=follow, as_json=as_json)


@local.command("down")
def down(state_dir: StateDir = STATE_DIR) -> None:
    """Stop everything. Live sessions end first, and their pull requests say so."""
    from cloud_agent_local import up as lifecycle
    from cloud_agent_local.ending import end_sessions

    command = run_lock.end_holder(state_dir)
    installation = _recorded(state_dir)
    if installation is not None:
        try:
            end_sessions(installation)
        finally:
            lifecycle.down(installation)
        console.print("Stopped.")
    elif left := lifecycle.clear(state_dir):
        console.print(f"Stopped what an earlier run had left: {left} processes.")
    else:
        console.print(f"Stopped {command}." if command else "Nothing is running.")


@local.command("reset")
def reset(
    state_dir: StateDir = STATE_DIR,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Stop everything and delete the local GitHub's repositories, the embedded AWS's data and the logs."""
    from cloud_agent_local import up as lifecycle

    if not yes:
        typer.confirm(f"Delete all repositories, issues and logs in {state_dir}?", abort=True)
    run_lock.end_holder(state_dir)
    with run_lock.held(state_dir, "cloud-agent local reset"):
        lifecycle.reset(state_dir, _recorded(state_dir))
    console.print("Nothing is running, and nothing is left of earlier runs.")


def demo(  # noqa: PLR0913, PLR0917 - one for each option of the command
    state_dir: StateDir = STATE_DIR,
    aws_port: AwsPort = None,
    github_port: GitHubPort = None,
    model_port: ModelPort = None,
    proxy_port: ProxyPort = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete what earlier runs left, first.")] = False,  # noqa: FBT002 - a flag
    containers: Containers = False,  # noqa: FBT002 - a flag
) -> None:
    """From a label to a live URL: start everything, label an issue, follow along, check each part.

    A default port that is in use is replaced by a free one.
    """
    from cloud_agent_local import demo as demonstration
    from cloud_agent_local import up as lifecycle

    ports = _given(aws=aws_port, github=github_port, model=model_port, proxy=proxy_port)
    with run_lock.held(state_dir, "cloud-agent demo"):
        earlier = _recorded(state_dir)
        if fresh:
            lifecycle.reset(state_dir, earlier)
        elif earlier is not None:
            lifecycle.down(earlier)
        demonstration.run(state_dir, ports, containers=containers)


def _start(state_dir: Path, ports: Ports, parameters: dict[str, str], *, containers: bool) -> Installation:
    from cloud_agent_local import up as lifecycle

    try:
        return lifecycle.up(state_dir, ports, parameters, containers=containers)
    except (KeyboardInterrupt, SystemExit):
        console.print("Stopped; nothing is running.")
        raise


def _given(**ports: int | None) -> dict[str, int]:
    return {name: port for name, port in ports.items() if port is not None}


def _refuse_other_options(
    installation: Installation, ports: dict[str, int], parameters: dict[str, str], *, containers: bool
) -> None:
    running = installation.ports.model_dump()
    differing = [
        f"--{name}-port {port} (it runs with {running[name]})" for name, port in ports.items() if port != running[name]
    ]
    differing += [
        f"--parameter {name}={value} (it runs with {installation.parameters.get(name, 'the default')})"
        for name, value in parameters.items()
        if value != installation.parameters.get(name)
    ]
    if containers and installation.engine is None:
        differing.append("--containers (its tasks are local processes)")
    if differing:
        raise InUseError(
            f"Already running, with other options: {'; '.join(differing)}. Stop it first with: cloud-agent local down"
        )


def _named_values(parameters: list[str]) -> dict[str, str]:
    for parameter in parameters:
        if "=" not in parameter:
            raise ParameterError(f"--parameter {parameter}: write NAME=VALUE, such as --parameter MaxSessions=2.")
    return dict(parameter.split("=", 1) for parameter in parameters)


def _recorded(state_dir: Path) -> Installation | None:
    """Return what the last `up` wrote; of a record that cannot be read, nothing: its processes are found without it."""
    try:
        return Installation.load(state_dir)
    except StateDirectoryError:
        return None


def _running(state_dir: Path) -> Installation:
    installation = Installation.load(state_dir)
    if installation is None or not installation.repository:
        raise NotRunningError("Nothing is running. Start it with: cloud-agent local up")
    return installation
