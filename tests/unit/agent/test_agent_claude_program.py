from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from cloud_agent_runner.claude.program import claude_shell

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_claude_s_shell_is_a_bash_that_leaves_claude_code_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    shell = claude_shell()
    shown = subprocess.run(
        [shell, "-c", 'ulimit -Hu; echo "$BASH_VERSION" "$1"', "-", "an argument"],
        check=True,
        capture_output=True,
        text=True,
    )
    limit, _, last = shown.stdout.partition("\n")
    assert limit == "1400"
    assert last.endswith(" an argument\n")
    assert shell.name == "bash"  # by which Claude Code knows its kind
