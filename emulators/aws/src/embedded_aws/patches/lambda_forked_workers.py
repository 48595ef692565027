"""Defect: each worker of a Python function starts an interpreter and imports anew what its libraries need.

With the SDK and a layer of libraries that is 0.3 s of CPU for each cold function, most of what it costs. Forked from a
process that has imported them, a worker has them at once. It is a process of its own all the same, with its own
variables, folder, search path and streams, and imports the function's code itself.

Source: none: the time is this machine's, not AWS's.
Upstream: not reported: no defect.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedded_aws.patches import Context
    from embedded_aws.workers.fork_server import ForkedProcess

_SCRIPT = "_worker.py"  # as ministack names what it starts for a Python function, and for no other
_SEARCHED = "_LAMBDA_LAYERS_DIRS"  # where it names the worker's layers


def apply(context: Context) -> None:
    """Fork what ministack starts for Python functions."""

    def start(argv: Sequence[str], **options: Any) -> subprocess.Popen[Any] | ForkedProcess:  # noqa: ANN401 - Popen's
        if Path(argv[-1]).name != _SCRIPT:
            return subprocess.Popen(argv, **options)  # noqa: S603 - as ministack asks
        folders = _search(options["env"].get(_SEARCHED, ""))
        return context.fork_servers.fork(folders, argv[-1], options["cwd"], options["env"])

    setattr(lambda_runtime, "subprocess", SimpleNamespace(**vars(subprocess) | {"Popen": start}))  # noqa: B010 - untyped


def _search(layers: str) -> list[str]:
    """Return the folders of these layers in the order in which ministack's worker searches them."""
    return [folder for layer in reversed(layers.split(os.pathsep)) if layer for folder in (layer, f"{layer}/python")]
