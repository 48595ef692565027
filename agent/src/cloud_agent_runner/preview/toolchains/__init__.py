"""The toolchains that a repository's own files ask for: those of the image where they will do, others as they're named.

`toolchain_setup` returns the command that gets what is missing; Python's versions are uv's to get, where the virtual
environment is made. Neither fails: what can't be had is said in the command's output.
"""

from __future__ import annotations

from cloud_agent_runner.preview.toolchains.missing import requested_bun, requested_python, toolchain_setup
from cloud_agent_runner.preview.toolchains.version_files import MISE_FILES

__all__ = ["MISE_FILES", "requested_bun", "requested_python", "toolchain_setup"]
