from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from pathlib import Path

# Starts a process that no signal to the group reaches, and does as the test says; noted, it is ready to be ended.
PARENT = """
import pathlib, signal, subprocess, sys, time
orphan = subprocess.Popen(["sleep", "300"], start_new_session=True)
def note():
    part = pathlib.Path(sys.argv[1] + ".part")
    part.write_text(str(orphan.pid))
    part.rename(sys.argv[1])
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are found again on Linux alone")


def start(note: Path, program: str) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    """The contained command, in a process group of its own, and the process that it started."""
    command = [sys.executable, "-m", "tests.tools.contained", sys.executable, "-c", PARENT + program, str(note)]
    contained = subprocess.Popen(command, process_group=0)
    return contained, psutil.Process(int(eventually(lambda: note.read_text() if note.exists() else None)))


def test_the_status_is_the_commands_and_what_it_left_is_ended(tmp_path: Path) -> None:
    contained, left = start(tmp_path / "note", "note(); time.sleep(1); sys.exit(7)")
    assert contained.wait(30) == 7
    assert not left.is_running()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_command_cleans_up_before_the_rest_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    program = """
try:
    note()
    time.sleep(300)
except KeyboardInterrupt:
    pathlib.Path(sys.argv[1]).with_name("cleaned").touch()
    sys.exit(2)
"""
    contained, left = start(tmp_path / "note", program)
    if number == signal.SIGINT:
        os.killpg(contained.pid, number)  # as a terminal does
    else:
        contained.send_signal(number)
    assert contained.wait(30) == 2
    assert (tmp_path / "cleaned").exists()
    assert not left.is_running()


def test_a_second_interrupt_ends_a_command_that_does_not_end(tmp_path: Path) -> None:
    contained, left = start(tmp_path / "note", "signal.signal(signal.SIGINT, signal.SIG_IGN); note(); time.sleep(300)")
    contained.send_signal(signal.SIGINT)
    contained.send_signal(signal.SIGTERM)
    assert contained.wait(30) == 128 + signal.SIGINT
    assert not left.is_running()
