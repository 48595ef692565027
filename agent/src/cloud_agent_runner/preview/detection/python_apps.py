"""Evidence: the frameworks that a Python project depends on, and the file that has its application."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.folder import table
from cloud_agent_runner.preview.detection.found import Program
from cloud_agent_runner.preview.detection.python_files import READMES, ApplicationFile, file_with
from cloud_agent_runner.preview.detection.servers import STREAMLIT
from cloud_agent_runner.preview.django_projects import is_djangos
from cloud_agent_runner.preview.env_files import variables
from cloud_agent_runner.preview.package_managers import python_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloud_agent_runner.preview.detection.folder import Folder

_ASGI = (
    r"^(\w+)\s*(?::\s*[\w.]+\s*)?=\s*(?:(?:fastapi\.)?FastAPI|(?:starlette\.applications\.)?Starlette|"
    r"get_app|get_application|create_app|create_application)\("
)
# Of a function that takes no arguments, or could do without them.
_ASGI_FACTORY = r"^def ((?:create|get|make)_(?:app|application))\((?:\s*|[^()=]*=[^()]*)\)"
_ASGI_BY_NAME = r"""^(?!#).*\buvicorn\.run\(\s*f?["']([\w.]+:\w+)["']"""
_FLASK_INSTANCE = r"^(\w+)\s*(?::\s*[\w.]+\s*)?=\s*(?:(?:flask\.)?Flask|create_app)\("
# Flask calls it without arguments, so the first one isn't required.
_FLASK_FACTORY = r"^def (create_app|make_app)\((?!\s*\w+\s*(?::[^=,()\[]*(?:\[[^\]]*\][^=,()\[]*)?)?[,)])"
# Applications that are started as a program: what they import, and the variables that tell them where to listen.
_PROGRAMS = {
    "gradio": (r"^(?:import|from) gradio\b", 'GRADIO_SERVER_NAME="$HOST" GRADIO_SERVER_PORT="$PORT" '),
    "dash": (r"^(?:import|from) dash\b", ""),
    "nicegui": (r"^from nicegui\b", ""),
    "python-fasthtml": (r"^from fasthtml\b", ""),
    "aiohttp": (r"^[ \t]*(?:aiohttp\.)?web\.run_app\(", ""),
}
_RELOADING = frozenset({"nicegui", "python-fasthtml"})
# Those that are started by a program of their framework's: what the file has, and the module with its arguments.
_STARTED = {
    "chainlit": (r"^import chainlit\b", 'chainlit run {file} --watch --headless --host "$HOST" --port "$PORT"'),
    "panel": (
        r"^import panel\b",
        'panel serve {file} --autoreload --address "$HOST" --port "$PORT" --allow-websocket-origin \'*\'',
    ),
    "marimo": (r"^app = marimo\.App\(", 'marimo run {file} --watch --headless --host "$HOST" --port "$PORT"'),
    "sanic": (r"^(\w+)\s*=\s*(?:sanic\.)?Sanic\(", 'sanic {module}:{caught} --dev --host "$HOST" --port "$PORT"'),
    "quart": (
        r"^(\w+)\s*=\s*(?:quart\.)?Quart\(",
        'quart --app {module}:{caught} run --host "$HOST" --port "$PORT"',
    ),
    "litestar": (
        r"^(\w+)\s*=\s*(?:litestar\.)?Litestar\(",
        'litestar --app {module}:{caught} run --reload --host "$HOST" --port "$PORT"',
    ),
}
_REQUIREMENTS = ("requirements.txt", "requirements/*.txt", "requirements-*.txt", "requirements_*.txt")
_REQUIREMENTS_LIMIT = 20
_INCLUDED = re.compile(r"^[ \t]*(?:-r|--requirement)[ \t=]*(\S+)", re.MULTILINE)
# The head of a Space's README ("Hugging Face: Spaces Configuration Reference").
_FRONT_MATTER = re.compile(r"---\n(.*?)\n---", re.DOTALL)
_KIT = re.compile(r"^sdk:[ \t]*(gradio|streamlit)[ \t]*$", re.MULTILINE)
_KIT_VERSION = re.compile(r"""^sdk_version:[ \t]*["']?(\d[\w.]*)""", re.MULTILINE)
_NO_FILE = ApplicationFile("")
_FOR_FLASK = ".flaskenv"  # the one that's for nothing else
# Where developers are told which it is, in a text.
_FLASK_APP = re.compile(r"""(?<![\w$])FLASK_APP(?:[ \t]*=[ \t]*|[ \t]+)["']?([\w./-]+[\w.:()]*)""")
_SAYING_FLASK_APP = ("Dockerfile", *READMES)


def find(folder: Folder) -> Program | None:
    """Return the development server of the project's framework."""
    named = dependencies(folder)
    kit, version = _kit_of_space(folder) or ("", "")
    known = {*named, kit, *_own_name(folder)}
    for framework in _FRAMEWORKS:
        if app := framework(folder, known):
            packages = python_packages(folder.work_tree, str(folder.path), {*named, *app.needs})
            command = app.file.run(app.variables, packages.run(app.module))
            install = [folder.command(packages.install)]
            if kit and kit not in named:
                get, pinned = packages.run(f"pip install {kit}"), packages.run(f"pip install {kit}=={version}")
                install.append(f"{{ {pinned} || {get}; }}" if version else get)
            return Program(folder, command, app.why, tuple(install), reloads=app.reloads)
    return None


@dataclass(frozen=True)
class _App:
    """The module that serves an application, with its arguments, as text for the shell.

    `variables` come before the command, and `needs` are what it takes that the project may not name. `file` has the
    application.
    """

    module: str
    why: str
    variables: str = ""
    reloads: bool = True
    needs: tuple[str, ...] = ()
    file: ApplicationFile = _NO_FILE


def _django(folder: Folder, _: set[str]) -> _App | None:
    if not is_djangos(folder.work_tree, folder.named("manage.py")):
        return None
    # Run as a file, yet by the same interpreter: `-m manage` finds it in the current directory.
    return _App('manage runserver "$HOST:$PORT"', f"Django: {folder.named('manage.py')}", needs=("django",))


def _streamlit(folder: Folder, dependencies: set[str]) -> _App | None:
    if "streamlit" not in dependencies or not (found := file_with(folder, r"^[ \t]*(?:import|from) streamlit\b")):
        return None
    return _App(f"streamlit run {shlex.quote(found.name)} {STREAMLIT}", f"Streamlit: {folder.named(found.name)}")


def _asgi(folder: Folder, dependencies: set[str]) -> _App | None:
    if not dependencies & {"fastapi", "uvicorn", "starlette"}:
        return None
    for pattern, options in ((_ASGI, ""), (_ASGI_BY_NAME, ""), (_ASGI_FACTORY, " --factory")):
        if found := file_with(folder, pattern, dependencies):
            app = found.caught if ":" in found.caught else f"{found.module}:{found.caught}"
            command = f'uvicorn {app}{options} --reload --host "$HOST" --port "$PORT"'
            return _App(command, f"ASGI: `{found.caught}` in {folder.named(found.name)}", file=found)
    return None


def _started(folder: Folder, dependencies: set[str]) -> _App | None:
    for package, (pattern, command) in _STARTED.items():
        if package in dependencies and (found := file_with(folder, pattern, dependencies)):
            file = shlex.quote(str(PurePath(found.name).relative_to(found.root)))
            module = command.format(file=file, module=found.module, caught=found.caught)
            what = f"`{found.caught}` in " if found.caught else ""
            return _App(module, f"{package.capitalize()}: {what}{folder.named(found.name)}", file=found)
    return None


def _flask(folder: Folder, dependencies: set[str]) -> _App | None:
    if "flask" not in dependencies:
        return None
    if said := next(_said_flask_apps(folder), None):
        file, (name, why) = _NO_FILE, said
    elif found := _flask_file(folder, dependencies):
        file, name, why = found, found.module, f"Flask: `{found.caught}` in {folder.named(found.name)}"
    else:
        return None
    # Options for both there are since 2.2 ("Flask: Changes").
    return _App('flask run --host "$HOST" --port "$PORT"', why, f"FLASK_APP={name} FLASK_DEBUG=1 ", file=file)


def _said_flask_apps(folder: Folder) -> Iterator[tuple[str, str]]:
    """Yield each application of the folder that a file says is Flask's, for a shell, with where that stands."""
    said = [(file, variables(folder.text(file)).get("FLASK_APP", "")) for file in (_FOR_FLASK, ".env")]
    said += [(file, name) for file in _SAYING_FLASK_APP for name in _FLASK_APP.findall(folder.text(file))]
    for file, name in said:
        module = name.partition(":")[0]
        path = module.replace(".", "/")
        if name and (file == _FOR_FLASK or folder.has(module, f"{path}.py", f"{path}/__init__.py")):
            yield shlex.quote(name), f"Flask: `FLASK_APP` in {folder.named(file)}"


def _flask_file(folder: Folder, dependencies: set[str]) -> ApplicationFile | None:
    """Return the file with the application, or a function that makes it; else one of Flask's extension for commands."""
    if found := file_with(folder, f"{_FLASK_INSTANCE}|{_FLASK_FACTORY}", dependencies):
        return found
    manage = re.search(_FLASK_INSTANCE, folder.text("manage.py"), re.MULTILINE)
    return ApplicationFile("manage.py", manage[1]) if manage else None


def _program(folder: Folder, dependencies: set[str]) -> _App | None:
    for package, (pattern, environment) in _PROGRAMS.items():
        if package in dependencies and (found := file_with(folder, pattern, dependencies)):
            why = f"{package}: {folder.named(found.name)}"
            return _App(found.module, why, environment, reloads=package in _RELOADING, file=found)
    return None


def _mkdocs(folder: Folder, _: set[str]) -> _App | None:
    name = folder.first("mkdocs.yml", "mkdocs.yaml")
    if name is None:
        return None
    return _App('mkdocs serve --dev-addr "$HOST:$PORT"', f"MkDocs: {folder.named(name)}", needs=("mkdocs",))


_FRAMEWORKS = (_django, _streamlit, _asgi, _started, _flask, _program, _mkdocs)


def _own_name(folder: Folder) -> set[str]:
    """Return what the project is called: a framework's own site is made with it."""
    pyproject = folder.toml("pyproject.toml")
    return _distributions(table(pyproject, *keys).get("name", "") for keys in (("project",), ("tool", "poetry")))


def _kit_of_space(folder: Folder) -> tuple[str, str] | None:
    """Return what a Space of Hugging Face has without asking for it, and its version; None where it's no such Space."""
    head = _FRONT_MATTER.match(folder.text("README.md"))
    kit = _KIT.search(head[1]) if head else None
    version = _KIT_VERSION.search(head[1]) if head else None
    return (kit[1], version[1] if version else "") if kit else None


def dependencies(folder: Folder) -> set[str]:
    """Return the distribution names the project asks for, normalised as packaging does."""
    files = list(islice(folder.files(_REQUIREMENTS), _REQUIREMENTS_LIMIT))
    wanted: list[object] = []
    for file in files:  # which those that it includes are added to
        text = folder.text(file)
        wanted += text.splitlines()
        included = (os.path.normpath(PurePath(file).parent / name) for name in _INCLUDED.findall(text))
        files += islice((name for name in included if name not in files), _REQUIREMENTS_LIMIT - len(files))
    pyproject = folder.toml("pyproject.toml")
    listed = table(pyproject, "project").get("dependencies")
    wanted += listed if isinstance(listed, list) else []
    wanted += table(pyproject, "tool", "poetry", "dependencies")
    wanted += table(folder.toml("Pipfile"), "packages")
    return _distributions(wanted)


def _distributions(wanted: Iterable[object]) -> set[str]:
    names = (re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", str(line)) for line in wanted)
    return {re.sub(r"[-_.]+", "-", name[1]).lower() for name in names if name}
