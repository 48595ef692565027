from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kit.cgroups import GIB, MIB, cgroup_v1, cgroup_v2, machine
from tests.kit.http_server import Response, serve_http

from cloud_agent_runner.workspace.container_memory import ContainerMemory, Memory, task_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CGROUPS = pytest.mark.parametrize("cgroup", [cgroup_v1, cgroup_v2])


@CGROUPS
def test_files_that_nobody_has_used_lately_do_not_count_as_used(tmp_path: Path, cgroup: Callable[..., Path]) -> None:
    folder = cgroup(tmp_path / "cgroup", limit=4 * GIB, used=3 * GIB, inactive_file=GIB)

    memory = ContainerMemory(None, cgroup=folder, proc=machine(tmp_path / "proc")).read()

    assert memory == Memory(4 * GIB, left=2 * GIB)


@CGROUPS
def test_the_tasks_limit_counts_where_the_container_has_none(tmp_path: Path, cgroup: Callable[..., Path]) -> None:
    folder = cgroup(tmp_path / "cgroup", limit=None, used=3 * GIB)

    memory = ContainerMemory(4 * GIB, cgroup=folder, proc=machine(tmp_path / "proc")).read()

    assert memory == Memory(4 * GIB, left=GIB)


@pytest.mark.parametrize(("total", "left"), [(5 * GIB, 300 * MIB), (64 * GIB, 3 * GIB)], ids=["own", "shared"])
def test_what_the_machine_has_left_counts_where_it_is_the_tasks_own(tmp_path: Path, total: int, left: int) -> None:
    folder = cgroup_v2(tmp_path / "cgroup", limit=4 * GIB, used=GIB)

    memory = ContainerMemory(None, cgroup=folder, proc=machine(tmp_path / "proc", total, available=300 * MIB)).read()

    assert memory == Memory(4 * GIB, left)


def test_without_a_cgroup_the_machine_says_what_is_left(tmp_path: Path) -> None:
    proc = machine(tmp_path / "proc", 4 * GIB, available=GIB)

    memory = ContainerMemory(None, cgroup=tmp_path, proc=proc)

    assert (memory.read(), memory.kills()) == (Memory(4 * GIB, GIB), 0)


@CGROUPS
def test_processes_that_the_kernel_killed_are_counted(tmp_path: Path, cgroup: Callable[..., Path]) -> None:
    folder = cgroup(tmp_path / "cgroup", limit=4 * GIB, used=GIB, kills=3)

    assert ContainerMemory(None, cgroup=folder, proc=machine(tmp_path / "proc")).kills() == 3


@pytest.mark.parametrize(("limit", "least"), [(2 * GIB, 150 * MIB), (16 * GIB, 16 * GIB // 20)])
def test_memory_is_low_with_less_than_5_percent_or_150_mb_left(limit: int, least: int) -> None:
    assert [Memory(limit, left).is_low for left in (least - 1, least)] == [True, False]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response.of({"Limits": {"CPU": 2, "Memory": 8192}}), 8 * GIB),
        (Response.of({"Family": "agents"}), None),
        (Response.of({}, 500), None),
    ],
    ids=["a limit", "no limit", "a fault"],
)
async def test_the_tasks_limit_is_what_the_platform_says(response: Response, expected: int | None) -> None:
    with serve_http(response) as metadata:
        assert await task_memory(f"{metadata.url}/v4/id") == expected
        assert [request.path for request in metadata.requests] == ["/v4/id/task"]
    assert await task_memory(None) is None
