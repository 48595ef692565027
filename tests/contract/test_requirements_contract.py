"""What each deployable unit ships is enough to import all of it, and is what the tests ran with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
# Unit -> the folder its package lies in, and its requirements.
UNITS = {"functions": "functions", "proxy": "proxy/src", "agent": "agent/src"}
REQUIREMENTS = {
    "functions": "functions/dependencies/requirements.txt",
    "proxy": "proxy/requirements.txt",
    "agent": "agent/requirements.txt",
}
IMPORT_ALL = """
import importlib, pkgutil, sys
for found in pkgutil.iter_modules([sys.argv[1]]):
    package = importlib.import_module(found.name)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            print(module.name)
"""


def pinned(requirements: Path) -> dict[str, str]:
    """Name -> version."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==([^\s;]+)", requirements.read_text(), re.MULTILINE))


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_imports_with_its_own_requirements_alone(unit: str, tmp_path: Path) -> None:
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    requirements = PROJECT / REQUIREMENTS[unit]
    options = ["--quiet", "--require-hashes", "--no-deps", "--python", str(python), "--requirement", str(requirements)]
    subprocess.run([UV, "pip", "install", *options], check=True)

    folder = str(PROJECT / UNITS[unit])
    imported = subprocess.run(
        [python, "-c", IMPORT_ALL, folder],
        env={"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "us-east-1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert imported.returncode == 0, imported.stderr
    assert len(imported.stdout.splitlines()) > 5


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_ships_the_versions_that_the_tests_ran_with(unit: str) -> None:
    tested = pinned(PROJECT / "requirements" / "dev.txt")
    shipped = pinned(PROJECT / REQUIREMENTS[unit])

    assert shipped != {}
    assert {name: tested.get(name) for name in shipped} == shipped


@pytest.mark.parametrize(
    "path",
    [*(f"requirements/{name}.txt" for name in ("dev", "servers", "uv", "checkov")), *REQUIREMENTS.values()],
)
def test_a_lock_names_hashes_and_no_registry(path: str) -> None:
    text = (PROJECT / path).read_text()

    assert text.count("==") <= text.count("--hash=sha256:")
    assert "://" not in text


@pytest.mark.parametrize("folder", ["requirements/node", "agent/browser"])
def test_a_lock_of_nodes_packages_names_hashes_and_no_registry(folder: str) -> None:
    lock = json.loads((PROJECT / folder / "package-lock.json").read_text())

    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not any("resolved" in package for package in packages)


def test_a_layer_for_this_machine_is_built_in_local_modes_folder_alone(tmp_path: Path) -> None:
    built = subprocess.run(
        ["make", "build-DependenciesLayer"],
        cwd=PROJECT / "functions" / "dependencies",
        env={
            **os.environ,
            "CLOUD_AGENT_LOCAL_PYTHON": sys.executable,
            "ARTIFACTS_DIR": str(tmp_path / ".aws-sam/build/X"),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert built.returncode != 0
    assert "Unset it to build for AWS" in built.stderr
    assert list(tmp_path.iterdir()) == []
