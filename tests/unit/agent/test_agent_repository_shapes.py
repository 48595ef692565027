"""Repositories by their shape: for each, all that is found out about how its dev server runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import NODE, OTHERS, PYTHON, Shape, lay_out

from cloud_agent_runner.preview.detection import DevServerNotConfiguredError, dev_server_plan
from cloud_agent_runner.preview.package_managers import python
from cloud_agent_runner.preview.preparation import preparation
from cloud_agent_runner.preview.services.needed import needed_services
from cloud_agent_runner.preview.toolchains import missing
from cloud_agent_runner.repository.config import RepositoryConfig

if TYPE_CHECKING:
    from pathlib import Path

SHAPES = [*NODE, *PYTHON, *OTHERS]


@pytest.fixture(autouse=True)
def _as_in_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "which", lambda name: f"/usr/local/bin/{name}")
    monkeypatch.setattr(missing, "installed_version", lambda name, *_: (24, 21, 0) if name == "node" else None)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_repository_of_this_shape_is_understood(tmp_path: Path, shape: Shape) -> None:
    lay_out(tmp_path, shape.files)
    services = tuple(wanted.name for wanted in needed_services(tmp_path))
    try:
        plan = dev_server_plan(tmp_path, RepositoryConfig())
    except DevServerNotConfiguredError:
        assert shape.dev is None
        return
    install = plan.install or ""
    toolchains = re.match(r"sh \S+/get_toolchains\.sh ([^&]+?)(?: &&|$)", install)
    steps = preparation(tmp_path, "\n".join(plan.commands)).steps
    found = Shape(
        shape.name,
        shape.files,
        plan.dev,
        tuple(part for part in shape.install if part in install),
        {process.name: process.port for process in plan.processes},
        plan.port,
        plan.reloads,
        tuple(step.command for step in steps),
        services,
        toolchains[1] if toolchains else "",
    )
    assert found == shape
    assert plan.why
    places = [install.index(part) for part in shape.install]
    assert places == sorted(places)


def test_there_are_shapes_of_every_kind() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) >= 60
