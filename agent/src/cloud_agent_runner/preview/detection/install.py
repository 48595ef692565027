"""What is installed before programs of a folder run, whatever they're written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def install_all(folder: Folder) -> str | None:
    """Return the command that gets all that a folder's files say is needed, to be run in that folder."""
    steps = []
    if folder.has("package.json"):
        steps.append(node_packages(folder.work_tree, str(folder.path)).install)
    if folder.has(*_PYTHON_FILES):
        steps.append(python_packages(folder.work_tree, str(folder.path)).install)
    steps += [command for name, command in _OTHERS.items() if folder.has(name)]
    # What changes the folder changes it for itself alone.
    return " && ".join(f"({step})" if step.startswith("cd ") else step for step in steps) or None
