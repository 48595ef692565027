"""`cloud-agent` installed by itself: without the clone it came from, and with its own dependencies."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
IMPORTS = """
import importlib, pkgutil, sys
import cloud_agent_cli, cloud_agent_doctor.checks, cloud_agent_doctor.diagnose
for module in pkgutil.walk_packages(cloud_agent_cli.__path__, "cloud_agent_cli."):
    importlib.import_module(module.name)
print(*(sys.modules[name].__file__ for name in ("cloud_agent", "cloud_agent_cli", "cloud_agent_doctor")), sep="\\n")
print(*sys.path, sep="\\n")
"""


class Installed:
    """The command, and a person's environment that knows no AWS account: only a closed port of this machine."""

    def __init__(self, folder: Path) -> None:
        self.tools = folder / "tools"
        home = folder / "home"
        home.mkdir()
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        cache = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        self._environment = kept | {
            "HOME": str(home),
            "UV_CACHE_DIR": cache,  # what `make install` has brought already needs no network
            "UV_TOOL_DIR": str(self.tools),
            "UV_TOOL_BIN_DIR": str(folder / "bin"),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._folder = folder

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """The finished program, outside the clone."""
        return subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )

    def cloud_agent(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The finished command."""
        return self.run(self._folder / "bin" / "cloud-agent", *arguments)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    command = Installed(tmp_path_factory.mktemp("command"))
    done = command.run(UV, "tool", "install", "--quiet", "--python", sys.executable, PROJECT / "cli")
    assert done.returncode == 0, done.stderr
    return command


def test_it_says_its_version(installed: Installed) -> None:
    said = installed.cloud_agent("--version")
    assert (said.returncode, said.stdout) == (0, "cloud-agent 0.2.0\n"), said.stderr


def test_its_dependencies_are_enough_and_nothing_of_it_lies_in_the_clone(installed: Installed) -> None:
    imported = installed.run(installed.tools / "claude-cloud-agent" / "bin" / "python", "-c", IMPORTS)
    assert imported.returncode == 0, imported.stderr
    files, path = imported.stdout.splitlines()[:3], imported.stdout.splitlines()[3:]
    assert [file for file in files if not Path(file).is_relative_to(installed.tools)] == []
    assert [entry for entry in path if entry and Path(entry).is_relative_to(PROJECT)] == []


def test_it_explains_a_check(installed: Installed) -> None:
    explained = installed.cloud_agent("doctor", "--explain", "listener")
    assert explained.returncode == 0, explained.stderr
    assert "docs/runbook.md#listener" in explained.stdout


@pytest.mark.parametrize("command", [("doctor",), ("adopt", "--domain", "example.com")], ids=lambda words: words[0])
def test_without_an_account_it_says_so_in_one_sentence(installed: Installed, command: tuple[str, ...]) -> None:
    ended = installed.cloud_agent(*command, "--region", "us-east-1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: No AWS credentials were found. Sign in with the AWS CLI, or set AWS_PROFILE.\n"


@pytest.mark.parametrize("command", [("local", "up", "--proxy-port", "8081"), ("demo",)], ids=" ".join)
def test_local_mode_says_that_it_needs_a_clone_and_what_to_run_there(
    installed: Installed, command: tuple[str, ...]
) -> None:
    refused = installed.cloud_agent(*command)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "needs a clone of the repository. In the clone, run: make install" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
