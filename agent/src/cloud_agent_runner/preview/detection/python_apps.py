"""Evidence: the frameworks that a Python project depends on, and the file that has its application."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.folder import table
from cloud_agent_runner.preview.detection.found import Program
from cloud_agent_runner.preview.detection.servers import STREAMLIT
from cloud_agent_runner.preview.package_managers import python_packages

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder

_APPLICATION_FILES = ("main.py", "app.py", "wsgi.py", "asgi.py", "server.py", "api.py", "autoapp.py",
                      "streamlit_app.py", "Home.py", "*/main.py", "*/app.py", "*/__init__.py", "src/*/main.py",
                      "src/*/app.py", "src/*/__init__.py")  # fmt: skip
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
_REQUIREMENTS = ("requirements.txt", "requirements/*.txt", "requirements-*.txt", "requirements_*.txt")
_REQUIREMENTS_LIMIT = 20
_FLASK_APP = re.compile(r"""^(?:export\s+)?FLASK_APP\s*=\s*["']?([\w.:/()-]+)""", re.MULTILINE)


def find(folder: Folder) -> Program | None:
    """Return the development server of the project's framework."""
    named = dependencies(folder)
    for framework in _FRAMEWORKS:
        if app := framework(folder, named):
            packages = python_packages(folder.work_tree, str(folder.path), {*named, *app.needs})
            command = app.variables + packages.run(app.module)
            return Program(folder, command, app.why, (folder.command(packages.install),), reloads=app.reloads)
    return None


@dataclass(frozen=True)
class _App:
    """The module that serves an application, with its arguments, as text for the shell.

    `variables` come before the command, and `needs` are what it takes that the project may not name.
    """

    module: str
    why: str
    variables: str = ""
    reloads: bool = True
    needs: tuple[str, ...] = ()


def _django(folder: Folder, _: set[str]) -> _App | None:
    if not folder.has("manage.py"):
        return None
    # Run as a file, yet by the same interpreter: `-m manage` finds it in the current directory.
    return _App('manage runserver "$HOST:$PORT"', f"Django: {folder.named('manage.py')}", needs=("django",))


def _streamlit(folder: Folder, dependencies: set[str]) -> _App | None:
    if "streamlit" not in dependencies or not (found := _file_with(folder, r"import streamlit")):
        return None
    return _App(f"streamlit run {shlex.quote(found.name)} {STREAMLIT}", f"Streamlit: {folder.named(found.name)}")


def _asgi(folder: Folder, dependencies: set[str]) -> _App | None:
    if not dependencies & {"fastapi", "uvicorn", "starlette"} or not (found := _file_with(folder, _ASGI)):
        return None
    command = f'uvicorn {found.module}:{found.caught} --reload --host "$HOST" --port "$PORT"'
    return _App(command, f"ASGI: `{found.caught}` in {folder.named(found.name)}")


def _quart(folder: Folder, dependencies: set[str]) -> _App | None:
    if "quart" not in dependencies or not (found := _file_with(folder, r"^(\w+)\s*=\s*(?:quart\.)?Quart\(")):
        return None
    command = f'quart --app {found.module}:{found.caught} run --host "$HOST" --port "$PORT"'
    return _App(command, f"Quart: `{found.caught}` in {folder.named(found.name)}")


def _litestar(folder: Folder, dependencies: set[str]) -> _App | None:
    if "litestar" not in dependencies or not (found := _file_with(folder, r"^(\w+)\s*=\s*(?:litestar\.)?Litestar\(")):
        return None
    command = f'litestar --app {found.module}:{found.caught} run --reload --host "$HOST" --port "$PORT"'
    return _App(command, f"Litestar: `{found.caught}` in {folder.named(found.name)}")


def _flask(folder: Folder, dependencies: set[str]) -> _App | None:
    if "flask" not in dependencies:
        return None
    if said := _FLASK_APP.search(folder.text(".flaskenv")):
        name, why = shlex.quote(said[1]), f"Flask: `FLASK_APP` in {folder.named('.flaskenv')}"
    elif found := _file_with(folder, _FLASK):
        name, why = found.module, f"Flask: `{found.caught}` in {folder.named(found.name)}"
    else:
        return None
    # Options for both there are since 2.2 ("Flask: Changes").
    return _App('flask run --host "$HOST" --port "$PORT"', why, f"FLASK_APP={name} FLASK_DEBUG=1 ")


def _program(folder: Folder, dependencies: set[str]) -> _App | None:
    for package, (pattern, variables) in _PROGRAMS.items():
        if package in dependencies and (found := _file_with(folder, pattern)):
            why = f"{package}: {folder.named(found.name)}"
            return _App(found.module, why, variables, reloads=package == "nicegui")
    return None


def _mkdocs(folder: Folder, _: set[str]) -> _App | None:
    name = folder.first("mkdocs.yml", "mkdocs.yaml")
    if name is None:
        return None
    return _App('mkdocs serve --dev-addr "$HOST:$PORT"', f"MkDocs: {folder.named(name)}", needs=("mkdocs",))


_FRAMEWORKS = (_django, _streamlit, _asgi, _quart, _litestar, _flask, _program, _mkdocs)


def dependencies(folder: Folder) -> set[str]:
    """Return the distribution names the project asks for, normalised as packaging does."""
    files = islice(folder.files(_REQUIREMENTS), _REQUIREMENTS_LIMIT)
    wanted = [line for file in files for line in folder.text(file).splitlines()]
    pyproject = folder.toml("pyproject.toml")
    listed = table(pyproject, "project").get("dependencies")
    wanted += listed if isinstance(listed, list) else []
    wanted += table(pyproject, "tool", "poetry", "dependencies")
    wanted += table(folder.toml("Pipfile"), "packages")
    names = (re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", str(line)) for line in wanted)
    return {re.sub(r"[-_.]+", "-", name[1]).lower() for name in names if name}


@dataclass(frozen=True)
class _File:
    """A file of a folder, and what a pattern caught in it."""

    name: str
    caught: str

    @property
    def module(self) -> str:
        """The dotted name it's imported by from its folder, `src` layouts included, for a shell."""
        parts = PurePath(self.name).with_suffix("").parts
        parts = parts[1:] if parts[0] == "src" else parts
        return shlex.quote(".".join(parts[:-1] if parts[-1] == "__init__" else parts))


def _file_with(folder: Folder, pattern: str) -> _File | None:
    """Return the first usual file that holds `pattern`."""
    for name in folder.files(_APPLICATION_FILES):
        if found := re.search(pattern, folder.text(name), re.MULTILINE):
            return _File(name, next((group for group in found.groups() if group), ""))
    return None
