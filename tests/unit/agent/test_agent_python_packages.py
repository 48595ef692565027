from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_agent_runner.preview.package_managers import python, python_packages

VENV = '"$HOME/.venv"'
MAKE = f"sh {Path(python.__file__).with_name('make_environment.sh')} {sys.executable}"
SCRIPT = Path(python.__file__).with_name("install_requirements.sh")
REQUIREMENTS = f"sh {SCRIPT} {sys.executable} uv"
PIP = f"{VENV}/bin/python -m pip install"
WARN = "echo 'warning: The project itself could not be installed.'"
UV = f"uv pip install --python {VENV}"
EXTRAS = "[project.optional-dependencies]\n"
PIPENV = f"VIRTUAL_ENV={VENV} uv tool run --python {VENV}/bin/python pipenv"
PDM = f"PDM_IGNORE_SAVED_PYTHON=1 VIRTUAL_ENV={VENV} uv tool run --from 'pdm[locked]' pdm"
PROJECT = '[project]\nname = "lunch"\nversion = "0.1.0"\n'
PAGES = f'{EXTRAS}images = ["pillow"]\nrecommended = ["mkdocs-minify-plugin>=0.7"]\n'
GROUPS = '[dependency-groups]\ndev = ["pytest"]\ndocs = [{include-group = "dev"}, "MkDocs-material"]\n'
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
        ({"Pipfile": "", "Pipfile.lock": "{}"}, f"{PIPENV} sync --dev"),
        ({"Pipfile": ""}, f"{PIPENV} install --dev --skip-lock"),
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
        (
            {"pyproject.toml": PROJECT + GROUPS, "mkdocs.yml": ""},
            f"{UV} -r pyproject.toml --group dev --group docs",
        ),
        (
            {"pyproject.toml": PROJECT + GROUPS, "uv.lock": "", "mkdocs.yaml": ""},
            f"UV_PROJECT_ENVIRONMENT={VENV} uv sync --frozen --group dev --group docs",
        ),
        ({"pyproject.toml": PROJECT + GROUPS}, f"{UV} -r pyproject.toml --group dev"),
        ({"uv.lock": "", "requirements.txt": ""}, f"UV_PROJECT_ENVIRONMENT={VENV} uv sync --frozen"),
        ({}, f"{PIP} django flask"),
    ],
)
def test_a_project_is_installed_as_its_files_say(tmp_path: Path, files: dict[str, str], install: str) -> None:
    _write(tmp_path, files)
    packages = python_packages(tmp_path, otherwise={"flask", "django"})
    assert f"{MAKE} && {install}" == packages.install
    assert packages.run("flask run") == f"{VENV}/bin/python -m flask run"


@pytest.mark.parametrize(
    ("files", "arguments"),
    [
        ({"requirements.txt": ""}, "-r requirements.txt"),
        (
            {"requirements.txt": "", "requirements-dev.txt": "", "dev-requirements.txt": ""},
            "-r requirements.txt -r requirements-dev.txt",
        ),
        (
            {"requirements/base.txt": "", "requirements/local.txt": "", "requirements/production.txt": ""},
            "-r requirements/base.txt -r requirements/local.txt",
        ),
        ({"requirements/prod.txt": ""}, "-r requirements/prod.txt"),
        ({"pyproject.toml": "[tool.black]\n", "requirements.txt": ""}, "-r requirements.txt"),
        ({"pyproject.toml": PROJECT, "requirements.txt": ""}, "-r requirements.txt"),
        (
            {"requirements.txt": "", "docs/requirements.txt": "", "mkdocs.yml": ""},
            "-r requirements.txt -r docs/requirements.txt",
        ),
        ({"requirements.txt": "", "docs/requirements.txt": ""}, "-r requirements.txt"),
        (
            {"pyproject.toml": PROJECT + BUILD + PAGES, "requirements.txt": "", "mkdocs.yml": ""},
            f"-r requirements.txt && {{ {PIP} --editable '.[recommended]' || {WARN}; }}",
        ),
        (
            {"pyproject.toml": PROJECT + BUILD, "requirements.txt": ""},
            f"-r requirements.txt && {{ {PIP} --no-deps --editable . || {WARN}; }}",
        ),
    ],
)
def test_requirements_are_installed_and_then_what_is_made_to_be(
    tmp_path: Path, files: dict[str, str], arguments: str
) -> None:
    _write(tmp_path, files)
    assert python_packages(tmp_path).install == f"{REQUIREMENTS} {arguments}"


def test_requirements_are_for_the_python_that_the_repository_names(tmp_path: Path) -> None:
    _write(tmp_path, {"requirements.txt": "", ".python-version": "3.9"})
    assert python_packages(tmp_path).install.endswith(f"|| {MAKE}; }} && {PIP} -r requirements.txt")


def test_packages_of_another_day_are_built_by_the_setuptools_of_then(tmp_path: Path) -> None:
    _write(tmp_path, {"Pipfile": "[requires]\npython_version = '3.7'\n", "Pipfile.lock": "{}"})
    make = f"uv venv --seed --allow-existing --python=3.7 {VENV} && {PIP} 'setuptools<46'"
    assert python_packages(tmp_path).install == f"{{ {make} || {MAKE}; }} && {PIPENV} sync --dev"


@pytest.fixture
def pythons(tmp_path: Path) -> Path:
    """A folder with a Python and a uv that make environments of which only that of 3.9 can install something."""
    folder = tmp_path / "bin"
    make = f'mkdir -p "$HOME/.venv/bin" && cp {folder}/pip "$HOME/.venv/bin/python" && echo'
    _write(folder, {
        "pip": '#!/bin/sh\ngrep -q 3.9 "$HOME/.venv/made" && exit\ncat "$HOME/failure" | tee "$5"\nexit 1\n',
        "python": f'#!/bin/sh\n{make} 3.13 > "$HOME/.venv/made"\n',
        "uv": f'#!/bin/sh\nrm -r "$HOME/.venv"; {make} $5 > "$HOME/.venv/made"\n',
    })  # fmt: skip
    for program in folder.iterdir():
        program.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("failure", "status", "made"),
    [
        ("ERROR: Failed to build installable wheels for some pyproject.toml based projects (greenlet)", 0, "3.9"),
        ("ERROR: Ignored the following versions: 1.21 Requires-Python >=3.7,<3.11; 2 Requires-Python >=3.9", 0, "3.9"),
        ("ERROR: Could not find a version that satisfies the requirement lunch==9 Requires-Python >=3.14", 1, "3.13"),
        ("HTTP error 401 while getting https://packages.example.com/", 1, "3.13"),
    ],
)
def test_requirements_of_another_day_are_installed_with_a_python_of_that_day(
    tmp_path: Path, pythons: Path, failure: str, status: int, made: str
) -> None:
    (tmp_path / "failure").write_text(failure)
    command = ["sh", str(SCRIPT), str(pythons / "python"), str(pythons / "uv"), "-r", "requirements.txt"]
    for _ in range(2):  # the second run, after a turn, leaves the environment as it is
        done = subprocess.run(command, env={**os.environ, "HOME": str(tmp_path)}, check=False, capture_output=True)
        assert done.returncode == status
        assert made in (tmp_path / ".venv/made").read_text()


@pytest.mark.parametrize(
    ("found", "times"),
    [
        ("echo 3.13.1", 1),
        ("echo 3.12.9", 2),
        ("echo 3.13.1; exit 1", 2),  # pip can't be imported
    ],
)
def test_an_environment_that_was_restored_is_made_again_only_if_it_is_of_no_use(
    tmp_path: Path, found: str, times: int
) -> None:
    made = f'mkdir -p "$HOME/.venv/bin"; cp {tmp_path}/found "$HOME/.venv/bin/python"; echo made >> "$HOME/made"'
    (tmp_path / "found").write_text(f"#!/bin/sh\n{found}\n")
    (tmp_path / "python").write_text(f"#!/bin/sh\ncase $1 in -c) echo 3.13.1 ;; -m) {made} ;; esac\n")
    for name in ("found", "python"):
        (tmp_path / name).chmod(0o755)
    command = ["sh", str(SCRIPT.with_name("make_environment.sh")), str(tmp_path / "python")]
    for _ in range(2):
        subprocess.run(command, env={**os.environ, "HOME": str(tmp_path)}, check=True)
    assert len((tmp_path / "made").read_text().splitlines()) == times


def test_what_a_folder_does_not_say_is_said_by_the_one_above(tmp_path: Path) -> None:
    _write(tmp_path, {"requirements.txt": "", "web app/Pipfile": "", "api/src/app.py": ""})
    assert python_packages(tmp_path, "api/src").install == f"{REQUIREMENTS} -r ../../requirements.txt"
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


@pytest.mark.parametrize(
    ("workspace", "is_locked"),
    [
        ('members = ["backend", "libs/*"]\n', True),
        ('members = ["*"]\nexclude = ["backend"]\n', False),
        ('members = ["libs/*"]\n', False),
    ],
)
def test_a_member_of_a_uv_workspace_is_installed_from_its_lock_file(
    tmp_path: Path, workspace: str, *, is_locked: bool
) -> None:
    _write(
        tmp_path,
        {
            "uv.lock": "",
            "pyproject.toml": f"[tool.uv.workspace]\n{workspace}",
            "backend/pyproject.toml": f"{PROJECT}{GROUPS}",
        },
    )
    locked = f"UV_PROJECT_ENVIRONMENT={VENV} uv sync --frozen --group dev"
    install = python_packages(tmp_path, "backend").install
    assert install.endswith(locked) == is_locked
    assert ("uv pip install" in install) != is_locked
