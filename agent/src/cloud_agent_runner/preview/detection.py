"""Detects how a repository's dev server runs, where the repository's settings don't define it."""

from __future__ import annotations

import glob
import re
import shlex
import tomllib
from dataclasses import replace
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.errors import PreviewError
from cloud_agent_runner.preview.package_managers import node_packages, python_packages
from cloud_agent_runner.preview.plan import DevServerPlan
from cloud_agent_runner.preview.toolchains import toolchain_setup
from cloud_agent_runner.repository.config import CONFIG_PATH, RepositoryConfig
from cloud_agent_runner.repository.config_file import EXAMPLE
from cloud_agent_runner.repository.file import has_repository_file, read_repository_object, read_repository_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOST_AND_PORT = {
    "vite": '--host "$HOST" --port "$PORT" --strictPort',
    "next": '--hostname "$HOST" --port "$PORT"',
    "nuxt": '--host "$HOST" --port "$PORT"',
    "nuxi": '--host "$HOST" --port "$PORT"',
    "astro": '--host "$HOST" --port "$PORT"',
    "ng": '--host "$HOST" --port "$PORT"',
}
_APPLICATION_FILES = ("main.py", "app.py", "wsgi.py", "asgi.py", "server.py", "api.py", "*/main.py", "*/app.py",
                      "*/__init__.py", "src/*/main.py", "src/*/app.py", "src/*/__init__.py")  # fmt: skip
_APPLICATION_FILES_LIMIT = 200


class DevServerNotConfiguredError(PreviewError):
    """The repository neither defines a dev server nor has one that is recognized."""


def dev_server_plan(work_tree: Path, config: RepositoryConfig) -> DevServerPlan:
    """Return how to run the dev server: as the repository's settings define it, else as its files suggest.

    Raises:
        DevServerNotConfiguredError: it is neither defined nor recognized.
    """
    plan = DevServerPlan(dev=config.dev) if config.dev else _node(work_tree) or _python(work_tree)
    if plan is None:
        raise DevServerNotConfiguredError(
            "No package.json with a `dev` script and no Django, FastAPI, Flask or Streamlit app was found. "
            f"Add {CONFIG_PATH}, for example:\n{EXAMPLE}"
        )
    install = config.install or plan.install
    toolchains = toolchain_setup(work_tree, (install, plan.dev))
    return replace(
        plan,
        install=f"{toolchains} && {install}" if toolchains and install else toolchains or install,
        port=config.port or plan.port,
        health_path=config.health_path or plan.health_path,
    )


def _node(work_tree: Path) -> DevServerPlan | None:
    try:
        scripts = read_repository_object(work_tree, "package.json")["scripts"]
        name = next(name for name in ("dev", "start") if name in scripts)
        script = str(scripts[name])
    except (KeyError, TypeError, StopIteration):
        return None
    tools = set(re.findall(r"[\w.-]+", script))
    flags = next((flags for tool, flags in _HOST_AND_PORT.items() if tool in tools), "")
    packages = node_packages(work_tree)
    return DevServerPlan(install=packages.install, dev=packages.run(name, flags))


def _python(work_tree: Path) -> DevServerPlan | None:
    dependencies = _python_dependencies(work_tree)
    dev = _python_command(work_tree, dependencies)
    if dev is None:
        return None
    packages = python_packages(work_tree, otherwise=dependencies)
    return DevServerPlan(install=packages.install, dev=packages.run(dev))


def _python_command(work_tree: Path, dependencies: set[str]) -> str | None:
    if has_repository_file(work_tree, "manage.py"):
        # Run as a file, yet by the same interpreter: `-m manage` finds it in the current directory.
        dependencies.add("django")
        return 'manage runserver "$HOST:$PORT"'
    if "streamlit" in dependencies and (script := _application(work_tree, r"import streamlit")):
        options = '--server.address "$HOST" --server.port "$PORT" --server.headless true'
        return f"streamlit run {shlex.quote(str(script[0]))} {options}"
    if dependencies & {"fastapi", "uvicorn", "starlette"} and (
        app := _application(work_tree, r"^(\w+)\s*(?::\s*\w+\s*)?=\s*(?:FastAPI|Starlette)\(")
    ):
        return f'uvicorn {_module(app[0])}:{app[1]} --reload --host "$HOST" --port "$PORT"'
    if "flask" in dependencies and (
        app := _application(work_tree, r"^(\w+)\s*(?::\s*\w+\s*)?=\s*Flask\(|^def (create_app|make_app)\(")
    ):
        return f'flask --app {_module(app[0])} run --debug --host "$HOST" --port "$PORT"'
    return None


def _python_dependencies(work_tree: Path) -> set[str]:
    """Return the distribution names the repository asks for, normalised as packaging does."""
    wanted = read_repository_text(work_tree, "requirements.txt").splitlines()
    try:
        project = tomllib.loads(read_repository_text(work_tree, "pyproject.toml"))
        wanted += project.get("project", {}).get("dependencies", [])
        wanted += project.get("tool", {}).get("poetry", {}).get("dependencies", {})
    except (ValueError, AttributeError, TypeError, RecursionError):
        wanted += []
    names = (re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", str(line)) for line in wanted)
    return {re.sub(r"[-_.]+", "-", name[1]).lower() for name in names if name}


def _application(work_tree: Path, pattern: str) -> tuple[PurePath, str] | None:
    """Return the first usual file that holds `pattern`, and the name the pattern caught."""
    for name in islice(_application_files(work_tree), _APPLICATION_FILES_LIMIT):
        found = re.search(pattern, read_repository_text(work_tree, name), re.MULTILINE)
        if found:
            return PurePath(name), next((group for group in found.groups() if group), "")
    return None


def _application_files(work_tree: Path) -> Iterator[str]:
    for pattern in _APPLICATION_FILES:
        yield from sorted(glob.glob(pattern, root_dir=work_tree))  # noqa: PTH207 - pathlib raises what it can't look into


def _module(path: PurePath) -> str:
    """Return the dotted name a file is imported by from the work tree, `src` layouts included, for a shell."""
    parts = path.with_suffix("").parts
    parts = parts[1:] if parts[0] == "src" else parts
    return shlex.quote(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
