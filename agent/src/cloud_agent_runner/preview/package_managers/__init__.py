"""How a project's dependencies are installed and its programs run, by the package manager that it is made with.

`node_packages` and `python_packages` read a folder of the work tree and return shell commands, to be run in that folder
as the workspace's user. Programs are installed into `$HOME/.local` and `$HOME/.venv`, which are on that user's PATH: a
script that calls `pnpm` or `pytest` itself finds them.
"""

from __future__ import annotations

from cloud_agent_runner.preview.package_managers.node import NodePackages, node_packages
from cloud_agent_runner.preview.package_managers.python import PythonPackages, python_packages
from cloud_agent_runner.preview.package_managers.refusals import NPM_CI, installing_all_the_same

__all__ = ["NPM_CI", "NodePackages", "PythonPackages", "installing_all_the_same", "node_packages", "python_packages"]
