"""What is installed before the programs of a folder run, whatever they're written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import workspaces
from cloud_agent_runner.preview.package_managers import node_packages, python_packages

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder

_PYTHON_FILES = ("requirements.txt", "pyproject.toml", "setup.py", "Pipfile", "requirements/base.txt",
                 "requirements/dev.txt", "requirements-dev.txt")  # fmt: skip
# A file that says what is needed -> the command that gets it.
_OTHERS = {
    "Gemfile": "bundle install",
    "composer.json": "composer install --no-interaction",
    "go.mod": "go mod download",
    "mix.exs": "mix local.hex --force && mix local.rebar --force && mix deps.get",
}


def everything(folder: Folder) -> tuple[str, ...]:
    """Return the commands that get all that a folder's files say is needed."""
    steps = [node(folder)] if folder.has("package.json") else []
    if folder.has(*_PYTHON_FILES):
        steps.append(folder.command(python_packages(folder.work_tree, str(folder.path)).install))
    return (*steps, *(folder.command(command) for name, command in _OTHERS.items() if folder.has(name)))


def node(folder: Folder) -> str:
    """Return the command that installs a project of Node.js; a monorepo's packages are installed all at once."""
    root = workspaces.root_of(folder)
    return root.command(node_packages(root.work_tree, str(root.path)).install)
