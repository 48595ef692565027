"""One world of each load balancer mode for the folder; each test finds it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.infrastructure.deployment import upload
from tests.infrastructure.world import Mode, World, build, tear_down

from embedded_aws.testing import EmbeddedAws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def _worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Mode], World]]:
    worlds: dict[Mode, World] = {}

    def of(mode: Mode) -> World:
        if mode not in worlds:
            worlds[mode] = build(mode, tmp_path_factory.mktemp(mode))
        return worlds[mode]

    yield of
    for world in worlds.values():
        tear_down(world)


@pytest.fixture(params=Mode, scope="session")
def _shared_world(request: pytest.FixtureRequest, _worlds: Callable[[Mode], World]) -> World:
    return _worlds(request.param)


@pytest.fixture
def world(_shared_world: World) -> Iterator[World]:
    """A healthy world, of either mode; whatever a test breaks is brought back after it."""
    yield _shared_world
    _shared_world.bring_back()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """An embedded AWS with nothing in it, for stacks without a system."""
    with EmbeddedAws(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(scope="module")
def template_url(aws: EmbeddedAws) -> str:
    """Where it has template.yaml, expanded."""
    return upload(aws)
