"""Images and networks for `--containers`, by a program in an engine's place that writes down how it was called."""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest
from tests.kit.ports import free_ports

from cloud_agent_cli import main as cli
from cloud_agent_local import container_images, task_engine
from cloud_agent_local import up as lifecycle
from cloud_agent_local.base_images import UNITS, BaseImage, base_images
from cloud_agent_local.commands import PROCESSES_NOTE
from cloud_agent_local.errors import ImageBuildError, MissingToolError
from cloud_agent_local.installation import PROJECT, Installation, Ports
from cloud_agent_local.model_access import ModelAccess
from embedded_aws.containers.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

ENGINE = f"""#!{sys.executable}
import os, pathlib, sys
here, arguments = pathlib.Path(__file__).parent, sys.argv[1:]
with (here / "calls").open("a") as calls:
    print(*arguments, file=calls)
if arguments[0] == "build":
    if (here / "fails").exists():
        sys.exit("no space left on device")
    pathlib.Path(arguments[arguments.index("--iidfile") + 1]).write_text("sha256:0123")
elif arguments[:2] in (["image", "inspect"], ["inspect", "--type=image"]):
    sys.exit("no such image" if "node" in arguments[2] else 0)
elif arguments[0] in ("create", "from"):
    print("working-container")
elif arguments[0] == "export":
    sys.stdout.buffer.write((here / "image.tar").read_bytes())
elif arguments[0] == "unshare":
    os.execvp(arguments[1], arguments[1:])
elif arguments[0] == "mount":
    print(here / "mounted")
elif arguments[:2] == ["network", "inspect"]:
    print((here / "network").read_text())
"""
DOCKERS = '[{"Name": "n", "IPAM": {"Config": [{"Subnet": "172.20.0.0/16", "Gateway": "172.20.0.1"}]}}]'
PODMANS = '[{"name": "n", "subnets": [{"subnet": "10.89.1.0/24", "gateway": "10.89.1.1"}], "ipv6_enabled": false}]'


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return _engine(tmp_path, "engine")


def _engine(tmp_path: Path, name: str) -> Engine:
    program = tmp_path / name
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


def test_arguments_of_the_environment_reach_the_dockerfile_that_has_them(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_BUILD_ARGS", "SERVICES= BROWSER=chromium")

    with (tmp_path / "log").open("wb") as log:
        for unit in ("agent", "proxy"):
            container_images.build(engine, unit, log)

    agent, proxy = (call for call in _calls(tmp_path) if call.startswith("build "))
    assert "--build-arg SERVICES= --build-arg BROWSER=chromium" in agent
    assert "SERVICES" not in proxy


@pytest.mark.parametrize("given", ["SERVICES", "SERVICE=", "COMPILERS= gcc"])
def test_an_argument_that_no_dockerfile_has_is_refused(given: str) -> None:
    with pytest.raises(ImageBuildError, match="isn't NAME=value of a Dockerfile's argument"):
        container_images.build_arguments({"IMAGE_BUILD_ARGS": given})


READS = {
    ("docker", 1000): "export working-container",
    ("podman", 0): "export working-container",
    ("buildah", 0): "mount working-container",
    ("buildah", 1000): "unshare sh -c",
}


@pytest.mark.parametrize("engine_of", READS)
def test_all_images_are_built_by_the_engine_that_there_is_and_say_what_is_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], engine_of: tuple[str, int]
) -> None:
    program, uid = engine_of
    _engine(tmp_path, program)
    status = tmp_path / "mounted" / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text("Package: libc6\nStatus: install ok installed\nVersion: 2.41\nArchitecture: amd64\n")
    with tarfile.open(tmp_path / "image.tar", "w") as image:
        image.add(status, "var/lib/dpkg/status")
    (tmp_path / "bin").mkdir()
    for name in ("sh", "tar", "env"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", f"{tmp_path}:{tmp_path / 'bin'}")
    monkeypatch.setattr("os.getuid", lambda: uid)

    assert container_images.main(["--platform", "linux/arm64", "--contents", str(tmp_path / "contents")]) == 0

    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == [
        "claude-cloud-agent/agent:local", "linux/arm64", "sha256:0123", str(tmp_path / "contents/agent.cdx.json"),
    ]  # fmt: skip
    assert [line.split()[0] for line in lines] == list(container_images.TAGS.values())
    written = json.loads((tmp_path / "contents/proxy.cdx.json").read_text())
    assert [one["purl"] for one in written["components"]] == ["pkg:deb/debian/libc6@2.41?arch=amd64"]
    calls = _calls(tmp_path)
    assert sum(call.startswith(READS[engine_of]) for call in calls) == len(lines)
    assert all("--platform linux/arm64" in call for call in calls if call.startswith("build "))
    assert len([call for call in calls if call.startswith("rm ")]) == len(lines)


def test_images_are_not_built_without_an_engine_or_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert container_images.main([]) == 1
    assert capfd.readouterr().err == "No container engine answers: docker, podman, finch or buildah.\n"

    _engine(tmp_path, "podman")
    (tmp_path / "fails").touch()
    assert container_images.main([]) == 1
    assert capfd.readouterr().err.endswith("podman can't build the image of agent/Dockerfile.\n")


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


@pytest.mark.parametrize(("program", "uid"), [("podman", 1000), ("docker", 1000), ("podman", 0)])
def test_an_engine_whose_networks_this_machine_does_not_reach_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, uid: int
) -> None:
    _engine(tmp_path, program)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.getuid", lambda: uid)
    monkeypatch.setattr("sys.platform", "linux")
    if (program, uid) == ("podman", 1000):
        with pytest.raises(MissingToolError, match="Podman as root"):
            task_engine.choose()
    else:
        assert task_engine.choose().program == program


@pytest.mark.parametrize("command", [("local", "up"), ("demo",)])
def test_a_command_with_containers_starts_nothing_where_there_is_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(task_engine, "find_engine", lambda: None)
    ports = free_ports()
    options = [f"--{name}-port={getattr(ports, name)}" for name in ("aws", "github", "model", "proxy")]
    monkeypatch.setattr("sys.argv", ["cloud-agent", *command, "--containers", "--state-dir", str(tmp_path), *options])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "--containers needs Docker or Podman, and neither answers on this machine." in said
    assert Installation.load(tmp_path) is None


def test_up_hands_the_option_on_and_without_it_says_what_processes_may_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bool] = []

    def up(state_dir: Path, ports: Ports, _parameters: dict[str, str], *, containers: bool) -> Installation:
        asked.append(containers)
        engine = task_engine.TaskEngine(program="podman", network="n", subnet="10.0.0.0/24") if containers else None
        return Installation(ports=ports, state_dir=state_dir, engine=engine)

    monkeypatch.setattr(lifecycle, "up", up)
    for options in ([], ["--containers"]):
        monkeypatch.setattr("sys.argv", ["cloud-agent", "local", "up", "--state-dir", str(tmp_path), *options])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
        said = " ".join(capsys.readouterr().out.split())
        assert (PROCESSES_NOTE in said) is not bool(options)
    assert asked == [False, True]


def test_tasks_reach_the_models_port_if_it_is_on_this_machine() -> None:
    def ports(url: str) -> list[int]:
        return ModelAccess(url, "model", scripted=False, api_key="key").local_ports

    assert ports("http://127.0.0.1:4590") == ports("http://localhost:4590") == [4590]
    assert ports("https://api.anthropic.com") == ports("http://10.0.0.1:4590") == []
