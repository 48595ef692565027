"""`cloud-agent`: the command."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from rich.markup import escape

from cloud_agent_cli import doctor as path_audit
from cloud_agent_cli.adopt import command as adoption
from cloud_agent_cli.adopt.search import Search
from cloud_agent_cli.doctor import DEFAULT_STACK
from cloud_agent_local import logs, status
from cloud_agent_local import up as lifecycle
from cloud_agent_local.demo import run as run_demo
from cloud_agent_local.errors import LocalModeError, NotRunningError, ParameterError
from cloud_agent_local.installation import STATE_DIR, Installation, Ports
from cloud_agent_local.progress import console, errors

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Claude Cloud Agent."
)
local = typer.Typer(no_args_is_help=True, help="The whole system on this machine.")
app.add_typer(local, name="local")

StateDir = Annotated[Path, typer.Option(help="Where everything is kept.", resolve_path=True)]
AwsPort = Annotated[int, typer.Option(help="Port of the embedded AWS.")]
GitHubPort = Annotated[int, typer.Option(help="Port of the local GitHub.")]
ModelPort = Annotated[int, typer.Option(help="Port of the scripted model.")]
ProxyPort = Annotated[int, typer.Option(help="Port of the session URLs.")]
Parameters = Annotated[
    list[str], typer.Option("--parameter", help="A parameter of the stack, such as MaxSessions=2. May be repeated.")
]
DEFAULT = Ports()


def main() -> None:
    """Run the command; what a person can mend is one clear message and exit code 1, without a traceback.

    A signal or a closed terminal ends a command like Ctrl-C does: what it has started is stopped again.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    try:
        app()
    except LocalModeError as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}")
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


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
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Say what runs, where, and which sessions there are."""
    installation = _running(state_dir)
    if as_json:
        typer.echo(json.dumps(status.as_document(installation), indent=2))
    else:
        status.show(installation)


@local.command("logs")
def show_logs(
    part: Annotated[
        str, typer.Argument(help="Part of a log's name, such as github or a session's id; all, when empty.")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,  # noqa: FBT002 - a flag
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Print the logs of parts, tasks and functions."""
    logs.show(_running(state_dir), part, follow=follow)


@local.command("down")
def down(state_dir: StateDir = STATE_DIR) -> None:
    """Stop everything."""
    installation = Installation.load(state_dir)
    if installation is None:
        console.print("Nothing is running.")
        return
    lifecycle.down(installation)
    console.print("Stopped.")


@app.command("demo")
def demo(
    state_dir: StateDir = STATE_DIR,
    aws_port: AwsPort = DEFAULT.aws,
    github_port: GitHubPort = DEFAULT.github,
    model_port: ModelPort = DEFAULT.model,
    proxy_port: ProxyPort = DEFAULT.proxy,
) -> None:
    """From a label to a live URL: start everything, label an issue, follow along, check each part."""
    run_demo(state_dir, Ports(aws=aws_port, github=github_port, model=model_port, proxy=proxy_port))


@app.command("doctor")
def doctor(  # noqa: PLR0913, PLR0917 - one for each option of the command
    stack: Annotated[
        str | None, typer.Option(help="The stack; by default that of the system on this machine, or samconfig's.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="The stack's region; by default your AWS configuration's.")] = None,
    session: Annotated[str | None, typer.Option(help="A session's id, to look at its own path as well.")] = None,
    explain: Annotated[str | None, typer.Option(help="Say what this check looks at, and look at nothing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002 - a flag
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Walk the path from the browser to the dev server and name the broken hop.

    Exit code 0: every hop is sound. 1: something is wrong. 2: not everything could be looked at.
    """
    if explain is not None:
        path_audit.explain(explain)
        return
    installation = Installation.load(state_dir)
    running = installation if installation is not None and lifecycle.is_up(installation) else None
    raise typer.Exit(path_audit.run(stack, region, session, running, as_json=as_json))


@app.command("adopt")
def adopt(  # noqa: PLR0913, PLR0917 - one for each option of the command
    domain: Annotated[str, typer.Option(help="DomainName of the deployment: sessions are at *.uat.<domain>.")],
    resources: Annotated[
        list[str],
        typer.Argument(help="What to adopt, such as SessionsTable or SessionsTable=<its name>; all, when empty."),
    ] = [],  # noqa: B006 - typer wants a list and nobody changes it
    stack: Annotated[str, typer.Option(help="The stack that it comes to; made where there is none.")] = DEFAULT_STACK,
    region: Annotated[str | None, typer.Option(help="The stack's region; by default your AWS configuration's.")] = None,
    output: Annotated[Path, typer.Option(help="The folder for the template and the list of resources.")] = Path(
        ".aws-sam/adoption"
    ),
    yes: Annotated[bool, typer.Option("--yes", help="Import without asking.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Bring what an account has already into the stack, by CloudFormation import. Deletes nothing."""
    search = Search(stack, domain, adoption.wishes(resources))
    clients: Any = boto3.Session(region_name=region).client  # its overloads take a literal name, not a variable
    adoption.run(search, clients, output, (lambda _: True) if yes else typer.confirm)


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


if __name__ == "__main__":
    main()
