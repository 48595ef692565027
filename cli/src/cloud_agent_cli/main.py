"""`cloud-agent`: the command."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cloud_agent_cli import clone_needed
from cloud_agent_cli.errors import CommandError
from cloud_agent_cli.targets import DEFAULT_STACK, Target, on_aws
from cloud_agent_cli.terminal import console, errors, print_in_any_encoding
from cloud_agent_cli.transcript import Form, lines

if TYPE_CHECKING:
    from collections.abc import Callable

DISTRIBUTION = "claude-cloud-agent"
# The development environment declares local mode here; the command installed by itself has none.
_installed = list(entry_points(group="cloud_agent_cli.local_mode"))
local_mode: Any = _installed[0].load() if _installed else clone_needed

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Claude Cloud Agent.")
local_mode.add_to(app)

Region = Annotated[str | None, typer.Option(help="The stack's region; by default your AWS configuration's.")]


def main() -> None:
    """Run the command; what a person can fix is one clear message and an exit code, without a traceback.

    A signal or a closed terminal ends a command like Ctrl-C does: what it has started is stopped again.
    """
    print_in_any_encoding()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    try:
        app()
    except CommandError as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}")
        raise SystemExit(error.exit_code) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer's signature
    if asked:
        console.print(f"cloud-agent {version(DISTRIBUTION)}")
        raise typer.Exit


_Version = Annotated[bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)]


@app.callback()
def _options(_: _Version = False) -> None:  # noqa: FBT002 - a flag
    pass


@app.command("doctor")
def doctor(  # noqa: PLR0913, PLR0917 - one for each option of the command
    stack: Annotated[
        str | None, typer.Option(help=f"The stack; by default that of a running local system, or {DEFAULT_STACK}.")
    ] = None,
    region: Region = None,
    session: Annotated[str | None, typer.Option(help="A session's id, to check its own path as well.")] = None,
    first_run: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--first-run", help="Check whether the account is ready, before or after a deployment.")
    ] = False,
    parameters: Annotated[
        list[str], typer.Option("--parameter", help="With --first-run, a parameter of the stack, Name=Value.")
    ] = [],  # noqa: B006 - typer wants a list and nobody changes it
    config_file: Annotated[Path, typer.Option(help="With --first-run, the samconfig to read.")] = Path(
        "samconfig.toml"
    ),
    config_env: Annotated[str, typer.Option(help="With --first-run, the samconfig's environment.")] = "default",
    explain: Annotated[str | None, typer.Option(help="Explain this check, and check nothing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Output JSON.")] = False,  # noqa: FBT002 - a flag
    state_dir: Annotated[
        Path | None, typer.Option(help="State directory of a local system.", resolve_path=True)
    ] = None,
) -> None:
    """Check everything between browser and dev server; with --first-run, whether an account is ready for the stack.

    Exit code 0: all checks passed. 1: problems found. 2: not everything could be checked.
    """
    from cloud_agent_cli import doctor as doctor_command
    from cloud_agent_cli.first_run.deployment import read_parameters, read_samconfig

    if explain is not None:
        doctor_command.explain(explain)
        return
    if first_run:
        settings = read_samconfig(config_file, config_env)
        target = on_aws(stack or settings.stack or DEFAULT_STACK, region or settings.region)
        given = {**settings.parameters, **read_parameters(parameters)}
        raise typer.Exit(doctor_command.run_first(target, given, as_json=as_json))
    raise typer.Exit(doctor_command.run(_target(stack, region, state_dir), session, as_json=as_json))


def _target(stack: str | None, region: str | None, state_dir: Path | None) -> Target:
    """Return the local system where one is installed and nothing says AWS; else a stack on AWS, never by mistake."""
    local: Target | None = None if stack or region else local_mode.target(state_dir)
    return local or on_aws(stack or DEFAULT_STACK, region)


@app.command("transcript")
def transcript(
    session: Annotated[str, typer.Argument(help="A session's id, such as 09e22a8b.")],
    form: Annotated[
        Form,
        typer.Option("--format", help="jsonl: every event. claude-code: the conversation, as Claude Code has it."),
    ] = Form.JSONL,
    stack: Annotated[
        str | None, typer.Option(help=f"The stack; by default that of a running local system, or {DEFAULT_STACK}.")
    ] = None,
    region: Region = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="State directory of a local system.", resolve_path=True)
    ] = None,
) -> None:
    """Print what happened in a session as JSON Lines, the oldest first."""
    for line in lines(_target(stack, region, state_dir), session, form):
        sys.stdout.write(f"{line}\n")


@app.command("adopt")
def adopt(  # noqa: PLR0913, PLR0917 - one for each option of the command
    domain: Annotated[str, typer.Option(help="DomainName of the deployment: sessions are at *.uat.<domain>.")],
    resources: Annotated[
        list[str],
        typer.Argument(help="What to adopt, such as SessionsTable or SessionsTable=<its name>. All by default."),
    ] = [],  # noqa: B006 - typer wants a list and nobody changes it
    stack: Annotated[str, typer.Option(help="The stack to import into; created if it doesn't exist.")] = DEFAULT_STACK,
    region: Region = None,
    output: Annotated[Path, typer.Option(help="The folder for the template and the list of resources.")] = Path(
        ".aws-sam/adoption"
    ),
    yes: Annotated[bool, typer.Option("--yes", help="Import without asking.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Bring what an account has already into the stack, by CloudFormation import. Deletes nothing."""
    from cloud_agent_cli.adopt import command as adoption
    from cloud_agent_cli.adopt.search import Search

    target = on_aws(stack, region)
    search = Search(stack, domain, adoption.requested(resources))
    console.print(f"Looking for resources of the stack [bold]{escape(stack)}[/bold] {escape(target.place)}")
    confirm: Callable[[str], bool] = (lambda _: True) if yes else typer.confirm
    adoption.run(search, target.client, output, confirm)


@app.command("restore")
def restore(
    source: Annotated[str, typer.Argument(help="The table that DynamoDB restored, which is only read.")],
    stack: Annotated[str, typer.Option(help="The stack whose sessions table has lost rows.")] = DEFAULT_STACK,
    region: Region = None,
) -> None:
    """Copy rows that the sessions table has lost from a restored table. Changes and deletes nothing that is there."""
    from cloud_agent_cli import restoration

    restoration.run(on_aws(stack, region), source)


if __name__ == "__main__":
    main()
