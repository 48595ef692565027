"""Stands for local mode where the command is installed by itself: it needs the sources, not just the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_cli.errors import CloneNeededError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import typer

    from cloud_agent_cli.targets import Target

_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True}
_NEEDED = "needs a clone of the repository. In the clone, run: make install && .venv/bin/cloud-agent"


def add_to(app: typer.Typer) -> None:
    """Add the commands of local mode, each of which says where it runs."""
    for name, example in (("local", "local up"), ("demo", "demo")):
        app.command(name, help="Needs a clone of the repository.", context_settings=_ANYTHING)(_refusal(name, example))


def target(state_dir: Path | None) -> Target | None:
    """Return None: there is no local system to look at.

    Raises:
        CloneNeededError: one is asked for.
    """
    if state_dir is not None:
        raise CloneNeededError(f"--state-dir {_NEEDED} doctor --state-dir {state_dir}")
    return None


def _refusal(name: str, example: str) -> Callable[[], None]:
    def refuse() -> None:
        raise CloneNeededError(f"cloud-agent {name} {_NEEDED} {example}")

    return refuse
