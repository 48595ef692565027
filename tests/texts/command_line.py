"""What the command line explains of itself."""

from __future__ import annotations

from typing import Any

import typer

from cloud_agent_cli.main import app
from cloud_agent_doctor.checks import CHECKS


def helps() -> dict[str, str]:
    """Return the help of `cloud-agent` and of each of its commands: what it says, and not how a terminal draws it."""
    return dict(_helps(typer.main.get_command(app), "cloud-agent"))


def checks() -> dict[str, str]:
    """Return each check's question."""
    return {check.name: check.question for check in CHECKS}


def _helps(command: Any, name: str) -> list[tuple[str, str]]:  # noqa: ANN401 - typer hides click's types
    parameters = [f"- `{'`, `'.join(each.opts)}`: {getattr(each, 'help', '')}" for each in command.params]
    text = "\n\n".join([command.help or "", "\n".join(parameters)])
    subcommands: dict[str, Any] = getattr(command, "commands", {})
    return [(name, text), *(one for sub, each in subcommands.items() for one in _helps(each, f"{name} {sub}"))]
