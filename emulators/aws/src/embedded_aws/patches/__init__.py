"""What this emulator corrects of ministack: each module here is one correction, found by being here.

A module's docstring names the defect and how AWS behaves; `Source:` says where that is written and `Upstream:` whether
ministack's authors know of the defect. Its function `apply` makes the correction; a test fails without it. None relies
on another's having been made before: any order will do.

Importing one of the modules imports ministack, whose modules read their configuration from the environment as they are
imported.
"""

from __future__ import annotations

import inspect
import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_aws.containers.client import ContainerClient
    from embedded_aws.containers.container import Addresses
    from embedded_aws.workers.fork_server import ForkServers


@dataclass(frozen=True)
class Context:
    """The parts of the embedded AWS that a correction may need: its `apply` is then given this."""

    docker: ContainerClient
    addresses: Addresses
    lambda_slots: int
    layers_dir: Path
    fork_servers: ForkServers


def names() -> list[str]:
    """Return the names of all corrections' modules."""
    return [module.name for module in pkgutil.iter_modules(__path__)]


def apply_all(context: Context) -> None:
    """Make every correction."""
    for name in names():
        apply = import_module(f"{__name__}.{name}").apply
        apply(context) if inspect.signature(apply).parameters else apply()
