"""A whole system whose tasks are containers of the real images; `make test-containers` runs what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.containers.real_images import system_of_containers, usable_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.system import System

    from embedded_aws.containers.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine that there is."""
    engine = usable_engine()
    if engine is None:
        pytest.skip("neither Docker nor, as root, Podman answers on this machine")
    return engine


@pytest.fixture(scope="session")
def system(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system, up; its sessions end and it goes down afterwards, whatever a test does."""
    with system_of_containers(engine, tmp_path_factory.mktemp("containers")) as system:
        yield system
