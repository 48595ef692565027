"""Each wall is taken down in turn, and exactly the attacks that it stands against get through: `make walls`.

The red team's tests are called as they are, against a session in an image without the wall.
"""

from __future__ import annotations

import inspect
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.containers.red_team import test_red_team as red_team
from tests.containers.red_team.attacked import Attacked, attacked_session
from tests.containers.walls.walls import WALLS, Wall

from cloud_agent_local import images
from cloud_agent_local.installation import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.system import System

    from embedded_aws.containers.engine import Engine

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

PARAMETERS = {
    "test_an_attempt_is_refused": red_team.ATTEMPTED,
    "test_a_trap_catches_nobody_but_the_workspaces_user": red_team.ARMED,
    "test_a_file_that_claude_code_protects_is_edited_when_asked_for": list(red_team.PROTECTED),
}


@pytest.mark.parametrize("name", WALLS)
def test_without_a_wall_what_it_stands_against_gets_through_and_nothing_else(
    system: System, engine: Engine, tmp_path: Path, name: str
) -> None:
    repository = f"wall-{list(WALLS).index(name)}"  # not its name: attacks look for words such as "token"

    with image_without(WALLS[name], engine, tmp_path), attacked_session(system, engine, repository) as attacked:
        assert red(attacked) == WALLS[name].red


@contextmanager
def image_without(wall: Wall, engine: Engine, folder: Path) -> Iterator[None]:
    """Have the agent's image lack the wall meanwhile."""
    whole = engine.run("image", "inspect", "--format", "{{.Id}}", images.AGENT)
    engine.run("tag", whole, "claude-cloud-agent/agent:whole")
    (folder / "Dockerfile").write_text("FROM claude-cloud-agent/agent:whole\n" + _instruction(wall, folder))
    engine.run("build", "--tag", images.AGENT, str(folder))
    try:
        yield
    finally:
        engine.run("tag", whole, images.AGENT)


def _instruction(wall: Wall, folder: Path) -> str:
    """Return what takes the wall down in a Dockerfile of `folder`."""
    agent = PROJECT / "agent"
    if wall.file == "ENTRYPOINT":
        lines = (agent / "Dockerfile").read_text().splitlines()
        (entry_point,) = (line for line in lines if line.startswith("ENTRYPOINT"))
        return _without(wall, entry_point)
    text = _without(wall, (agent / "src" / "cloud_agent_runner" / wall.file).read_text())
    (folder / "file.py").write_text(text)
    return f"COPY --chmod=644 file.py /opt/cloud-agent/cloud_agent_runner/{wall.file}\n"


def _without(wall: Wall, text: str) -> str:
    assert text.count(wall.stands) == 1, f"it isn't there, or more than once: {wall.stands}"
    return text.replace(wall.stands, wall.without)


def red(attacked: Attacked) -> set[str]:
    """Return the ids of the red team's tests that fail."""
    failed = set()
    for name, test in inspect.getmembers(red_team, inspect.isfunction):
        if name.startswith("test_"):
            for arguments in PARAMETERS.get(name, [None]):
                if not _passes(test, attacked, arguments):
                    failed.add(f"{name}[{arguments}]" if arguments else name)
    return failed


def _passes(test: Callable[..., None], attacked: Attacked, argument: str | None) -> bool:
    try:
        test(attacked, *([argument] if argument else []))
    except (AssertionError, LookupError, subprocess.CalledProcessError):
        return False
    return True
