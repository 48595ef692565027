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
from cloud_agent_runner.repository.config import CONFIG_PATH, NOTHING, RepositoryConfig
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
# Those that follow edits come first.
_SCRIPTS = ("dev", "start:dev", "develop", "serve", "server", "docs:dev", "start")
_NOT_SERVING = {"build", "preview"}
_SEVERAL = re.compile(r"&&|\|\||[;|&]")
_FOLDERS = ("frontend", "web", "client", "app", "site", "website", "docs", "backend", "server", "api", "apps/*")
_FOLDERS_LIMIT = 20
_APPLICATION_FILES = ("main.py", "app.py", "wsgi.py", "asgi.py", "server.py", "api.py", "autoapp.py",
                      "streamlit_app.py", "Home.py", "*/main.py", "*/app.py", "*/__init__.py", "src/*/main.py",
                      "src/*/app.py", "src/*/__init__.py")  # fmt: skip
_APPLICATION_FILES_LIMIT = 200
_ASGI = (
    r"^(\w+)\s*(?::\s*[\w.]+\s*)?=\s*(?:(?:fastapi\.)?FastAPI|(?:starlette\.applications\.)?Starlette|"
    r"get_app|get_application|create_app|create_application)\("
)
_FLASK = r"^(\w+)\s*(?::\s*[\w.]+\s*)?=\s*(?:(?:flask\.)?Flask|create_app)\(|^def (create_app|make_app)\("
# Applications that are started as a program: what they import, and the variables that tell them where to listen.
_PROGRAMS = {
    "gradio": (r"^(?:import gradio|from gradio)", 'GRADIO_SERVER_NAME="$HOST" GRADIO_SERVER_PORT="$PORT" '),
    "dash": (r"^(?:import dash|from dash) ", ""),
    "nicegui": (r"^from nicegui", ""),
}


class DevServerNotConfiguredError(PreviewError):
    """The repository neither defines a dev server nor has one that is recognized."""


def dev_server_plan(work_tree: Path, config: RepositoryConfig) -> DevServerPlan:
    """Return how to run the dev server: as the repository's settings define it, else as its files suggest.

    Raises:
        DevServerNotConfiguredError: it is neither defined nor recognized, or the settings want none.
    """
    if config.dev == NOTHING:
        raise DevServerNotConfiguredError("The repository's settings ask for no preview.")
    plan = DevServerPlan(dev=config.dev) if config.dev else _detected(work_tree)
    if plan is None:
        raise DevServerNotConfiguredError(
            "No `dev`, `serve` or `start` script, no Django, FastAPI, Flask, Streamlit, Gradio, Dash, NiceGUI, MkDocs, "
            "Rails or Go application and no index.html was found, in the repository or its usual folders. "
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


def _detected(work_tree: Path) -> DevServerPlan | None:
    """Return what is found in the work tree, else in one of the folders that applications are usually in.

    A server's framework counts before the front-end tooling beside it, which builds for its pages.
    """
    for folder in (".", *_usual_folders(work_tree)):
        for rule in (_python, _rails, _node, _go):
            if plan := rule(work_tree, folder):
                return plan if folder == "." else _within(plan, folder)
    if has_repository_file(work_tree, "index.html"):
        return DevServerPlan(dev='exec python3 -m http.server --bind "$HOST" "$PORT"')
    return None


def _usual_folders(work_tree: Path) -> Iterator[str]:
    found = (name for pattern in _FOLDERS for name in sorted(glob.glob(pattern, root_dir=work_tree)))  # noqa: PTH207 - as below
    top = work_tree.resolve()
    inside = (name for name in found if (work_tree / name).resolve().is_relative_to(top))
    yield from islice((name for name in inside if (work_tree / name).is_dir()), _FOLDERS_LIMIT)


def _within(plan: DevServerPlan, folder: str) -> DevServerPlan:
    move = f"cd {shlex.quote(folder)} && "
    return replace(plan, install=f"{move}{plan.install}" if plan.install else None, dev=f"{move}{plan.dev}")


def _node(work_tree: Path, folder: str) -> DevServerPlan | None:
    scripts = read_repository_object(work_tree, f"{folder}/package.json").get("scripts")
    if not isinstance(scripts, dict):
        return None
    name = next((name for name in _SCRIPTS if isinstance(scripts.get(name), str)), None)
    if name is None:
        return None
    packages = node_packages(work_tree, folder)
    tool, arguments = _tool(scripts[name])
    flags = "" if _NOT_SERVING & set(arguments) else _HOST_AND_PORT.get(tool, "")
    return DevServerPlan(
        install=packages.install, dev=packages.run(name, flags), reloads=not _runs_unwatched(tool, arguments)
    )


def _tool(script: str) -> tuple[str, list[str]]:
    """Return the program that a script runs, and its arguments; nothing where it runs several.

    Others find out by themselves: what a flag is added to is the last of them, whichever that is.
    """
    if _SEVERAL.search(script):
        return "", []
    words = [word for word in script.split() if word not in {"cross-env", "npx", "bunx"}]
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words.pop(0)
    return (words[0].rpartition("/")[2], words[1:]) if words else ("", [])


def _runs_unwatched(tool: str, arguments: list[str]) -> bool:
    """Whether a program is known to go on with the files that it was started with."""
    return tool in {"node", "nest", "ts-node", "tsx", "bun"} and not {"--watch", "watch", "-w", "--hot"} & set(
        arguments
    )


def _rails(work_tree: Path, folder: str) -> DevServerPlan | None:
    if not has_repository_file(work_tree, f"{folder}/bin/rails"):
        return None
    return DevServerPlan(install="bundle install", dev='bin/rails server --binding "$HOST" --port "$PORT"')


def _go(work_tree: Path, folder: str) -> DevServerPlan | None:
    if not all(has_repository_file(work_tree, f"{folder}/{name}") for name in ("go.mod", "main.go")):
        return None
    return DevServerPlan(install="go mod download", dev="go run .", reloads=False)


def _python(work_tree: Path, folder: str) -> DevServerPlan | None:
    root = work_tree / folder
    dependencies = _python_dependencies(root)
    found = _python_command(root, dependencies)
    if found is None:
        return None
    variables, module, reloads = found
    packages = python_packages(work_tree, folder, otherwise=dependencies)
    return DevServerPlan(install=packages.install, dev=variables + packages.run(module), reloads=reloads)


def _python_command(  # noqa: PLR0911 - one for each framework
    root: Path, dependencies: set[str]
) -> tuple[str, str, bool] | None:
    """Return variables, the module to run with its arguments, and whether the server follows edits."""
    if has_repository_file(root, "manage.py"):
        # Run as a file, yet by the same interpreter: `-m manage` finds it in the current directory.
        dependencies.add("django")
        return "", 'manage runserver "$HOST:$PORT"', True
    if "streamlit" in dependencies and (script := _application(root, r"import streamlit")):
        options = '--server.address "$HOST" --server.port "$PORT" --server.headless true'
        return "", f"streamlit run {shlex.quote(str(script[0]))} {options}", True
    if dependencies & {"fastapi", "uvicorn", "starlette"} and (app := _application(root, _ASGI)):
        return "", f'uvicorn {_module(app[0])}:{app[1]} --reload --host "$HOST" --port "$PORT"', True
    if "flask" in dependencies and (app := _application(root, _FLASK)):
        return "", f'flask --app {_module(app[0])} run --debug --host "$HOST" --port "$PORT"', True
    for package, (pattern, variables) in _PROGRAMS.items():
        if package in dependencies and (program := _application(root, pattern)):
            return variables, _module(program[0]), package == "nicegui"
    if has_repository_file(root, "mkdocs.yml"):
        dependencies.add("mkdocs")
        return "", 'mkdocs serve --dev-addr "$HOST:$PORT"', True
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
