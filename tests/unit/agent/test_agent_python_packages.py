from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from cloud_agent_runner.preview.package_managers import python, python_packages

if TYPE_CHECKING:
    from pathlib import Path

VENV = '"$HOME/.venv"'
MAKE = f"{sys.executable} -m venv {VENV}"
PIP = f"{VENV}/bin/python -m pip install"
UV = f"uv pip install --python {VENV}"
EXTRAS = "[project.optional-dependencies]\n"
PDM = f"PDM_IGNORE_SAVED_PYTHON=1 VIRTUAL_ENV={VENV} uv tool run --from 'pdm[locked]' pdm"
PROJECT = '[project]\nname = "lunch"\nversion = "0.1.0"\n'
BUILD = '[build-system]\nrequires = ["hatchling"]\n'


@pytest.fixture(autouse=True)
def uv_is_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "which", lambda name: f"/usr/local/bin/{name}")


def _write(work_tree: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (work_tree / name).parent.mkdir(parents=True, exist_ok=True)
        (work_tree / name).write_text(content)


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"requirements.txt": ""}, f"{PIP} -r requirements.txt"),
        (
            {"requirements.txt": "", "requirements-dev.txt": "", "dev-requirements.txt": ""},
            f"{PIP} -r requirements.txt -r requirements-dev.txt",
        ),
        (
            {"requirements/base.txt": "", "requirements/local.txt": "", "requirements/production.txt": ""},
            f"{PIP} -r requirements/base.txt -r requirements/local.txt",
        ),
        ({"requirements/prod.txt": ""}, f"{PIP} -r requirements/prod.txt"),
        ({"uv.lock": "", "pyproject.toml": PROJECT}, f"UV_PROJECT_ENVIRONMENT={VENV} uv sync --frozen"),
        (
            {"uv.lock": "", "pyproject.toml": f"{PROJECT}{EXTRAS}dev = []\ndocs = []\n"},
            f"UV_PROJECT_ENVIRONMENT={VENV} uv sync --frozen --extra dev",
        ),
        (
            {"poetry.lock": "", "pyproject.toml": "[tool.poetry]\npackage-mode = false\n"},
            f"VIRTUAL_ENV={VENV} uv tool run poetry install --no-interaction --no-root",
        ),
        (
            {"poetry.lock": "", "pyproject.toml": '[tool.poetry]\nname = "my-lunch"\n', "my_lunch/__init__.py": ""},
            f"VIRTUAL_ENV={VENV} uv tool run poetry install --no-interaction",
        ),
        (
            {"pyproject.toml": '[tool.poetry]\nname = "my-lunch"\n[tool.poetry.dependencies]\nflask = "*"\n'},
            f"VIRTUAL_ENV={VENV} uv tool run poetry install --no-interaction --no-root",
        ),
        (
            {"pdm.lock": "", "pyproject.toml": PROJECT},
            f"{PDM} install --frozen-lockfile --no-self",
        ),
        (
            {"pdm.lock": "", "pyproject.toml": PROJECT + BUILD},
            f"{PDM} install --frozen-lockfile",
        ),
        ({"Pipfile": "", "Pipfile.lock": "{}"}, f"VIRTUAL_ENV={VENV} uv tool run pipenv sync --dev"),
        ({"Pipfile": ""}, f"VIRTUAL_ENV={VENV} uv tool run pipenv install --dev --skip-lock"),
        (
            {"pyproject.toml": PROJECT, "models/__init__.py": "", "views/__init__.py": ""},
            f"{UV} -r pyproject.toml",
        ),
        (
            {"pyproject.toml": f"{PROJECT}{EXTRAS}dev = []\n[dependency-groups]\nlocal = []\n"},
            f"{UV} -r pyproject.toml --extra dev --group local",
        ),
        (
            {"pyproject.toml": f"{PROJECT}{BUILD}{EXTRAS}dev = []\nlocal = []\n"},
            f"{UV} --editable '.[dev,local]'",
        ),
        ({"pyproject.toml": PROJECT, "src/lunch/__init__.py": ""}, f"{UV} --editable ."),
        ({"setup.py": ""}, f"{UV} --editable ."),
        ({"pyproject.toml": "[tool.black]\n", "requirements.txt": ""}, f"{PIP} -r requirements.txt"),
        ({"uv.lock": "", "requirements.txt": ""}, f"UV_PROJECT_ENVIRONMENT={VENV} uv sync --frozen"),
        ({}, f"{PIP} django flask"),
    ],
)
def test_a_project_is_installed_as_its_files_say(tmp_path: Path, files: dict[str, str], install: str) -> None:
    _write(tmp_path, files)
    packages = python_packages(tmp_path, otherwise={"flask", "django"})
    assert f"{MAKE} && {install}" == packages.install
    assert packages.run("flask run") == f"{VENV}/bin/python -m flask run"


def test_what_a_folder_does_not_say_is_said_by_the_one_above(tmp_path: Path) -> None:
    _write(tmp_path, {"requirements.txt": "", "web app/Pipfile": "", "api/src/app.py": ""})
    assert python_packages(tmp_path, "api/src").install == f"{MAKE} && {PIP} -r ../../requirements.txt"
    assert python_packages(tmp_path, "web app/src").install.startswith(f"{MAKE} && cd .. && VIRTUAL_ENV=")
    assert python_packages(tmp_path / "api").install == MAKE


def test_what_stands_in_condas_file_is_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "environment.yml").touch()
    install = python_packages(tmp_path, otherwise={"flask"}).install
    assert install.startswith(
        f"{MAKE} && {PIP} flask && echo 'warning: Sessions have no conda to install environment.yml."
    )
    (tmp_path / "requirements.txt").touch()
    assert "conda" not in python_packages(tmp_path).install


def test_where_uv_is_not_on_path_it_is_the_supervisors_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "which", lambda _: None)
    (tmp_path / "setup.py").touch()
    assert "/bin/uv pip install" in python_packages(tmp_path).install
