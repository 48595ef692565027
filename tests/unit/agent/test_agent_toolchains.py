from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.kit.stack_template import ROOT

from cloud_agent_runner.preview.detection import dev_server_plan
from cloud_agent_runner.preview.package_managers import python, python_packages
from cloud_agent_runner.preview.toolchains import missing, requested_python, toolchain_setup
from cloud_agent_runner.preview.toolchains.installed import installed_version
from cloud_agent_runner.repository.config import RepositoryConfig
from cloud_agent_runner.workspace.user import WorkspaceUser

MISE = ROOT / ".node/node_modules/@jdxcode/mise-linux-x64/bin"
NPM = ("npm ci", "npm run dev")


@pytest.fixture(autouse=True)
def node_24_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the only toolchain of this machine."""
    versions = {"node": (24, 21, 0)}
    monkeypatch.setattr(missing, "installed_version", lambda program, *_: versions.get(program))


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def _work_tree(tmp_path: Path, **files: str) -> Path:
    work_tree = tmp_path / "repository"
    work_tree.mkdir()
    for name, content in files.items():
        (work_tree / name).write_text(content)
    return work_tree


def _missing(setup: str | None) -> list[str]:
    return setup.split()[2:] if setup else []


@pytest.mark.parametrize(
    ("files", "commands", "expected"),
    [
        ({}, NPM, []),
        ({".nvmrc": "24"}, NPM, []),
        ({".nvmrc": "24.1.0"}, NPM, []),
        ({".nvmrc": "lts/*"}, NPM, []),
        ({"package.json": '{"engines": {"node": ">=18"}}'}, NPM, []),
        ({".nvmrc": "20"}, NPM, ["node@20"]),
        ({".nvmrc": "20.11.1"}, (None, "make dev"), ["node@20.11.1"]),
        ({"package.json": '{"engines": {"node": ">=18 <23"}}'}, NPM, ["node@22"]),
        ({"package.json": '{"engines": {"node": ">=18 <23"}}'}, (None, "python -m http.server"), []),
        ({"package.json": '{"engines": {"node": ">=26"}}'}, NPM, ["node@26"]),
        ({"go.mod": "go 1.22\n"}, (None, "go run ."), ["go@1.22"]),
        ({"go.mod": "go 1.22\n"}, NPM, []),
        ({"go.mod": "go 1.22\n"}, (None, "make dev"), ["go@1.22"]),
        ({}, (None, "go run ."), ["go@latest"]),
        ({}, ("deno install", "deno task dev"), ["deno@latest"]),
        ({".tool-versions": "nodejs 18.20.0\ngolang 1.23.1\n"}, NPM, ["node@18.20.0", "go@1.23.1"]),
        (
            {"mise.toml": '[tools]\njust = "1.36"\nhugo = "latest"\nnpm = "1"\n'},
            ("make dev",),
            ["hugo-extended@latest", "just@1.36"],
        ),
        ({".tool-versions": "gohugo extended_0.140.0\ntask 3\n"}, NPM, ["hugo-extended@0.140.0", "task@3"]),
        ({"netlify.toml": '[build.environment]\nHUGO_VERSION = "0.1.2"\n'}, ("hugo server",), ["hugo-extended@0.1.2"]),
        ({}, ("deno task dev", "air"), ["deno@latest", "air@latest"]),
    ],
)
def test_what_the_machine_lacks_is_what_the_commands_need_or_a_version_file_names(
    tmp_path: Path, files: dict[str, str], commands: tuple[str | None, ...], expected: list[str]
) -> None:
    assert expected == _missing(toolchain_setup(_work_tree(tmp_path, **files), commands))


def test_toolchains_come_before_the_install_command(tmp_path: Path) -> None:
    work_tree = _work_tree(tmp_path, **{"package.json": '{"scripts": {"dev": "vite"}}', ".nvmrc": "20"})
    detected, own, only_dev = (
        dev_server_plan(work_tree, config)
        for config in (RepositoryConfig(), RepositoryConfig(install="make deps"), RepositoryConfig(dev="make dev"))
    )
    assert [str(plan.install).partition(" node@20")[2] for plan in (detected, own, only_dev)] == [
        " && npm install --no-package-lock",
        " && make deps",
        "",
    ]


def _run(command: str, home: Path, path: Path | str) -> str:
    environment = WorkspaceUser(home, None).environment()
    environment["PATH"] = f"{home}/.local/bin:{path}:/usr/bin:/bin"
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


@pytest.mark.skipif(not MISE.is_dir(), reason="the Node packages aren't installed: make lint")
def test_mise_gets_what_is_missing_and_says_what_it_cannot_get(tmp_path: Path) -> None:
    """mise knows a Node.js 18 here, as though it had been downloaded, and finds nothing on the network."""
    _program(tmp_path / "node18" / "bin", "node", "echo v18.20.8")
    work_tree = _work_tree(tmp_path, **{".nvmrc": "18", ".tool-versions": "golang 1.23.1\n"})
    (work_tree / "mise.toml").write_text("[hooks]\nenter = 'touch ran'\n")
    home = tmp_path / "home"
    home.mkdir()
    _run(f"mise link node@18.20.8 {tmp_path / 'node18'}", home, MISE)
    (home / ".local/bin").mkdir()
    (home / ".local/bin/gone").symlink_to(home / ".local/share/mise/installs/ruby/3/bin/gone")

    output = _run(f"cd {work_tree} && {toolchain_setup(work_tree, NPM)} && node --version", home, MISE)

    assert "warning: mise can't get go@1.23.1. What is on the PATH is used.\nv18.20.8\n" in output
    assert "mise ERROR Failed to install core:go@1.23.1" in output
    assert [path.name for path in (home / ".local/bin").iterdir()] == ["node"]
    assert not (work_tree / "ran").exists()


def test_without_mise_it_is_said_and_the_machines_own_is_used(tmp_path: Path) -> None:
    _program(tmp_path / "machine", "node", "echo v24.21.0")
    work_tree = _work_tree(tmp_path, **{".nvmrc": "18"})
    output = _run(f"{toolchain_setup(work_tree, NPM)} && node --version", tmp_path, tmp_path / "machine")
    assert output == (
        "warning: node@18 isn't installed, and neither is mise to get it. What is on the PATH is used.\nv24.21.0\n"
    )


def test_what_programs_print_is_their_version() -> None:
    assert sys.version_info[:3] == installed_version(sys.executable, "--version")
    assert installed_version("no-such-program") is None
    assert installed_version("false") is None


def test_another_python_is_uvs_to_get(tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    work_tree = _work_tree(tmp_path, **{".python-version": version, "requirements.txt": ""})
    assert requested_python(work_tree) is None
    (work_tree / ".python-version").write_text("3.8")
    assert requested_python(work_tree) == "3.8"
    venv = '"$HOME/.venv"'
    uv = f"venv --seed --allow-existing --python=3.8 {venv}"
    own = f"sh {Path(python.__file__).with_name('make_environment.sh')} {sys.executable}"
    assert f"{uv} || {own}; }} && {venv}/bin/python" in python_packages(work_tree).install
