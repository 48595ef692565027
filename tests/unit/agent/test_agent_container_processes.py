"""Whoever counts what runs in the container asks its cgroup, and else the machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloud_agent_runner.workspace import container_processes
from cloud_agent_runner.workspace.container_processes import running_processes

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(not Path("/proc/loadavg").exists(), reason="Linux's own")


@pytest.mark.parametrize("version", [0, 1])
def test_a_cgroup_of_either_version_counts_the_containers(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cgroups = [tmp_path / "2", tmp_path / "1"]
    cgroups[version].write_text("1234\n")
    _look_at(cgroups, monkeypatch)

    assert running_processes() == 1234


def test_without_one_the_machines_processes_and_threads_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _look_at([tmp_path / "none"], monkeypatch)

    assert running_processes() > len([each for each in Path("/proc").iterdir() if each.name.isdigit()]) / 2


def _look_at(cgroups: Sequence[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_processes, "_CGROUPS", cgroups)
