"""The namespace of a task, as the engine makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from embedded_aws.containers.engine import Engine, EngineError
from embedded_aws.containers.task_networks import TaskNetworks

if TYPE_CHECKING:
    from pathlib import Path


def networks(folder: Path, run: str) -> TaskNetworks:
    """Networks of an engine whose `run` is this shell script."""
    program = folder / "podman"
    program.write_text(f"#!/bin/sh\n[ $1 = run ] || exec echo 192.0.2.7\n{run}\n")
    program.chmod(0o755)
    return TaskNetworks(Engine(str(program)), network="tasks", label="a=b", image="i", sockets=folder, ports=[4566])


def test_what_the_engine_warns_of_before_a_network_is_ready_is_no_failure(tmp_path: Path) -> None:
    made = networks(tmp_path, "echo failed to connect to syslog >&2; echo ready; cat")
    assert made.of("arn:aws:ecs:task") == "192.0.2.7"
    made.release("arn:aws:ecs:task")


def test_a_network_that_is_not_made_is_a_failure_in_the_engines_words(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="made no network for a task: no such image"):
        networks(tmp_path, "echo warning; echo no such image; exit 1").of("arn:aws:ecs:task")
