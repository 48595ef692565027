"""npm, pnpm, Yarn or Bun: the one that a Node.js project names or has a lock file of, in the version that it needs."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Literal

from cloud_agent_runner.preview.toolchains import requested_bun
from cloud_agent_runner.preview.toolchains.ranges import VersionRange
from cloud_agent_runner.repository.file import (
    has_repository_file,
    read_repository_head,
    read_repository_object,
    read_repository_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Manager = Literal["npm", "pnpm", "yarn", "bun"]

# Of several lock files the first one counts: what npm once wrote often outlives the change to another.
_LOCKS: dict[str, Manager] = {
    "pnpm-lock.yaml": "pnpm",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "yarn.lock": "yarn",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
# By the major of a lock file's format: those that take it as it is ("Vercel: Package managers") and run on today's
# Node.js, as none before 7 does. The first is taken, unless `engines` excludes it.
_PNPM = {"5": ("7",), "6": ("8",)}
_PNPM_OF_9 = ("10", "9", "11")
# By the format of a lock file ("Yarn: lockfile's __metadata").
_YARN = {"4": "2", "5": "3", "6": "3"}
_NEWEST_YARN = "4"
# Both of Yarn's and Bun's take a script for a program if there is one of that name.
_EXECUTE: dict[Manager, str] = {"npm": "npm exec --no --", "pnpm": "pnpm exec", "yarn": "yarn run", "bun": "bun x"}
_SCRIPT = Path(__file__).with_name("get_package_manager.sh")
_CALLS_BUN = re.compile(r"(?:^|[;&|\s])bunx? ")
_BUILD_POLICY = re.compile(r"BuiltDependencies|allowBuilds|AllBuilds")


@dataclass(frozen=True)
class NodePackages:
    """A project's package manager, and the command that installs all its dependencies, and the manager itself."""

    manager: Manager
    install: str

    def run(self, script: str, flags: str = "") -> str:
        """Return the command that runs a script of package.json, with `flags`, which are text for the shell."""
        # npm would take them for its own; the others hand on what follows, a `--` included.
        separator = "-- " if self.manager == "npm" and flags else ""
        return f"{self.manager} run {shlex.quote(script)} {separator}{flags}".rstrip()

    def execute(self, words: Sequence[str]) -> str:
        """Return the command that runs a program of the project's packages, which is never downloaded for it."""
        return f"{_EXECUTE[self.manager]} {shlex.join(words)}"


@dataclass(frozen=True)
class _Root:
    """The folder in which a project, or the workspace it belongs to, says what it's installed with."""

    work_tree: Path
    folder: PurePath
    manager: Manager
    version: str | None
    lock: str | None

    @property
    def package(self) -> dict[str, Any]:
        return read_repository_object(self.work_tree, str(self.folder / "package.json"))

    @property
    def lock_head(self) -> str:
        return read_repository_head(self.work_tree, str(self.folder / self.lock)) if self.lock else ""

    def text(self, name: str) -> str:
        return read_repository_text(self.work_tree, str(self.folder / name))


def node_packages(work_tree: Path, folder: str = ".") -> NodePackages:
    """Return how the project in `folder` of the work tree is installed, and how its scripts are run.

    The nearest folder on the way up to the work tree counts which names a package manager in package.json, or has a
    lock file or pnpm's workspaces: workspaces have theirs at the root. Where there is none it's npm, or Bun if scripts
    of the project call it.
    """
    own = PurePath(folder)
    calls_bun = _calls_bun(read_repository_object(work_tree, str(own / "package.json")))
    otherwise = _Root(work_tree, own, "bun" if calls_bun else "npm", version=None, lock=None)
    root = next(filter(None, (_root(work_tree, level) for level in (own, *own.parents))), otherwise)
    install = _INSTALL[root.manager](root)
    return NodePackages(
        root.manager, f"{_get('bun', '1')} && {install}" if calls_bun and root.manager != "bun" else install
    )


def _root(work_tree: Path, folder: PurePath) -> _Root | None:
    declared, version = _declared(read_repository_object(work_tree, str(folder / "package.json")))
    for lock, manager in _LOCKS.items():
        if declared in (None, manager) and has_repository_file(work_tree, str(folder / lock)):
            return _Root(work_tree, folder, manager, version, lock)
    if declared is None and has_repository_file(work_tree, str(folder / "pnpm-workspace.yaml")):
        declared = "pnpm"
    return _Root(work_tree, folder, declared, version, lock=None) if declared else None


def _calls_bun(package: dict[str, Any]) -> bool:
    scripts = package.get("scripts")
    return isinstance(scripts, dict) and any(_CALLS_BUN.search(str(line)) for line in scripts.values())


def _declared(package: dict[str, Any]) -> tuple[Manager | None, str | None]:
    """Return the package manager that package.json names, and its version, if that is a number."""
    text = package.get("packageManager")
    if not isinstance(text, str):
        engines = package.get("devEngines")
        engine = engines.get("packageManager") if isinstance(engines, dict) else None
        engine = engine[0] if isinstance(engine, list) and engine else engine
        text = f"{engine.get('name')}@{engine.get('version', '')}" if isinstance(engine, dict) else ""
    name, _, version = text.partition("@")
    number = re.match(r"[\^~]?\d[\w.-]*", version)
    return next((m for m in _INSTALL if m == name), None), number[0] if number else None


def _get(package: str, version: str) -> str:
    return f"sh {shlex.quote(str(_SCRIPT))} {package}@{shlex.quote(version)}"


def _npm(root: _Root) -> str:
    if root.lock is None:
        return "npm install --no-package-lock"
    # npm 6 and older, which wrote version 1, installed what later ones refuse for a conflict of peers.
    is_old = re.search(r'"lockfileVersion":\s*1\b', root.lock_head)
    return "npm ci --legacy-peer-deps" if is_old else "npm ci"


def _pnpm(root: _Root) -> str:
    written = re.search(r"^lockfileVersion:\s*'?(\d+)", root.lock_head, re.MULTILINE)
    majors = _PNPM.get(written[1] if written else "", _PNPM_OF_9)
    engines = root.package.get("engines")
    accepted = VersionRange.parse(str(engines.get("pnpm", ""))) if isinstance(engines, dict) else None
    version = root.version or (accepted and accepted.line(majors)) or majors[0]
    frozen = "--frozen-lockfile" if root.lock else "--no-lockfile"
    # Since 10, packages build nothing that the repository doesn't allow, and since 11 the install fails for that. Where
    # the repository neither names its pnpm nor says what to build, it may have been made with 9, which builds all.
    says = root.version or _BUILD_POLICY.search(root.text("package.json") + root.text("pnpm-workspace.yaml"))
    builds = "--config.strict-dep-builds=false" if says else "--config.dangerously-allow-all-builds=true"
    return f"{_get('pnpm', version)} && pnpm install {frozen} {builds}"


def _yarn(root: _Root) -> str:
    lock = root.lock_head
    written = re.search(r"^__metadata:\s+version: (\d+)", lock, re.MULTILINE)
    modern = written or (not lock and root.text(".yarnrc.yml"))
    version = root.version or (_YARN.get(written[1], _NEWEST_YARN) if written else _NEWEST_YARN if modern else "1")
    if re.match(r"[\^~]?[01]\b", version):
        return f"{_get('yarn', version)} && yarn install {'--frozen-lockfile' if lock else '--no-lockfile'}"
    return f"{_get('@yarnpkg/cli-dist', version)} && yarn install {'--immutable' if lock else ''}".rstrip()


def _bun(root: _Root) -> str:
    frozen = "--frozen-lockfile" if root.lock else "--no-save"
    version = root.version or requested_bun(root.work_tree, str(root.folder)) or "1"
    return f"{_get('bun', version)} && bun install {frozen}"


_INSTALL: dict[Manager, Callable[[_Root], str]] = {"npm": _npm, "pnpm": _pnpm, "yarn": _yarn, "bun": _bun}
