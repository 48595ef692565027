"""Each emulator could be a repository of its own: it needs what its pyproject.toml says and nothing from here."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

EMULATORS = {"aws": "embedded_aws", "github": "local_github", "model": "scripted_model"}
BROUGHT_ALONG = {"botocore": "boto3"}  # by a distribution whose version it shares


def _project(root: Path, folder: str) -> dict[str, Any]:
    return tomllib.loads((root / "emulators" / folder / "pyproject.toml").read_text())


def _names(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[\[<>=]", requirement, maxsplit=1)[0] for requirement in requirements}


def _imported(folder: Path) -> Iterator[tuple[str, str]]:
    """Every top-level package that is imported below a folder, with the file."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            yield from ((module.partition(".")[0], str(path)) for module in modules)


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def _unknown(folder: Path, package: str, distributions: set[str]) -> list[tuple[str, str]]:
    installed = _distributions()

    def is_known(module: str) -> bool:
        providers = {name.lower() for name in installed.get(module, [])}
        providers |= {BROUGHT_ALONG[name] for name in providers & BROUGHT_ALONG.keys()}
        return module in sys.stdlib_module_names or module == package or bool(providers & distributions)

    return [(module, path) for module, path in _imported(folder) if not is_known(module)]


@pytest.mark.parametrize(("folder", "package"), EMULATORS.items())
def test_an_emulator_imports_what_it_declares_and_nothing_else(root: Path, folder: str, package: str) -> None:
    project = _project(root, folder)
    needed = _names(project["project"]["dependencies"])
    testing = needed | _names(project["project"].get("optional-dependencies", {}).get("testing", []))
    source = root / "emulators" / folder / "src" / package
    assert [path for path in _unknown(source, package, testing) if "/testing" in path[1]] == []
    assert [path for path in _unknown(source, package, needed) if "/testing" not in path[1]] == []
    tests = testing | _names(project["dependency-groups"]["test"])
    assert _unknown(root / "emulators" / folder / "tests", package, tests) == []


@pytest.mark.parametrize("folder", EMULATORS)
def test_what_an_emulator_needs_is_in_this_repositorys_environment(root: Path, folder: str) -> None:
    project = _project(root, folder)
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (root / "requirements/dev.txt").read_text(), re.MULTILINE))
    assert _names(project["project"]["dependencies"]) <= locked.keys()
    pinned = [requirement.split("==") for requirement in project["project"]["dependencies"] if "==" in requirement]
    assert all(locked[name] == version for name, version in pinned)


@pytest.mark.parametrize(("folder", "package"), EMULATORS.items())
def test_an_emulators_readme_starts_it_and_says_where_its_truth_comes_from(
    root: Path, folder: str, package: str
) -> None:
    name = package.replace("_", "-")
    readme = (root / "emulators" / folder / "README.md").read_text()
    headings = re.findall(r"^## (.+)$", readme, re.MULTILINE)
    assert headings == [
        "Start it",
        "What it emulates",
        "Where its truth comes from",
        "Use it in tests",
        "Test it",
    ]
    assert f"uvx --from ./emulators/{folder} {name} " in readme
    assert _project(root, folder)["project"]["scripts"] == {name: f"{package}.__main__:main"}
    used = re.findall(r"(?<!-)--[a-z][a-z-]*", readme)
    accepted = (root / "emulators" / folder / "src" / package / "__main__.py").read_text()
    assert [option for option in used if option not in {"--from", "--serve"} and f'"{option}"' not in accepted] == []
