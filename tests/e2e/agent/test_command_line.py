"""`cloud-agent` as a person runs it, in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.e2e.system import System, wait_for
from tests.e2e.terminal import Terminal
from tests.kit.ports import free_ports

from cloud_agent_local.ending import end_sessions
from cloud_agent_local.installation import Installation, Ports
from cloud_agent_local.session_on_github import live_link

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = str(Path(sys.executable).parent / "cloud-agent")
# The names that other programs rely on.
STATUS_NAMES = {
    "aws_endpoint",
    "github_url",
    "github_api_url",
    "github_token",
    "repository",
    "webhook_url",
    "webhook_secret",
    "proxy_url",
    "uat_domain",
    "state_machine_arn",
    "sessions_table",
    "cluster",
    "log_dir",
}


def run(*arguments: str, seconds: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
    """The finished command; without a terminal, as in continuous integration."""
    return subprocess.run(
        [COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env=os.environ | environment,
    )


def options(state_dir: Path, ports: Ports) -> list[str]:
    """State directory and ports as options."""
    numbers = [f"--{name}-port={port}" for name, port in ports.model_dump().items()]
    return [f"--state-dir={state_dir}", *numbers]


def processes_of(state_dir: Path) -> list[str]:
    """Command lines and folders that belong to this state directory: parts, tasks, functions."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        text = " ".join(process.info["cmdline"] or []) + " " + (process.info["cwd"] or "")
        if str(state_dir) in text:
            found.append(text)
    return found


def test_a_port_in_use_is_named_with_its_part_and_the_option_that_moves_it(tmp_path: Path) -> None:
    ports = free_ports()
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports.github))
        other.listen()

        up = run("local", "up", *options(tmp_path, ports))

    assert up.returncode == 1
    assert f"Port {ports.github}, for the local GitHub, is in use" in up.stderr
    assert "--github-port" in up.stderr
    assert "Traceback" not in up.stderr
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("missing", ["git", "make"])
def test_a_missing_program_is_named_with_where_to_get_it(tmp_path: Path, missing: str) -> None:
    for program in {"git", "make"} - {missing}:
        (tmp_path / program).symlink_to(str(shutil.which(program)))

    up = run("local", "up", *options(tmp_path, free_ports()), PATH=str(tmp_path))

    assert up.returncode == 1
    assert f"{missing} is not on the PATH" in up.stderr


def test_a_part_that_dies_is_named_with_its_log_and_the_rest_is_stopped(tmp_path: Path) -> None:
    # The second part cannot start: a file stands where its folder must be.
    (tmp_path / "github").write_text("in the way")

    up = run("local", "up", *options(tmp_path, free_ports()))

    assert up.returncode == 1
    assert "✓ embedded AWS" in up.stdout
    assert "✗ local GitHub" in up.stdout
    assert "ended while starting" in up.stderr
    assert str(tmp_path / "logs" / "github.log") in up.stderr
    assert processes_of(tmp_path) == []
    assert Installation.load(tmp_path) is None


def test_status_without_a_running_system_says_how_to_start_one(tmp_path: Path) -> None:
    status = run("local", "status", f"--state-dir={tmp_path}")

    assert status.returncode == 1
    assert "cloud-agent local up" in status.stderr


def test_status_for_programs_has_the_names_they_rely_on(system: System) -> None:
    status = run("local", "status", "--json", f"--state-dir={system.installation.state_dir}")

    document = json.loads(status.stdout)
    assert set() == STATUS_NAMES - document.keys()
    assert {"running"} == set(document["parts"].values())
    assert document["repository"] == "acme/lunch-board"


def test_a_second_up_finds_the_system_running(system: System) -> None:
    state_dir = system.installation.state_dir

    up = run("local", "up", *options(state_dir, system.installation.ports))

    assert up.returncode == 0, up.stderr
    assert up.stdout.startswith("Already running.")
    assert "runs as your user and sees your files" in up.stdout  # without --containers
    assert system.installation.parts == (Installation.load(state_dir) or system.installation).parts


def test_options_that_a_running_system_does_not_have_are_refused_by_name(system: System) -> None:
    state_dir = system.installation.state_dir

    up = run(
        "local", "up", f"--state-dir={state_dir}", "--proxy-port=19599", "--parameter=MaxSessions=1", "--containers"
    )

    assert (up.returncode, up.stdout) == (1, "")
    assert f"--proxy-port 19599 (it runs with {system.installation.ports.proxy})" in up.stderr
    assert "--parameter MaxSessions=1 (it runs with the default)" in up.stderr
    assert "--containers (its tasks are local processes)" in up.stderr


def test_before_the_system_stops_live_sessions_end_on_their_pull_requests(system: System) -> None:
    elsewhere = system.at(system.create_repository("ending", {"index.html": "<h1>Hello</h1>"}))
    session = elsewhere.start("Wait", "Please.")
    elsewhere.wait_for_status(session, "[Open preview](")

    end_sessions(system.installation)

    assert elsewhere.row(session.id)["status"] == "STOPPED"
    assert live_link(elsewhere.status_comment(session)) is None


def test_status_and_logs_lead_from_a_session_to_its_page_pull_request_and_containers_until_its_end(
    system: System,
) -> None:
    session = system.start("Wait", "Please.")
    state_dir = f"--state-dir={system.installation.state_dir}"
    system.link(session)
    system.wait_for_row(session, lambda row: row.get("status") == "RUNNING")  # a moment later
    document = json.loads(run("local", "status", "--json", state_dir).stdout)
    people = run("local", "status", state_dir, COLUMNS="200").stdout
    logs = run("local", "logs", session.id, state_dir)

    (status,) = [one for one in document["sessions"] if one["session_id"] == session.id]
    assert status["link"] == live_link(system.status_comment(session))
    assert status["pull_request_url"] == system.row(session.id)["pull_url"]
    (line,) = [line for line in people.splitlines() if session.id in line and "acme/lunch-board#" in line]
    assert "RUNNING" in line
    assert status["link"] in people
    assert status["pull_request_url"] in people
    assert [secret for secret in ("github_token", "webhook_secret") if document[secret] in people] == []
    task = system.row(session.id)["task_arn"].rpartition("/")[2]
    assert {line.split(" | ")[0] for line in logs.stdout.splitlines()} >= {f"agent-{task[:8]}", "functions"}
    assert not [line for line in logs.stdout.splitlines() if line.startswith(("proxy", "github"))]

    system.unlabel(session.issue_number)
    system.wait_until_over(session)
    ended = run("local", "status", state_dir, COLUMNS="200").stdout
    assert "STOPPED" in next(line for line in ended.splitlines() if session.id in line)
    assert "The label claude-dev was removed from the issue." in ended
    assert f"/{system.repository}/pull/{system.row(session.id)['pull_number']}" in ended


def test_status_for_people_shows_no_secret(system: System) -> None:
    state_dir = f"--state-dir={system.installation.state_dir}"
    secrets = json.loads(run("local", "status", "--json", state_dir).stdout)

    shown = run("local", "status", state_dir).stdout

    assert "✓ embedded-aws" in shown
    assert secrets["github_token"] not in shown
    assert secrets["webhook_secret"] not in shown


def test_logs_of_the_agent_are_not_those_of_the_proxy(system: System) -> None:
    state_dir = f"--state-dir={system.installation.state_dir}"
    logs = run("local", "logs", "agent", state_dir)
    proxy = run("local", "logs", "proxy", state_dir).stdout

    assert [line for line in logs.stdout.splitlines() if not line.startswith("agent-")] == []
    assert proxy.startswith("proxy-")


def test_logs_that_nothing_matches_say_what_there_is(system: System) -> None:
    logs = run("local", "logs", "nothing-like-this", f"--state-dir={system.installation.state_dir}")

    assert (logs.returncode, logs.stdout) == (1, "")
    assert "No log matches 'nothing-like-this'." in logs.stderr
    assert "github, load-balancer" in logs.stderr


def test_logs_name_the_part_of_each_line(system: System) -> None:
    logs = run("local", "logs", "load-balancer", f"--state-dir={system.installation.state_dir}").stdout

    assert logs.startswith("load-balancer | ")


@contextmanager
def starting(state_dir: Path, *command: str) -> Iterator[tuple[subprocess.Popen[bytes], Terminal]]:
    """A command on a terminal of its own that has started its first two parts; killed at the end if it still runs."""
    terminal = Terminal()
    with subprocess.Popen(
        [COMMAND, *command, *options(state_dir, free_ports())], **terminal.of_the_process, start_new_session=True
    ) as process:
        terminal.opened()
        try:
            wait_for(lambda: Installation.load(state_dir), lambda found: bool(found and len(found.parts) >= 2))
            yield process, terminal
        finally:
            if process.poll() is None:
                process.kill()
            terminal.close()


@pytest.mark.parametrize("command", [("local", "up"), ("demo",)], ids=" ".join)
def test_ctrl_c_stops_what_has_been_started_and_says_so(command: tuple[str, ...], tmp_path: Path) -> None:
    with starting(tmp_path, *command) as (process, terminal):
        terminal.press_ctrl_c()
        shown = terminal.read_until_closed()
        process.wait(60)

    assert process.returncode == 130, shown
    assert "Stopped; nothing is running." in shown
    assert "Traceback" not in shown
    assert processes_of(tmp_path) == []
    assert Installation.load(tmp_path) is None


def test_a_second_up_is_refused_while_the_first_starts_and_down_ends_the_first(tmp_path: Path) -> None:
    with starting(tmp_path, "local", "up") as (process, terminal):
        second = run("local", "up", *options(tmp_path, free_ports()))
        down = run("local", "down", f"--state-dir={tmp_path}", seconds=120)
        shown = terminal.read_until_closed()
        process.wait(60)

    assert (second.returncode, second.stdout) == (1, "")
    assert f"cloud-agent local up (pid {process.pid}) is running on {tmp_path} already" in second.stderr
    assert (down.returncode, down.stdout, down.stderr) == (0, "Stopped cloud-agent local up.\n", "")
    assert process.returncode == 128 + signal.SIGTERM
    assert "Stopped; nothing is running." in shown
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("lose", ["", "{"], ids=["lost", "damaged"])
def test_down_finds_what_runs_without_a_record(lose: str, tmp_path: Path) -> None:
    with starting(tmp_path, "local", "up") as (process, _):
        process.kill()
        process.wait(10)
    record = tmp_path / "installation.json"
    record.write_text(lose) if lose else record.unlink()
    assert processes_of(tmp_path) != []

    down = run("local", "down", f"--state-dir={tmp_path}")

    assert down.returncode == 0, down.stderr
    assert down.stdout.startswith("Stopped what an earlier run had left: ")
    assert processes_of(tmp_path) == []
    assert run("local", "down", f"--state-dir={tmp_path}").stdout == "Nothing is running.\n"
