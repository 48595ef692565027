"""What begins with each command begins with little of Python."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from cloud_agent_runner.workspace.small_program import small_program

SLOW = {"collections", "contextlib", "enum", "functools", "pathlib", "re", "signal", "site", "typing"}
PROGRAMS = ["reaper", "socket_inodes"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_small_program_imports_little(name: str) -> None:
    module = import_module(f"cloud_agent_runner.workspace.{name}")
    folder = str(Path(str(module.__file__)).parent)
    program = f"import sys; sys.path.append({folder!r}); import {name}; print(*sorted({SLOW} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_small_program_is_compiled_once(tmp_path: Path) -> None:
    source = tmp_path / "program.py"
    source.write_text("import sys\ndef main(arguments):\n    print(arguments, sys.path[-1])\n    return 7\n")
    sys.path.append(str(tmp_path))
    try:
        command = small_program(import_module("program"))
    finally:
        sys.path.remove(str(tmp_path))
    done = subprocess.run([*command, "a", "b"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (7, f"['a', 'b'] {tmp_path}\n")
    assert list(tmp_path.glob("__pycache__/program.*.pyc"))
