"""Whatever a command leaves behind ends with it, and what runs as another user has nothing of the supervisor's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from cloud_agent_runner.workspace import reaper
from cloud_agent_runner.workspace.small_program import small_program

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = "65534:65534:1800"
CAPABILITIES = ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="adopting orphans is Linux's")
ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")


def _command(script: str, *, owner: str = "-", directory: str = "/") -> list[str]:
    return [*small_program(reaper), "test", owner, directory, "/bin/sh", "-c", script]


def _running(pids: Path) -> list[int]:
    return [int(line) for line in pids.read_text().split() if psutil.pid_exists(int(line))]


@LINUX
def test_what_a_command_leaves_behind_ends_with_it_however_it_was_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"""
        sleep 60 & echo $! >>{pids}
        setsid nohup sleep 60 >/dev/null 2>&1 & echo $! >>{pids}
        env -i setsid sh -c '(trap "" TERM HUP; echo $$ >>{pids}; while :; do sleep 1; done) & ' &
        python3 -c 'import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("{pids}", "a").write(f"{{os.getpid()}}\\n")
        os.execvpe("sleep", ["sleep", "60"], {{}})
    os._exit(0)'
        while [ $(wc -l <{pids}) -lt 4 ]; do sleep 0.02; done
        exit 7"""

    done = subprocess.run(_command(script), check=False, timeout=30)

    assert done.returncode == 7
    assert _running(pids) == []


@LINUX
def test_the_dead_of_a_command_are_buried_with_it_and_take_up_no_process_of_their_user() -> None:
    heir = """
import subprocess, sys
import psutil
from cloud_agent_runner.workspace.descendants import adopt_orphans
adopt_orphans()
subprocess.run(sys.argv[1:], check=True)
print(len(psutil.Process().children()))
"""
    command = _command("for i in $(seq 100); do sleep 60 & done")

    shown = subprocess.run(
        [sys.executable, "-c", heir, *command], check=True, capture_output=True, text=True, timeout=30
    )

    assert shown.stdout == "0\n"


@LINUX
def test_a_command_that_is_told_to_end_ends_with_all_it_has_started_though_it_does_not_listen(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f'trap "" TERM; setsid sleep 60 & echo $! >>{pids}; echo $$ >>{pids}; while :; do sleep 0.1; done'
    process = subprocess.Popen(_command(script))
    while not (pids.exists() and len(pids.read_text().split()) == 2):
        time.sleep(0.02)

    process.terminate()

    assert process.wait(20) == 128 + signal.SIGKILL
    assert _running(pids) == []


@LINUX
def test_the_end_of_whoever_started_it_is_the_commands_end_too(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = _command(f"echo $$ >>{pids}; exec sleep 60")
    starter = subprocess.Popen([sys.executable, "-c", f"import subprocess; subprocess.run({command!r})"])
    while not (pids.exists() and pids.read_text().endswith("\n")):
        time.sleep(0.02)

    starter.kill()
    starter.wait()

    deadline = time.monotonic() + 20
    while _running(pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _running(pids) == []


@LINUX
@ROOT
def test_a_fork_bomb_is_defused_and_nothing_of_its_user_is_left() -> None:
    fork_bomb = "ulimit -p 200; bomb() { bomb | bomb & }; bomb; sleep 60"
    process = subprocess.Popen(_command(fork_bomb, owner=NOBODY), stderr=subprocess.DEVNULL)
    time.sleep(1)

    process.terminate()

    process.wait(60)
    assert [each for each in psutil.process_iter(["uids"]) if each.info["uids"].real == 65534] == []


@LINUX
@ROOT
def test_the_end_of_a_fork_bomb_ends_no_other_command_of_its_user() -> None:
    other = subprocess.Popen(
        _command("read line; echo $line", owner=NOBODY), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    bomb = "import os, signal\nsignal.signal(15, signal.SIG_IGN)\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    owner = NOBODY.replace("1800", "60")  # Many enough to fork faster than they could be killed one by one.
    bombing = subprocess.Popen(_command(f'exec python3 -c "{bomb}"', owner=owner))
    time.sleep(0.5)

    bombing.send_signal(signal.SIGQUIT)

    assert bombing.wait(60) == 128 + signal.SIGKILL
    assert other.communicate(b"alive\n", timeout=20)[0] == b"alive\n"
    assert [each for each in psutil.process_iter(["uids"]) if each.info["uids"].real == 65534] == []


@LINUX
@ROOT
def test_who_has_used_up_its_own_number_of_processes_keeps_nobody_with_a_higher_one_from_starting_some() -> None:
    sleepers = "for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; "
    first = subprocess.Popen(
        _command(f"{sleepers} wait", owner=NOBODY.replace("1800", "6")), stderr=subprocess.PIPE, text=True
    )
    assert first.stderr
    assert "annot fork" in first.stderr.readline()

    second = subprocess.run(_command("true; (true)", owner=NOBODY), check=False, timeout=20)

    assert second.returncode == 0
    first.wait(20)


@LINUX
@ROOT
def test_another_user_has_no_capability_no_group_no_core_and_limits() -> None:
    fields_shown = "Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapAmb"
    script = f"grep -E '^({fields_shown})' /proc/self/status; ulimit -p; ulimit -c; ulimit -f; nice"

    command = ["setpriv", "--inh-caps=+kill,+setuid", *_command(script, owner=NOBODY)]
    done = subprocess.run(command, check=True, timeout=30, capture_output=True, text=True)

    fields = [line.split() for line in done.stdout.splitlines()]
    assert fields[:3] == [["Uid:", *["65534"] * 4], ["Gid:", *["65534"] * 4], ["Groups:"]]
    assert {name: int(value, 16) for name, value in fields[3:7]} == dict.fromkeys(CAPABILITIES, 0)
    assert fields[7:] == [["1800"], ["0"], [str(4 * 1024**3 // 512)], ["19"]]


@LINUX
@ROOT
def test_another_user_can_neither_signal_nor_look_into_the_reaper(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    script = "kill -9 $PPID || echo refused; cat /proc/$PPID/environ || echo hidden"

    done = subprocess.run(_command(script, owner=NOBODY), check=True, timeout=30, capture_output=True, text=True)

    assert done.stdout.split() == ["refused", "hidden"]


def test_a_program_that_is_not_there_is_named() -> None:
    command = [*small_program(reaper), "test", "-", "/", "no-such-program"]
    done = subprocess.run(command, check=False, timeout=30, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (127, "cannot start no-such-program: No such file or directory\n")


def test_the_output_ends_when_the_command_closes_it_and_the_input_reaches_it() -> None:
    done = subprocess.run(
        _command("cat; exec >&-; sleep 0.2"), input=b"text", check=True, timeout=30, capture_output=True
    )
    assert done.stdout == b"text"
