"""Images and networks for `--containers`, by a program in an engine's place that writes down how it was called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cloud_agent_local import container_images, task_engine
from cloud_agent_local.base_images import UNITS, BaseImage, base_images
from cloud_agent_local.errors import ImageBuildError, MissingToolError
from cloud_agent_local.installation import PROJECT
from cloud_agent_local.model_access import ModelAccess
from embedded_aws.containers.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

ENGINE = f"""#!{sys.executable}
import pathlib, sys
here, arguments = pathlib.Path(__file__).parent, sys.argv[1:]
with (here / "calls").open("a") as calls:
    print(*arguments, file=calls)
if arguments[0] == "build":
    if (here / "fails").exists():
        sys.exit("no space left on device")
    pathlib.Path(arguments[arguments.index("--iidfile") + 1]).write_text("sha256:0123")
elif arguments[:2] == ["image", "inspect"]:
    sys.exit("no such image" if "node" in arguments[2] else 0)
elif arguments[:2] == ["network", "inspect"]:
    print((here / "network").read_text())
"""
DOCKERS = '[{"Name": "n", "IPAM": {"Config": [{"Subnet": "172.20.0.0/16", "Gateway": "172.20.0.1"}]}}]'
PODMANS = '[{"name": "n", "subnets": [{"subnet": "10.89.1.0/24", "gateway": "10.89.1.1"}], "ipv6_enabled": false}]'


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    program = tmp_path / "engine"
    program.write_text(ENGINE)
    program.chmod(0o755)
    return Engine(str(program))


def _calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().splitlines()


def test_an_image_is_built_on_the_base_images_that_were_made_here(engine: Engine, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        assert container_images.build(engine, "agent", log, "linux/arm64") == "sha256:0123"

    build = _calls(tmp_path)[-1]
    assert "--platform linux/arm64" in build
    assert "--build-arg PYTHON_IMAGE=localhost/claude-cloud-agent-base/python:" in build
    assert "NODE_IMAGE" not in build  # there's no such image here: the engine pulls the Dockerfile's own
    assert build.endswith(str(PROJECT / "agent"))


def test_why_an_image_was_not_built_stands_in_its_log(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "fails").touch()

    with (tmp_path / "log").open("wb") as log, pytest.raises(ImageBuildError, match="agent/Dockerfile"):
        container_images.build(engine, "agent", log)

    assert "no space left on device" in (tmp_path / "log").read_text()


def test_every_dockerfile_has_its_image_and_its_base_images() -> None:
    units = {dockerfile.parent.name for dockerfile in PROJECT.glob("*/Dockerfile")}
    images = {image.argument for unit in UNITS for image in base_images(PROJECT / unit / "Dockerfile")}
    pinned = BaseImage("PYTHON_IMAGE", "python:3.13-slim-trixie@sha256:abc")

    assert set(UNITS) == set(container_images.TAGS) == units
    assert images == {"PYTHON_IMAGE", "NODE_IMAGE", "DEBIAN_IMAGE"}
    assert pinned.stand_in == "localhost/claude-cloud-agent-base/python:3.13-slim-trixie"


@pytest.mark.parametrize(("described", "subnet"), [(DOCKERS, "172.20.0.0/16"), (PODMANS, "10.89.1.0/24")])
def test_an_installation_has_a_network_of_its_own(engine: Engine, tmp_path: Path, described: str, subnet: str) -> None:
    (tmp_path / "network").write_text(described)

    here = task_engine.create_network(engine, tmp_path)

    assert here.subnet == subnet
    assert task_engine.create_network(engine, tmp_path).network == here.network
    assert task_engine.create_network(engine, tmp_path / "other").network != here.network
    assert f"network create {here.network}" in _calls(tmp_path)


def test_a_machine_without_an_engine_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(MissingToolError, match="needs Docker or Podman"):
        task_engine.choose()


def test_tasks_reach_the_models_port_if_it_is_on_this_machine() -> None:
    def ports(url: str) -> list[int]:
        return ModelAccess(url, "model", scripted=False, api_key="key").local_ports

    assert ports("http://127.0.0.1:4590") == ports("http://localhost:4590") == [4590]
    assert ports("https://api.anthropic.com") == ports("http://10.0.0.1:4590") == []
