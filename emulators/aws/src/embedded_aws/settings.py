"""The settings of the embedded AWS, and the environment ministack is configured by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embedded_aws.containers.environment import image_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HOST = "127.0.0.1"
REGION = "us-east-1"
# The name ministack's ECS asks its container client for, to learn the address containers reach it at.
OWN_CONTAINER_NAME = "embedded-aws"


@dataclass(frozen=True)
class EngineSettings:
    """The container engine that runs tasks.

    Attributes:
        program: The engine's command.
        network: The engine's network of which each task gets an address; all its containers have it as a label.
        network_image: An image with Python, which holds each task's network namespace.
        machine_ports: Ports of this machine's 127.0.0.1 that tasks reach at theirs, besides the embedded AWS's own.
    """

    program: str
    network: str
    network_image: str
    machine_ports: Sequence[int] = ()

    @property
    def label(self) -> str:
        """The label of all containers that are run."""
        return f"embedded-aws.network={self.network}"


@dataclass(frozen=True)
class EmbeddedAwsSettings:
    """One embedded AWS.

    Attributes:
        port: The one port of all APIs, on 127.0.0.1.
        state_dir: Holds the directories of live tasks, and what is kept from one run to the next.
        log_dir: Receives one `<family>-<task id>.log` for each task.
        layers_dir: Where Lambda layers are unpacked, by content; several servers may share it.
        keep_state: Begin with what stood in the account as the last run ended, if it ended gracefully; else empty.
        enforce_iam: Evaluate IAM policies for Lambda, task and state machine roles.
        images: The program and arguments that each container image starts with.
        engine: Runs tasks as containers of their images; without one they're local processes.
        lambda_slots: How many Lambda invocations run at once; more wait. A Python worker takes about 48 MiB.
        preload: Modules that Python workers find imported. Those that read variables of their function as they're
            imported don't belong here: they would read them before it is known.
    """

    port: int
    state_dir: Path
    log_dir: Path
    layers_dir: Path
    keep_state: bool = False
    enforce_iam: bool = False
    images: Mapping[str, Sequence[str]] = field(default_factory=dict)
    engine: EngineSettings | None = None
    lambda_slots: int = 8
    preload: Sequence[str] = ()

    @property
    def endpoint_url(self) -> str:
        """The URL every AWS client is pointed at."""
        return f"http://{HOST}:{self.port}"

    @property
    def sockets_dir(self) -> Path:
        """Where tasks in containers find the machine's ports."""
        return self.state_dir / "machine"

    @property
    def relayed_ports(self) -> list[int]:
        """The machine's ports that tasks in containers reach."""
        return [self.port, *(self.engine.machine_ports if self.engine else ())]

    def process_environment(self, host: Mapping[str, str]) -> dict[str, str]:
        """Return the whole environment of this process, which Lambda functions inherit.

        Nothing of `host` passes but what an image would have anyway, so that a variable missing from the
        template is missing here too.
        """
        temporary = self.state_dir / "tmp"
        kept = str(int(self.keep_state))
        return image_environment(host, home=temporary, temporary=temporary) | {
            "AUTH": str(self.enforce_iam).lower(),
            "BIND_HOST": HOST,
            "DOCKER_HOST": f"unix://{self.state_dir}/no-docker.sock",  # a real daemon is never touched
            "GATEWAY_PORT": str(self.port),
            "HOSTNAME": OWN_CONTAINER_NAME,
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_WARM_TTL_SECONDS": "120",
            "LOG_LEVEL": host.get("LOG_LEVEL", "INFO"),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": kept,
            "S3_DATA_DIR": str(self.state_dir / "s3"),
            "S3_PERSIST": kept,
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(self.state_dir / "ministack"),
        }
