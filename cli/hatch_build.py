"""Brings the code that the command shares with the functions into its wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHARED = ("cloud_agent", "cloud_agent_doctor")


class SharedPackages(BuildHookInterface[Any]):
    """Adds the packages of ../functions to a wheel; an editable install reads them where they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name what to include, before anything is built.

        Raises:
            FileNotFoundError: the folder is not part of a clone, as in a source distribution, which would lack it.
        """
        if version == "editable":
            return
        functions = Path(self.root).parent / "functions"
        if self.target_name != "wheel" or not functions.is_dir():
            raise FileNotFoundError("The command is built in a clone, as a wheel: uv build --wheel ./cli")
        build_data["force_include"] |= {str(functions / name): name for name in SHARED}
