"""Local mode's processes, ports and record, each as far as it needs no running system."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from cloud_agent_cli import main as cli
from cloud_agent_local import run_lock
from cloud_agent_local.demo import free_ports
from cloud_agent_local.errors import InUseError, PortInUseError
from cloud_agent_local.installation import Installation, Ports, RunningPart
from cloud_agent_local.left_over import MARKER, left_over
from cloud_agent_local.parts import a_free_port, check_ports, is_running, start_time, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def part(process: subprocess.Popen[bytes], name: str = "load-balancer") -> RunningPart:
    return RunningPart(name=name, pid=process.pid, start_time=start_time(psutil.Process(process.pid)))


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that a test starts; killed and reaped after it."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr("sys.argv", ["cloud-agent", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def damaged(state_dir: Path, started: list[subprocess.Popen[bytes]]) -> Installation:
    """One of whose two parts has died."""
    started.extend(subprocess.Popen(SLEEP) for _ in range(2))
    parts = [part(started[0], "github"), part(started[1])]
    installation = Installation(ports=Ports(), state_dir=state_dir, parts=parts, repository="acme/lunch-board")
    installation.save()
    stop(parts[1])
    return installation


def test_a_process_that_its_parent_has_not_reaped_has_ended(started: list[subprocess.Popen[bytes]]) -> None:
    started.append(subprocess.Popen(SLEEP))
    running = part(started[0])
    assert is_running(running)

    begun = time.monotonic()
    stop(running)  # nobody waits for it: it stays a zombie

    assert time.monotonic() - begun < 5
    assert not is_running(running)


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere no boot time is added to what the kernel says")
def test_a_part_runs_on_when_the_clock_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    started.append(subprocess.Popen(SLEEP))
    running = part(started[0])
    before = psutil.Process(running.pid).create_time()
    # The kernel reckons the boot time from the clock: a file system that says what it does after the clock was set.
    (tmp_path / str(running.pid)).symlink_to(f"/proc/{running.pid}")
    lines = Path("/proc/stat").read_text().splitlines()
    set_forward = [f"btime {int(line.split()[1]) + 240}" if line.startswith("btime ") else line for line in lines]
    (tmp_path / "stat").write_text("\n".join(set_forward))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))

    assert psutil.Process(running.pid).create_time() - before == pytest.approx(240)
    assert is_running(running)
    assert not is_running(running.model_copy(update={"start_time": running.start_time - 1}))


def test_a_part_is_found_by_its_state_directory_alone(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    for state_dir in (tmp_path / "a", tmp_path / "ab"):
        environment = os.environ | {MARKER: str(state_dir)}
        started.append(subprocess.Popen(SLEEP, env=environment, start_new_session=True))

    assert [process.pid for process in left_over(tmp_path / "a")] == [started[0].pid]


def test_a_function_or_a_task_is_found_by_its_folder(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    folder = tmp_path / "aws" / "tmp"
    folder.mkdir(parents=True)
    started.append(subprocess.Popen(SLEEP, cwd=folder, start_new_session=True))
    started.append(subprocess.Popen(SLEEP, env=os.environ | {"HOME": str(folder)}, start_new_session=True))
    started.append(subprocess.Popen(SLEEP, cwd=tmp_path, start_new_session=True))

    assert {process.pid for process in left_over(tmp_path)} == {process.pid for process in started[:2]}


@pytest.mark.parametrize("record", ["", "{"], ids=["lost", "damaged"])
def test_down_ends_what_runs_without_a_record(
    record: str,
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "aws"
    folder.mkdir()
    started.append(subprocess.Popen(SLEEP, env=os.environ | {MARKER: str(tmp_path)}, start_new_session=True))
    started.append(subprocess.Popen(SLEEP, cwd=folder, start_new_session=True))
    if record:
        (tmp_path / "installation.json").write_text(record)

    for printed in ("Stopped what an earlier run had left: ", "Nothing is running.\n"):
        assert command(monkeypatch, "local", "down", "--state-dir", str(tmp_path)) == 0
        assert capsys.readouterr().out.startswith(printed)
        assert [process.poll() is None for process in started] == [False, False]


def test_a_port_that_is_given_twice_is_named_with_both_parts() -> None:
    with pytest.raises(PortInUseError, match="Port 26101 is given to both the embedded AWS and the proxy"):
        check_ports(Ports(aws=26101, github=26102, model=26103, proxy=26101))


def test_the_program_that_is_named_listens_where_local_mode_would() -> None:
    with socket.socket() as elsewhere, socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        here.listen()
        port = here.getsockname()[1]
        elsewhere.bind(("127.0.0.9", port))
        elsewhere.listen()
        with pytest.raises(PortInUseError, match=rf"pid {os.getpid()}, on 127\.0\.0\.1\)"):
            check_ports(Ports(aws=port, github=a_free_port(), model=a_free_port(), proxy=a_free_port()))


def test_the_demo_takes_a_free_port_where_a_default_is_in_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    defaults = Ports()
    monkeypatch.setattr("cloud_agent_local.demo.is_free", lambda port: port != defaults.proxy)

    chosen = free_ports({"aws": 26104})

    assert (chosen.aws, chosen.github, chosen.model) == (26104, defaults.github, defaults.model)
    assert chosen.proxy != defaults.proxy
    assert f"Port {defaults.proxy} is in use; {chosen.proxy} takes its place" in capsys.readouterr().out


def test_a_state_directory_is_held_by_one_command(tmp_path: Path) -> None:
    with (
        run_lock.held(tmp_path, "cloud-agent demo"),
        pytest.raises(InUseError, match=rf"cloud-agent demo \(pid {os.getpid()}\) is running on {tmp_path} already"),
        run_lock.held(tmp_path, "cloud-agent local up"),
    ):
        pass
    assert run_lock.end_holder(tmp_path) is None


@pytest.mark.parametrize("arguments", [("local", "up"), ("demo",)], ids=" ".join)
def test_a_state_directory_that_cannot_be_one_is_an_error_in_one_sentence(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert command(monkeypatch, *arguments, "--state-dir", str(tmp_path / "file")) == 1
    assert capsys.readouterr().err.endswith("can't be created: File exists. Say another with --state-dir.\n")


def test_a_port_that_is_none_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert command(monkeypatch, "local", "up", "--state-dir", str(tmp_path), "--proxy-port", "99999") == 2
    assert "Invalid value for '--proxy-port'" in capsys.readouterr().err


@pytest.mark.parametrize("record", ["{", '{"ports": 7}', "\x00"])
@pytest.mark.parametrize("arguments", [("local", "status"), ("local", "logs"), ("doctor",)], ids=" ".join)
def test_a_record_that_cannot_be_read_is_an_error_that_says_how_to_start_over(
    arguments: tuple[str, ...],
    record: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "installation.json").write_text(record)
    assert command(monkeypatch, *arguments, "--state-dir", str(tmp_path)) == 1
    assert "cloud-agent local down" in capsys.readouterr().err
    assert command(monkeypatch, "local", "down", "--state-dir", str(tmp_path)) == 0
    assert Installation.load(tmp_path) is None


def test_status_of_a_damaged_system_fails_and_says_what_to_do(
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    damaged(tmp_path, started)
    assert command(monkeypatch, "local", "status", "--state-dir", str(tmp_path)) == 1
    printed = capsys.readouterr()
    assert "✗ load-balancer" in printed.out
    assert "Not running: load-balancer. Start everything again with: cloud-agent local up" in printed.err


def test_the_doctor_never_turns_from_a_damaged_system_to_aws(
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    damaged(tmp_path, started)
    assert command(monkeypatch, "doctor", "--state-dir", str(tmp_path)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: The local system is damaged: load-balancer.")


def test_reset_deletes_what_earlier_runs_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kept in ("github", "aws", "logs", "logs.earlier"):
        (tmp_path / kept).mkdir()
    assert command(monkeypatch, "local", "reset", "--yes", "--state-dir", str(tmp_path)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_run_begins_with_logs_of_its_own(tmp_path: Path) -> None:
    installation = Installation(ports=Ports(), state_dir=tmp_path)
    for line in ("first", "second"):
        installation.keep_earlier_logs()
        installation.save()
        (installation.log_dir / "github.log").write_text(line)

    assert (installation.log_dir / "github.log").read_text() == "second"
    assert (tmp_path / "logs.earlier" / "github.log").read_text() == "first"


def test_a_terminal_without_unicode_is_shown_words() -> None:
    program = (
        "from cloud_agent_cli.terminal import console, print_in_any_encoding as start; start();"
        "console.print('✓ one … ✗ two ☃')"
    )
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    shown = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout == "ok one ... FAILED two ?\n"
