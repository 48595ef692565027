"""Defect: each worker process unpacks its function's code and layers anew, and compiles of them what it imports.

AWS unpacks both read-only, layers below /opt and the code below /var/task. With 70 MB of libraries each cold function
spends seconds on them, and with 200 files of code a quarter of one. One tree for each content serves all Python
workers, and what one of them has compiled is there for the next. Those of layers serve all servers that share their
folder. Node.js workers are left alone: their modules are linked into the function's own code.

Source: AWS Lambda Developer Guide, "Creating and sharing Lambda layers".
Upstream: not reported: no defect.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.patches import Context

_SEARCHED = "_LAMBDA_LAYERS_DIRS"  # where ministack's Python worker looks for layers
_SCRIPT = "_worker.py"  # what it starts for a Python function, beside the folder of the code


class UnpackedArchives:
    """The trees of zip archives, each in a directory of its digest, which a later server finds again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._directories: dict[bytes, Path] = {}  # ministack keeps layers in memory, so that they hash once

    def directory_of(self, content: bytes) -> Path:
        """Where this archive is unpacked; whoever asks first unpacks it, and others wait for that."""
        with self._lock:
            if content not in self._directories:
                self._directories[content] = self._unpacked(content)
            return self._directories[content]

    def _unpacked(self, content: bytes) -> Path:
        directory = self._root / hashlib.sha256(content).hexdigest()
        if not directory.exists():
            self._root.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=self._root))
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(partial)
            try:
                partial.rename(directory)
            except OSError:  # another server has been quicker
                shutil.rmtree(partial)
        return directory


def apply(context: Context) -> None:
    """Give Python workers the shared trees in the place of copies of their own."""
    _share_layers(UnpackedArchives(context.layers_dir))
    _share_code(UnpackedArchives(Path(tempfile.mkdtemp(prefix="lambda-code-"))))


def _share_layers(layers: UnpackedArchives) -> None:
    def spawn(original: Callable[[lambda_runtime.Worker], None], worker: lambda_runtime.Worker) -> None:
        config = worker.config
        if not config["Runtime"].startswith("python"):
            original(worker)
            return
        contents = [lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers", [])]
        directories = [str(layers.directory_of(content)) for content in contents if content]
        variables = config.get("Environment", {}).get("Variables", {})
        searched = {_SEARCHED: os.pathsep.join(directories)}
        worker.config = config | {"Layers": [], "Environment": {"Variables": variables | searched}}
        try:
            original(worker)
        finally:
            worker.config = config

    wrap(lambda_runtime.Worker, "_spawn", spawn)


def _share_code(code: UnpackedArchives) -> None:
    class CodeArchive(zipfile.ZipFile):
        """Links the tree where a Python worker's code would be unpacked."""

        def extractall(self, path: str) -> None:  # type: ignore[override]  # as ministack calls it
            folder = Path(path)
            if not (folder.parent / _SCRIPT).exists():
                super().extractall(path)
                return
            tree = code.directory_of(Path(str(self.filename)).read_bytes())
            folder.rmdir()
            folder.symlink_to(tree)

    # Only what this module of ministack's sees.
    setattr(lambda_runtime, "zipfile", SimpleNamespace(**vars(zipfile) | {"ZipFile": CodeArchive}))  # noqa: B010 - untyped
