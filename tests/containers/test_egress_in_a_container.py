"""The egress proxy's image, run as its task definition says: it starts, and refuses what isn't on its list."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from cloud_agent_local import container_images
from embedded_aws.containers.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from embedded_aws.containers.engine import Engine

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]

ASK = r"""
exec 3<> /dev/tcp/127.0.0.1/3128
printf 'CONNECT other.example:443 HTTP/1.1\r\n\r\n' >&3
read -r -t 5 status <&3 && echo "$status"
"""


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """A container of the image, without a network, a capability or a writable root."""
    with (tmp_path / "image.log").open("wb") as log:
        container_images.build(engine, "egress", log)
    options = ("--detach", "--network=none", "--read-only", "--cap-drop=ALL", "--volume=/tmp")
    name = engine.run("run", *options, "--env=EGRESS_ALLOWED=listed.example", container_images.TAGS["egress"])
    yield name
    engine.run("rm", "--force", "--volumes", name)


def test_the_egress_proxy_serves_in_its_image(engine: Engine, container: str) -> None:
    status = _status(engine, container)

    assert re.match(r"HTTP/1.1 403 ", status), engine.run("logs", container)
    # No program is root's, and none has a capability.
    processes = engine.run("exec", container, "sh", "-c", "grep -hE '^(Uid|CapEff|CapPrm)' /proc/[0-9]*/status")
    assert set(processes.split("\n")) == {
        "Uid:\t10002\t10002\t10002\t10002", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000",
    }  # fmt: skip


def _status(engine: Engine, container: str) -> str:
    """The answer to a request for a name that isn't on the list, as soon as the proxy listens and responds."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return engine.run("exec", container, "bash", "-c", ASK)
        except EngineError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
