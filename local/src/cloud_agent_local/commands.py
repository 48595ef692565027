"""`cloud-agent local` and `cloud-agent demo`: what a clone adds to the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cloud_agent_cli.errors import ParameterError
from cloud_agent_cli.targets import Target
from cloud_agent_cli.terminal import console
from cloud_agent_local import logs, status
from cloud_agent_local import up as lifecycle
from cloud_agent_local.demo import run as run_demo
from cloud_agent_local.deployment import STACK, client
from cloud_agent_local.errors import NotRunningError
from cloud_agent_local.installation import STATE_DIR, Installation, Ports

local = typer.Typer(no_args_is_help=True, help="The whole system on this machine.")

StateDir = Annotated[Path, typer.Option(help="State directory.", resolve_path=True)]
AwsPort = Annotated[int, typer.Option(help="Port of the embedded AWS.")]
GitHubPort = Annotated[int, typer.Option(help="Port of the local GitHub.")]
ModelPort = Annotated[int, typer.Option(help="Port of the scripted model.")]
ProxyPort = Annotated[int, typer.Option(help="Port of the session URLs.")]
Parameters = Annotated[
    list[str], typer.Option("--parameter", help="A parameter of the stack, such as MaxSessions=2. May be repeated.")
]
DEFAULT = Ports()


def add_to(app: typer.Typer) -> None:
    """Add the commands of local mode."""
    app.add_typer(local, name="local")
    app.command("demo")(demo)


def target(state_dir: Path | None) -> Target | None:
    """Return the running local system; None where there is none."""
    installation = Installation.load(state_dir or STATE_DIR)
    if installation is None or not lifecycle.is_up(installation):
        return None
    place = f"of the local system at {installation.aws_endpoint}"
    return Target(STACK, place, lambda service: client(installation, service))


@local.command("up")
def up(  # noqa: PLR0913, PLR0917 - one for each option of the command
    state_dir: StateDir = STATE_DIR,
    aws_port: AwsPort = DEFAULT.aws,
    github_port: GitHubPort = DEFAULT.github,
    model_port: ModelPort = DEFAULT.model,
    proxy_port: ProxyPort = DEFAULT.proxy,
    parameter: Parameters = [],  # noqa: B006 - typer wants a list and nobody changes it
) -> None:
    """Start everything and leave it running."""
    installation = Installation.load(state_dir)
    if not lifecycle.is_up(installation) or installation is None:
        if installation is not None:
            lifecycle.down(installation)
        ports = Ports(aws=aws_port, github=github_port, model=model_port, proxy=proxy_port)
        installation = lifecycle.up(state_dir, ports, _named_values(parameter))
    console.print(f"\nOpen {installation.github_url}/{installation.repository} and label an issue claude-dev.")


@local.command("status")
def show_status(
    state_dir: StateDir = STATE_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Output JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Show what runs, where, and which sessions there are."""
    installation = _running(state_dir)
    if as_json:
        typer.echo(json.dumps(status.as_document(installation), indent=2))
    else:
        status.show(installation)


@local.command("logs")
def show_logs(
    name: Annotated[
        str,
        typer.Argument(help="A session's id, or part of a log's name such as agent or github. Default: all."),
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="Print lines as they were logged.")] = False,  # noqa: FBT002 - a flag
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Print the logs of parts, containers and functions."""
    logs.show(_running(state_dir), name, follow=follow, as_json=as_json)


@local.command("down")
def down(state_dir: StateDir = STATE_DIR) -> None:
    """Stop everything."""
    installation = Installation.load(state_dir)
    if installation is None:
        console.print("Nothing is running.")
        return
    lifecycle.down(installation)
    console.print("Stopped.")


def demo(
    state_dir: StateDir = STATE_DIR,
    aws_port: AwsPort = DEFAULT.aws,
    github_port: GitHubPort = DEFAULT.github,
    model_port: ModelPort = DEFAULT.model,
    proxy_port: ProxyPort = DEFAULT.proxy,
) -> None:
    """From a label to a live URL: start everything, label an issue, follow along, check each part."""
    run_demo(state_dir, Ports(aws=aws_port, github=github_port, model=model_port, proxy=proxy_port))


def _named_values(parameters: list[str]) -> dict[str, str]:
    for parameter in parameters:
        if "=" not in parameter:
            raise ParameterError(f"--parameter {parameter}: write NAME=VALUE, such as --parameter MaxSessions=2.")
    return dict(parameter.split("=", 1) for parameter in parameters)


def _running(state_dir: Path) -> Installation:
    installation = Installation.load(state_dir)
    if installation is None or not installation.repository:
        raise NotRunningError("Nothing is running. Start it with: cloud-agent local up")
    return installation
