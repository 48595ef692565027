"""The order of evidence: what is looked at first, and where."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection import (
    containers,
    devcontainer,
    frameworks,
    go_programs,
    nx_targets,
    package_scripts,
    procfile,
    python_apps,
    site_generators,
    static_site,
    targets,
    workspaces,
)
from cloud_agent_runner.preview.detection.beside import with_api, with_front_end, with_watcher
from cloud_agent_runner.preview.detection.folder import Folder
from cloud_agent_runner.preview.detection.found import USUAL_PORT
from cloud_agent_runner.preview.detection.front_end import with_page
from cloud_agent_runner.preview.errors import PreviewError
from cloud_agent_runner.preview.plan import DevServerPlan
from cloud_agent_runner.preview.toolchains import toolchain_setup
from cloud_agent_runner.repository.config import CONFIG_PATH, NOTHING, RepositoryConfig
from cloud_agent_runner.repository.config_file import EXAMPLE, RepositoryConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from cloud_agent_runner.preview.detection.found import Program
    from cloud_agent_runner.preview.plan import Process

# What is meant for developers comes first, and what is meant for production last. A server's framework counts before
# the front-end tooling beside it, which builds for its pages.
_EVIDENCE: tuple[Callable[[Folder], Program | None], ...] = (
    devcontainer.find,
    procfile.for_developers,
    python_apps.find,
    frameworks.rails,
    frameworks.laravel,
    frameworks.phoenix,
    frameworks.deno,
    package_scripts.find,
    nx_targets.find,
    targets.find,
    frameworks.spring,
    go_programs.find,
    site_generators.find,
    frameworks.php,
    procfile.for_production,
    containers.compose,
    containers.dockerfile,
    site_generators.vite,
    site_generators.storybook,
)
# Those whose pages' scripts and styles something else builds.
_SERVERS = frozenset({python_apps.find, frameworks.rails, frameworks.laravel})
# What says enough where a folder's name says nothing.
_OF_APPLICATIONS = (
    *(python_apps.find, frameworks.rails, frameworks.laravel, frameworks.phoenix, frameworks.deno),
    *(package_scripts.find, frameworks.spring, go_programs.find),
)
_USUAL_FOLDERS = (
    *("frontend", "web", "client", "front", "ui", "webapp", "app", "site", "website", "docs"),
    *("backend", "server", "api"),
)
# Where no application of the repository's own is, but what goes with one, or shows how to use a library.
_ASIDE = frozenset(
    (
        *("example", "examples", "sample", "samples", "demo", "demos", "template", "templates", "fixtures", "spec"),
        *("test", "tests", "e2e", "bench", "benchmark", "benchmarks", "vendor", "third_party", "node_modules"),
        *("scripts", "tools", "build", "dist", "deploy", "infra", "packages", "libs"),
    )
)
_FOLDERS_LIMIT = 20
_OTHERS_LIMIT = 50


class DevServerNotConfiguredError(PreviewError):
    """The repository neither defines a dev server nor has one that is recognized."""


def dev_server_plan(work_tree: Path, config: RepositoryConfig) -> DevServerPlan:
    """Return how to run the dev server: as the repository's settings define it, else as its files suggest.

    Raises:
        DevServerNotConfiguredError: it is neither defined nor recognized, or the settings want none.
        RepositoryConfigError: the settings name a port for a process that there isn't.
    """
    if config.dev == NOTHING:
        raise DevServerNotConfiguredError("The repository's settings ask for no preview.")
    if config.dev:
        has_port = config.port not in {None, USUAL_PORT}
        plan, folder = DevServerPlan(config.dev, leaves_usual_port=has_port, why=f"`dev` in {CONFIG_PATH}"), "."
    elif program := _detected(Folder(work_tree)):
        plan, folder = program.plan, str(program.folder.path)
    else:
        raise DevServerNotConfiguredError(
            "No dev server was found: no `dev`, `serve` or `start` in a package.json, Makefile, justfile or Taskfile, "
            "nothing in a Procfile, devcontainer.json, Compose file or Dockerfile, no application of a known framework "
            "and no index.html, in the repository or its usual folders. "
            f"Add {CONFIG_PATH}, for example:\n{EXAMPLE}"
        )
    install = config.install or plan.install
    toolchains = toolchain_setup(work_tree, (install, *plan.commands), folder)
    return replace(
        plan,
        install=f"{toolchains} && {install}" if toolchains and install else toolchains or install,
        port=config.port or plan.port,
        processes=_at(config.ports, plan.processes),
        health_path=config.health_path or plan.health_path,
    )


def _at(ports: Mapping[str, int], processes: tuple[Process, ...]) -> tuple[Process, ...]:
    """Return the processes with the ports that the settings give them."""
    names = [process.name for process in processes]
    if unknown := sorted(ports.keys() - set(names)):
        known = f"What does is called {', '.join(names)}." if names else "Nothing else does."
        raise RepositoryConfigError(f"{CONFIG_PATH}: `ports`: no `{unknown[0]}` runs beside the dev server. {known}")
    return tuple(replace(process, port=ports.get(process.name, process.port)) for process in processes)


def _detected(root: Folder) -> Program | None:
    """Return what is found in the work tree, else in a package of a monorepo, or where applications usually are."""
    packages = workspaces.likeliest_first(workspaces.members(root))
    apps = workspaces.likeliest_first(root.folders(("apps/*",), _FOLDERS_LIMIT))
    built = workspaces.likeliest_first(containers.built_folders(root))
    for folder in (root, *packages, *root.folders(_USUAL_FOLDERS, _FOLDERS_LIMIT), *apps, *built):
        if program := _in_folder(folder):
            both = with_page(program, _in_folder) if folder == root else program
            return with_api(program, root, _in_folder) if both is program else both
    others = [folder for folder in root.folders(("*", "packages/*"), _OTHERS_LIMIT) if folder.path.name not in _ASIDE]
    for folder in workspaces.likeliest_first(others):
        if program := _in_folder(folder, _OF_APPLICATIONS):
            return with_api(program, root, _in_folder)
    return static_site.find(root)


def _in_folder(folder: Folder, evidence: Collection[Callable[[Folder], Program | None]] = _EVIDENCE) -> Program | None:
    for find in evidence:
        if program := find(folder):
            if find in _SERVERS:
                return with_front_end(program)
            return with_watcher(program) if find is package_scripts.find else program
    return None
