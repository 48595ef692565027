"""What a container engine is called with, by a program in its place that writes down how it was called."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from embedded_aws.containers.container import ContainerRequest
from embedded_aws.containers.engine import Engine, find_engine
from embedded_aws.containers.engine_container import EngineRunner
from embedded_aws.containers.run_options import run_options
from embedded_aws.images import ImageNotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_aws.containers.task_networks import TaskNetworks

TASK = {"cpu": "256", "memory": "512"}
DEFINITION = {
    "user": "10001",
    "readonlyRootFilesystem": True,
    "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"], "add": ["KILL"]}},
    "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
    "mountPoints": [{"sourceVolume": "home", "containerPath": "/home/agent"}],
}
ENGINE = f"""#!{sys.executable}
import json, os, pathlib, sys
if "missing" in sys.argv:
    sys.exit("Error: no such image")
if sys.argv[1] == "run":
    record = {{"arguments": sys.argv[1:], "token": os.environ.get("TOKEN")}}
    pathlib.Path(__file__).with_name("call.json").write_text(json.dumps(record))
    print("from the container")
    sys.exit(7)
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    program = tmp_path / "podman"
    program.write_text(ENGINE)
    program.chmod(0o755)
    return Engine(str(program))


def _request(tmp_path: Path, image: str = "acme/shop:1") -> ContainerRequest:
    return ContainerRequest(
        id="shop-1",
        image=image,
        entry_point=["/bin/shop", "--serve"],
        command=["--fast"],
        environment={"TOKEN": "s3cret-value"},
        address="10.0.0.2",
        log=tmp_path / "logs" / "shop.log",
        stop_timeout_seconds=30,
        labels={"com.amazonaws.ecs.container-name": "shop"},
        task_arn="arn:task/1",
        name="shop",
        definition=DEFINITION,
        task_definition=TASK,
    )


def _runner(engine: Engine) -> EngineRunner:
    networks = cast("TaskNetworks", SimpleNamespace(holder_of=lambda _task_arn: "holder-of-the-network"))
    return EngineRunner(engine, networks, "acme.system=1")


def test_a_task_definition_limits_a_container_as_fargate_does() -> None:
    assert run_options(DEFINITION, TASK) == [
        "--cpus=0.25",
        "--memory=512m",
        "--user=10001",
        "--read-only",
        "--init",
        "--cap-drop=ALL",
        "--cap-add=KILL",
        "--ulimit=nofile=1024:4096",
        "--volume=/home/agent",
    ]
    assert run_options({"cpu": 128, "memory": 64}, TASK) == ["--cpus=0.125", "--memory=64m"]
    assert run_options({}, {}) == []


def test_a_container_joins_its_tasks_network_and_gets_no_value_as_an_argument(engine: Engine, tmp_path: Path) -> None:
    container = _runner(engine).start(_request(tmp_path))

    assert container.wait() == {"StatusCode": 7}
    assert (tmp_path / "logs" / "shop.log").read_text() == "from the container\n"
    call: dict[str, Any] = json.loads((tmp_path / "call.json").read_text())
    assert call["token"] == "s3cret-value"
    assert "s3cret-value" not in " ".join(call["arguments"])
    assert call["arguments"][-5:] == ["--entrypoint", "/bin/shop", "acme/shop:1", "--serve", "--fast"]
    assert "container:holder-of-the-network" in call["arguments"]
    assert {"--env=TOKEN", "--label=com.amazonaws.ecs.container-name=shop"} <= set(call["arguments"])
    assert {*run_options(DEFINITION, TASK), "--read-only-tmpfs=false"} <= set(call["arguments"])


def test_an_image_that_the_engine_does_not_have_is_not_found(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(ImageNotFoundError, match="failed to resolve ref missing"):
        _runner(engine).start(_request(tmp_path, "missing"))


def test_an_engine_counts_only_if_it_answers(engine: Engine, tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexit 1\n")
    silent.chmod(0o755)

    assert find_engine((str(silent), "no-such-engine")) is None
    assert find_engine((str(silent), engine.program)) == engine
