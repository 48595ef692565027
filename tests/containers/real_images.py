"""The whole system with tasks in containers of the real images, for tests and measurements."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.containers.private_network import pin_bridges, private_network
from tests.e2e.system import System
from tests.kit.ports import free_ports

from cloud_agent_cli.main import app
from cloud_agent_local import container_images, deployment
from cloud_agent_local.installation import Installation, Ports
from embedded_aws.containers.engine import Engine, find_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

# Half of the default: a test that fills a container's memory takes half as long, and half of the machine's.
_SMALLEST = {"AgentCpu": "1024", "AgentMemory": "4096"}
_SETTINGS = Path(__file__).with_name("containers.conf")


def usable_engine() -> Engine | None:
    """Return the engine, set up for a machine without systemd where this is one; None where there's none."""
    if os.getuid() == 0 and not Path("/run/systemd/system").exists():
        os.environ.setdefault("CONTAINERS_CONF", str(_SETTINGS))  # podman's; docker doesn't read it
    engine = find_engine()
    return None if engine is None or (engine.program == "podman" and os.getuid()) else engine


@contextmanager
def system_of_containers(engine: Engine, state_dir: Path, **parameters: str) -> Iterator[System]:
    """Have the system up; its sessions end and it goes down afterwards, whatever happens meanwhile."""
    with ExitStack() as stack:
        if engine.program == "podman":
            _build_everything(engine, state_dir)
            stack.enter_context(private_network())
        folder = f"--state-dir={state_dir}"
        stack.callback(_command, "down", folder)
        given = [f"--parameter={name}={value}" for name, value in (_SMALLEST | parameters).items()]
        _command("up", "--containers", folder, *(f"--{name}-port={port}" for name, port in free_ports()), *given)
        installation = Installation.load(state_dir)
        assert installation
        if engine.program == "podman":
            pin_bridges()  # the proxy's task has made it
        yield System(installation)


def _command(*arguments: str) -> None:
    """Run `cloud-agent local …`, in this process: the private network is this thread's."""
    app(["local", *arguments], standalone_mode=False)


def _build_everything(engine: Engine, state_dir: Path) -> None:
    """Build all that takes another network than the private one: bringing the system up then finds it built."""
    with (state_dir / "images.log").open("wb") as log:
        for unit in container_images.LOCAL_UNITS:
            container_images.build(engine, unit, log)
    installation = Installation(ports=Ports(), state_dir=state_dir)
    installation.save()
    deployment.build(installation, print)
