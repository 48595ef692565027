"""What `sam build` puts into the layer of the functions' libraries, beside the libraries."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from pathlib import Path

import pytest

DEPENDENCIES = Path(__file__).parents[3] / "functions" / "dependencies"
OURS = "{}.{}".format(*sys.version_info)
UNCHECKED = 0b01  # PEP 552
HEADER_BYTES = 16


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH whose python3 is this interpreter, and whose pip installs one module."""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(
        f"""#!/bin/sh
while [ "$1 $2" = "-m pip" ]; do
  while [ "$1" != --target ]; do shift; done
  mkdir -p "$2" && exec touch "$2/library.py"
done
exec "{sys.executable}" "$@"
"""
    )
    python.chmod(0o755)
    return f"{python.parent}{os.pathsep}{os.environ['PATH']}"


def _build(runtime: str, artifacts: Path, path: str) -> list[Path]:
    """Build the layer for a Python, and return what is in it."""
    command = ["make", "build-DependenciesLayer", f"RUNTIME={runtime}", f"ARTIFACTS_DIR={artifacts}"]
    environment = {"PATH": path}
    subprocess.run(command, cwd=DEPENDENCIES, env=environment, capture_output=True, text=True, check=True)
    return sorted(file.relative_to(artifacts) for file in artifacts.rglob("*.*"))


def test_the_layer_has_bytecode_that_lambda_takes_as_it_is(tmp_path: Path, path: str) -> None:
    compiled = Path(f"python/__pycache__/library.{sys.implementation.cache_tag}.pyc")

    assert _build(OURS, tmp_path / "layer", path) == [compiled, Path("python/library.py")]

    content = (tmp_path / "layer" / compiled).read_bytes()
    assert int.from_bytes(content[4:8], "little") == UNCHECKED
    assert marshal.loads(content[HEADER_BYTES:]).co_filename == "/opt/python/library.py"  # noqa: S302 - just compiled


def test_a_machine_without_the_runtimes_python_builds_the_layer_all_the_same(tmp_path: Path, path: str) -> None:
    assert _build("3.99", tmp_path / "layer", path) == [Path("python/library.py")]
