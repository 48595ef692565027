"""uv, Poetry, PDM, Pipenv or pip: the one whose files a Python project has. Each installs into `$HOME/.venv`."""

from __future__ import annotations

import os
import re
import shlex
import sys
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath
from shutil import which
from typing import TYPE_CHECKING, Any

from uv import find_uv_bin

from cloud_agent_runner.preview.toolchains import requested_python
from cloud_agent_runner.repository.file import has_repository_file, read_repository_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_INSTALL_REQUIREMENTS = Path(__file__).with_name("install_requirements.sh")
_MAKE_ENVIRONMENT = Path(__file__).with_name("make_environment.sh")
_ENVIRONMENT = '"$HOME/.venv"'
_PYTHON = f"{_ENVIRONMENT}/bin/python"
# What developers install, in the order in which files and groups of that kind are usually named.
_DEVELOPMENT = ("dev", "develop", "development", "local")
_REQUIREMENTS = (
    "requirements.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "requirements/requirements.txt",
)
_DEVELOPERS_REQUIREMENTS = tuple(
    pattern.format(kind)
    for kind in _DEVELOPMENT
    for pattern in ("requirements/{}.txt", "requirements-{}.txt", "requirements_{}.txt", "{}-requirements.txt")
)
# Of a project with pages by MkDocs: where its plugins may stand.
_MKDOCS = ("mkdocs.yml", "mkdocs.yaml")
_PAGES_REQUIREMENTS = (
    *("docs/requirements.txt", "requirements-docs.txt", "requirements/docs.txt", "docs-requirements.txt"),
    "requirements_docs.txt",
)
# Python 3.7 and before are of a time when many a package had to be built, by what setuptools 46 has no more ("Removed
# the Features feature", in its history).
_OF_ANOTHER_DAY = re.compile(r"3\.[0-7](?!\d)")
_SETUPTOOLS_OF_THEN = "setuptools<46"
_ONLY_REQUIREMENTS = ("requirements/production.txt", "requirements/prod.txt")


@dataclass(frozen=True)
class PythonPackages:
    """The command that makes a project's environment and installs all its dependencies into it."""

    install: str

    def run(self, module: str) -> str:
        """Return the command that runs a module; `module` is its name and arguments, as text for the shell.

        The folder that the command runs in is the first that modules are imported from.
        """
        return f"{_PYTHON} -m {module}"


@dataclass(frozen=True)
class _Project:
    """A folder that a Python project may be in, as seen from the folder that commands run in."""

    work_tree: Path
    folder: PurePath
    path: str

    def has(self, *names: str) -> bool:
        return any(has_repository_file(self.work_tree, str(self.folder / name)) for name in names)

    def toml(self, name: str) -> dict[str, Any]:
        try:
            return tomllib.loads(read_repository_text(self.work_tree, str(self.folder / name)))
        except (ValueError, RecursionError):
            return {}

    def table(self, *keys: str) -> dict[str, Any]:
        """Return a table of pyproject.toml; an empty one where there is none."""
        table = self.toml("pyproject.toml")
        for key in keys:
            value = table.get(key)
            table = value if isinstance(value, dict) else {}
        return table

    @property
    def is_package(self) -> bool:
        """Whether the project can be built; others are imported from where they are."""
        has_layout = (self.work_tree / self.folder / "src").is_dir() or self.has("setup.py")
        return has_layout or bool(self.table("build-system"))


def python_packages(work_tree: Path, folder: str = ".", otherwise: Collection[str] = ()) -> PythonPackages:
    """Return how the project in `folder` of the work tree is installed, and how its modules are run.

    The nearest folder on the way up to the work tree counts which says what to install. Where none does, the packages
    named in `otherwise` are installed.
    """
    version = requested_python(work_tree, folder)
    make = _make(version)
    for level in (PurePath(folder), *PurePath(folder).parents):
        project = _Project(work_tree, level, os.path.relpath(level, folder))
        if command := next(filter(None, (install(project) for install in _FROM_LOCK)), None):
            return PythonPackages(f"{make} && {command}")
        if files := _requirements(project):
            install = f"{make} && {_PYTHON} -m pip install {files}" if version else _with_any_python(files)
            return PythonPackages(install + _itself(project))
        if command := _project(project):
            return PythonPackages(f"{make} && {command}")
    names = " ".join(shlex.quote(name) for name in sorted(otherwise))
    steps = [make, f"{_PYTHON} -m pip install {names}" if names else "", _conda(work_tree, folder)]
    return PythonPackages(" && ".join(filter(None, steps)))


def _conda(work_tree: Path, folder: str) -> str:
    """Return the command that says why what stands in conda's file isn't installed; nothing where there is none."""
    if not any(has_repository_file(work_tree, f"{folder}/environment.{ending}") for ending in ("yml", "yaml")):
        return ""
    return "echo 'warning: Sessions have no conda to install environment.yml. Name the packages in requirements.txt.'"


def _make(version: str | None) -> str:
    """Return the command that makes the environment: of the supervisor's own Python, or of another version by uv.

    Where uv finds that neither on this machine nor on the network, the supervisor's own is better than none.
    """
    own = f"sh {shlex.quote(str(_MAKE_ENVIRONMENT))} {shlex.quote(sys.executable)}"
    if version is None:
        return own
    make = f"{_uv_program()} venv --seed --allow-existing --python={shlex.quote(version)} {_ENVIRONMENT}"
    if _OF_ANOTHER_DAY.match(version):
        make = f"{make} && {_PYTHON} -m pip install {shlex.quote(_SETUPTOOLS_OF_THEN)}"
    return f"{{ {make} || {own}; }}"


def _uv(project: _Project) -> str | None:
    if not project.has("uv.lock") and not _is_uv_member(project):
        return None
    extras = "".join(f" --extra {name}" for name in _chosen(project, "project", "optional-dependencies"))
    groups = "".join(f" --group {name}" for name in _chosen(project, "dependency-groups"))
    return f"{_in(project)}UV_PROJECT_ENVIRONMENT={_ENVIRONMENT} {_uv_program()} sync --frozen{extras}{groups}"


def _is_uv_member(project: _Project) -> bool:
    """Return whether uv has the project's packages in the lock file of a workspace around it, which it finds itself."""
    if not project.table("project"):
        return False
    for level in project.folder.parents:
        root = _Project(project.work_tree, level, "")
        path = str(project.folder.relative_to(level))
        settings = root.table("tool", "uv", "workspace")
        lists = (listed if isinstance(listed := settings.get(key), list) else [] for key in ("members", "exclude"))
        is_member, is_excluded = (any(fnmatch(path, str(name).rstrip("/")) for name in names) for names in lists)
        if is_member and not is_excluded and root.has("uv.lock"):
            return True
    return False


def _poetry(project: _Project) -> str | None:
    settings = project.table("tool", "poetry")
    if not project.has("poetry.lock") and not settings.get("dependencies"):
        return None
    # Poetry stops at a project that it can't build, unless told to leave the project itself out.
    name = re.sub(r"[-. ]+", "_", str(settings.get("name") or project.table("project").get("name")))
    has_module = name.isidentifier() and project.has(f"{name}/__init__.py", f"src/{name}/__init__.py", f"{name}.py")
    is_package = settings.get("package-mode", True) and (has_module or settings.get("packages"))
    alone = "" if is_package else " --no-root"
    return f"{_in(project)}VIRTUAL_ENV={_ENVIRONMENT} {_uv_program()} tool run poetry install --no-interaction{alone}"


def _pdm(project: _Project) -> str | None:
    if not project.has("pdm.lock"):
        return None
    alone = "" if project.is_package else " --no-self"
    install = f"{_uv_program()} tool run --from 'pdm[locked]' pdm install --frozen-lockfile{alone}"
    return f"{_in(project)}PDM_IGNORE_SAVED_PYTHON=1 VIRTUAL_ENV={_ENVIRONMENT} {install}"


def _pipenv(project: _Project) -> str | None:
    if not project.has("Pipfile", "Pipfile.lock"):
        return None
    how = "sync --dev" if project.has("Pipfile.lock") else "install --dev --skip-lock"
    # By the project's own Python: Pipenv installs with a pip of its own, which takes no older ones.
    pipenv = f"{_uv_program()} tool run --python {_PYTHON} pipenv"
    return f"{_in(project)}VIRTUAL_ENV={_ENVIRONMENT} {pipenv} {how}"


def _requirements(project: _Project) -> str:
    """Return the files that list what is needed, as arguments of pip."""
    found = [*_first(project, _REQUIREMENTS), *_first(project, _DEVELOPERS_REQUIREMENTS)]
    found += _first(project, _PAGES_REQUIREMENTS) if project.has(*_MKDOCS) else []
    names = found or _first(project, _ONLY_REQUIREMENTS)
    return " ".join(f"-r {shlex.quote(str(PurePath(project.path, name)))}" for name in names)


def _with_any_python(files: str) -> str:
    """Return the command that installs requirements with the supervisor's own Python, else with an older one."""
    return f"sh {shlex.quote(str(_INSTALL_REQUIREMENTS))} {shlex.quote(sys.executable)} {_uv_program()} {files}"


def _itself(project: _Project) -> str:
    """Return what installs the project itself after its requirements, if it's made to be installed.

    Plugins and themes are found by what an installation knows of them. Where it can't be built, much else may run.
    """
    if not (project.table("project") and project.table("build-system")):
        return ""
    extras = _chosen(project, "project", "optional-dependencies")
    what = f"{project.path}[{','.join(extras)}]" if extras else project.path
    install = f"{_PYTHON} -m pip install {'' if extras else '--no-deps '}--editable {shlex.quote(what)}"
    return f" && {{ {install} || echo 'warning: The project itself could not be installed.'; }}"


def _first(project: _Project, names: Collection[str]) -> list[str]:
    return [name for name in names if project.has(name)][:1]


def _project(project: _Project) -> str | None:
    """Install what pyproject.toml or setup.py say, with uv: pip takes no dependencies without building the project."""
    if not project.table("project") and not project.has("setup.py"):
        return None
    extras = _chosen(project, "project", "optional-dependencies")
    groups = "".join(f" --group {name}" for name in _chosen(project, "dependency-groups"))
    if project.is_package:
        what = "--editable " + shlex.quote(f".[{','.join(extras)}]" if extras else ".")
    else:
        what = "-r pyproject.toml" + "".join(f" --extra {name}" for name in extras)
    return f"{_in(project)}{_uv_program()} pip install --python {_ENVIRONMENT} {what}{groups}"


def _uv_program() -> str:
    """Return the shell's word for uv: by its path where only the supervisor has it."""
    return "uv" if which("uv") else shlex.quote(find_uv_bin())


def _chosen(project: _Project, *keys: str) -> list[str]:
    """Return which extras or groups developers install, and those with MkDocs' plugins where it has the pages."""
    lists = project.table(*keys)
    has_pages = project.has(*_MKDOCS)
    plugins = [name for name, listed in lists.items() if has_pages and isinstance(listed, list) and _has_mkdocs(listed)]
    return list(dict.fromkeys((*(name for name in _DEVELOPMENT if name in lists), *plugins)))


def _has_mkdocs(listed: list[object]) -> bool:
    return any(isinstance(one, str) and one.lower().startswith("mkdocs") for one in listed)


def _in(project: _Project) -> str:
    return "" if project.path == "." else f"cd {shlex.quote(project.path)} && "


_FROM_LOCK: tuple[Callable[[_Project], str | None], ...] = (_uv, _poetry, _pdm, _pipenv)
