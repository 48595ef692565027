"""The file that has a Python project's application, and where its modules are imported from."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from cloud_agent_runner.preview.detection.folder import Folder

_USUAL = ("main.py", "app.py", "wsgi.py", "asgi.py", "server.py", "api.py", "autoapp.py", "streamlit_app.py", "Home.py",
          "*/main.py", "*/app.py", "*/__init__.py", "src/*/main.py", "src/*/app.py",
          "src/*/__init__.py")  # fmt: skip
_NO_APPLICATIONS = frozenset({"conftest.py", "fabfile.py", "manage.py", "noxfile.py", "setup.py", "tasks.py"})
READMES = ("README.md", "README.rst", "README.txt", "README")
_HERE = PurePath()
_IMPORTS = re.compile(r"^(?:from|import)[ \t]+(\.|\w+)", re.MULTILINE)


@dataclass(frozen=True)
class ApplicationFile:
    """A file of a folder, and what a pattern caught in it; `root` is the folder that its modules are imported from."""

    name: str
    caught: str = ""
    root: PurePath = _HERE

    @property
    def module(self) -> str:
        """The dotted name that it's imported by from `root`, for a shell."""
        parts = PurePath(self.name).with_suffix("").relative_to(self.root).parts
        return shlex.quote(".".join(parts[:-1] if parts[-1] == "__init__" else parts))

    def run(self, variables: str, command: str) -> str:
        """Return the command that runs with the variables, and finds the modules.

        Whatever `src` is in isn't where developers are when they start it. In another folder with modules of its own,
        they are.
        """
        if self.root.parts[:1] == ("src",):
            return f"PYTHONPATH={shlex.quote(str(self.root))} {variables}{command}"
        return f"cd {shlex.quote(str(self.root))} && {variables}{command}" if self.root.parts else variables + command


def file_with(folder: Folder, pattern: str, packages: Collection[str] = ()) -> ApplicationFile | None:
    """Return the first usual file that holds `pattern`, else the only one of another name in the folder that does.

    Of several, it's the one that a README names first. `packages` are the distributions that the project asks for.
    """
    for name in folder.files(_USUAL):
        if found := re.search(pattern, folder.text(name), re.MULTILINE):
            return ApplicationFile(name, _caught(found), _root(folder, name, packages))
    others = {
        name: found
        for name in folder.files(("*.py",))
        if name not in _NO_APPLICATIONS and not name.startswith("test_")
        if (found := re.search(pattern, folder.text(name), re.MULTILINE))
    }
    other = next(iter(others)) if len(others) == 1 else _named_first(folder, others)
    return ApplicationFile(other, _caught(others[other])) if other else None


def _caught(found: re.Match[str]) -> str:
    return next((group for group in found.groups() if group), "")


def _named_first(folder: Folder, names: Collection[str]) -> str | None:
    readme = folder.text(folder.first(*READMES) or "")
    places = {name: found.start() for name in names if (found := re.search(rf"\b{re.escape(name)}\b", readme))}
    return min(places, key=places.__getitem__, default=None)


def _root(folder: Folder, name: str, packages: Collection[str]) -> PurePath:
    """Return the folder from which a file's modules can be imported by the names that the file has for them."""
    place, has_init = PurePath(name).parent, PurePath(name).name == "__init__.py"
    if not place.parts:
        return place
    imported = set(_IMPORTS.findall(folder.text(name)))
    # `celery.py` in a package isn't what `import celery` there means.
    elsewhere = {*sys.stdlib_module_names, *(package.replace("-", "_") for package in packages)}
    beside = {PurePath(path).stem for path in folder.files((f"{place}/*.py", f"{place}/*/"))}
    if not has_init and not imported & {".", place.parts[0]} and (imported & beside) - elsewhere:
        return place
    is_in_src = place.parts[0] == "src" and "src" not in imported
    # A relative import needs a package around it, which `src` itself is then.
    is_package = place == PurePath("src") and (has_init or "." in imported)
    return PurePath("src") if is_in_src and not is_package else PurePath()
