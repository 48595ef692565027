"""Dev servers that reload their pages in the browser are known by the programs that run."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from cloud_agent_runner.preview.live_reload import reloads_pages

if TYPE_CHECKING:
    from pathlib import Path

WAITS = "import sys; print(flush=True); sys.stdin.read()"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("{python} node_modules/vite/bin/vite.js --host", True),
        ("{python} node_modules/.bin/astro dev", True),
        ("{python} node_modules/react-scripts/scripts/start.js", True),
        ("{python} node_modules/webpack/bin/webpack.js serve", True),
        ("{python} -P bin/mkdocs serve", True),
        ("exec -a 'next-server (v15.1.0)' {python} server.py", True),
        ("{python} node_modules/webpack/bin/webpack.js --watch", False),
        ("{python} node_modules/nodemon/bin/nodemon.js server.js", False),
        ("{python} server.py vite", False),
        ("{python} vite/server.py", False),
    ],
)
def test_a_dev_server_is_known_by_its_programs(tmp_path: Path, command: str, *, expected: bool) -> None:
    words = command.replace("'", " ").split()
    for name in (word for word in words if "/" in word or word.endswith(".py")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(WAITS)
    shell = ["bash", "-c", f"({command.format(python=sys.executable)}); true"]
    with subprocess.Popen(shell, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()

        assert reloads_pages(process.pid) == expected

        process.stdin.close()


def test_what_has_ended_reloads_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert not reloads_pages(process.pid)
