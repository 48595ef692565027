"""Evidence: the scripts of package.json."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import install, shell, unbuilt
from cloud_agent_runner.preview.detection.folder import table
from cloud_agent_runner.preview.detection.found import Program
from cloud_agent_runner.preview.detection.running import calls_engine, running
from cloud_agent_runner.preview.detection.servers import NOT_HERE, OF_NODE, OF_OTHERS, listening, server_of
from cloud_agent_runner.preview.package_managers import node_packages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_agent_runner.preview.detection.folder import Folder
    from cloud_agent_runner.preview.detection.running import Running
    from cloud_agent_runner.preview.detection.shell import Command
    from cloud_agent_runner.preview.package_managers import NodePackages

# Those that follow edits come first.
_SCRIPTS = ("dev", "start:dev", "develop", "serve", "server", "docs:dev", "start")

_WATCHING_SCRIPTS = ("watch", "watch:css", "css:watch", "dev:css", "tailwind", "build:watch", "build:css")
_WATCHES = re.compile(r"(?:^|\s)(?:--watch|-w|watch)(?:$|[\s=])")
_OF_A_BUILD = ("--config", "-c", "--mode", "-m")
_WITHOUT_ENGINE = Path(__file__).with_name("without_engine.sh")
_SERVING_PACKAGES = frozenset(
    ("connect", "express", "fastify", "h3", "hapi", "@hapi/hapi", "hono", "koa", "next", "polka", "restify", "ws")
)
# Of several servers only one would get the port that all are given: each has its own, as on a developer's machine.
_WITHOUT_PORT = "env -u HOST -u PORT "


def find(folder: Folder) -> Program | None:
    """Return what runs the first of the usual scripts that isn't known to serve nothing."""
    return next((program for name in _SCRIPTS if (program := script(folder, name))), None)


def watcher(folder: Folder, *, of_server: bool) -> Program | None:
    """Return what runs the first of the usual scripts that serves nothing, but builds anew what changes.

    `of_server` says whether it's what a server in another language has beside it, which may have another name.
    """
    scripts = table(folder.json("package.json"), "scripts")
    for name in (*_SCRIPTS, *(_WATCHING_SCRIPTS if of_server else ())):
        line = scripts.get(name)
        if isinstance(line, str) and _WATCHES.search(line) and not running(line, folder):
            packages = node_packages(folder.work_tree, str(folder.path))
            why = f"the `{name}` script in {folder.named('package.json')}"
            return Program(folder, packages.run(name), why, (install.node(folder),), name=name)
    return None


def vite_build(folder: Folder) -> Program | None:
    """Return what builds once what one of the usual scripts serves by Vite; None where none of them does.

    Where a server in another language has the pages, they would load what Vite serves from its own port, which visitors
    can't reach ("Laravel: Vite", "django-vite: Dev Mode").
    """
    scripts = table(folder.json("package.json"), "scripts")
    for name in _SCRIPTS:
        line = scripts.get(name)
        for one in running(line, folder) if isinstance(line, str) else ():
            if one.command.program == "vite" and one.server:
                why = f"`vite build` for the `{name}` script in {folder.named('package.json')}"
                command = _build_of(one.command, node_packages(one.folder.work_tree, str(one.folder.path)))
                return Program(one.folder, command, why, (install.node(one.folder),), name="vite")
    return None


def _build_of(serving: Command, packages: NodePackages) -> str:
    """Return the command that builds what another one serves: of its folder, configuration and mode."""
    options = [(option, value) for option in _OF_A_BUILD for value in serving.values(option)[:1] if value]
    folder = [word for word in serving.arguments if word not in {"dev", "serve"}][:1]
    words = ("vite", "build", *folder, *(word for pair in options for word in pair))
    variables = "".join(f"{name}={shlex.quote(value)} " for name, value in serving.variables.items())
    return variables + packages.execute(words)


def script_command(folder: Folder, name: str) -> str | None:
    """Return what runs a script, whatever it does; None where there is no such script."""
    has_script = isinstance(table(folder.json("package.json"), "scripts").get(name), str)
    return node_packages(folder.work_tree, str(folder.path)).run(name) if has_script else None


def script(folder: Folder, name: str) -> Program | None:
    """Return what runs a script; None where there is no such script, or it's known to serve nothing."""
    scripts = table(folder.json("package.json"), "scripts")
    line = scripts.get(name)
    if not isinstance(line, str):
        return None
    commands, started = shell.commands(line), running(line, folder)
    if (commands and not started) or _is_own_tool(folder, started):
        return None
    if len(commands) == 1 and len(started) == 1 and unbuilt.is_never_built(started[0], name):
        return None
    servers = [one.server for one in started if one.server]
    folders = [one.folder for one in started]
    flags, port = "", None
    # Of several commands, it's the last one that flags would be added to, whichever that is.
    if len(commands) == 1 and servers and (server := server_of(commands[0])):
        flags, port = listening(commands[0], server)
    dev = node_packages(folder.work_tree, str(folder.path)).run(name, flags)
    if any(calls_engine(text, folder) for text in (line, scripts.get(f"pre{name}")) if isinstance(text, str)):
        dev = f"sh {shlex.quote(str(_WITHOUT_ENGINE))} {dev}"
    if len(servers) > 1:
        dev = _WITHOUT_PORT + dev
    # A line of several commands may build by one of them, as a watcher beside it does.
    is_alone = len([one for one in commands if one.program not in {"cd", *NOT_HERE}]) == 1
    is_unbuilt = is_alone and unbuilt.is_of_build(started, folder, name) and not watcher(folder, of_server=False)
    if is_unbuilt:
        dev = f"{script_command(folder, 'build')}; {dev}"
    return Program(
        folder,
        dev,
        why=f"the `{name}` script in {folder.named('package.json')}",
        install=_install(folder, started),
        port=port,
        reloads=not is_unbuilt and all(one.server.reloads(one.command) for one in started if one.server),
        is_server=bool(started) and all(one.command.program in OF_NODE for one in started),
        is_whole=len(servers) > 1,
        may_take_usual_port=len(servers) > 1,
        starts=frozenset(folders),
    )


def _is_own_tool(folder: Folder, started: list[Running]) -> bool:
    """Return whether a script only runs the command that the package has for its users, and nothing that serves."""
    package = folder.json("package.json")
    tools = package.get("bin")
    files = {str(file).removeprefix("./") for file in (tools.values() if isinstance(tools, dict) else [tools])}
    run = [word.removeprefix("./") for one in started for word in one.command.words]
    if len(started) != 1 or files.isdisjoint(run):
        return False
    serves = any(".listen(" in folder.text(file) for file in files.intersection(run))
    return not serves and _SERVING_PACKAGES.isdisjoint(table(package, "dependencies"))


def _install(folder: Folder, started: Iterable[Running]) -> tuple[str, ...]:
    """Return what installs the packages of a script, and of all that it starts, servers in other languages included."""
    steps = [install.node(folder)]
    for one in started:
        if one.command.program in OF_OTHERS:
            steps += [*install.everything(one.folder), *install.everything(folder)]
        elif one.folder.has("package.json"):
            steps.append(install.node(one.folder))
    return tuple(dict.fromkeys(steps))
