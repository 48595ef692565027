"""The images that the Dockerfiles build on, made of Debian's and npm's packages where there's no registry to pull from.

They stand in for Docker's official ones: the same programs, of the same versions up to the minor one, from the package
sources that this machine is configured for. `make base-images` makes them; every later build then uses them.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_local.errors import ImageBuildError, MissingToolError
from cloud_agent_local.installation import PROJECT
from embedded_aws.containers.engine import EngineError, find_engine

if TYPE_CHECKING:
    from embedded_aws.containers.engine import Engine

UNITS = ("agent", "proxy", "egress")
_ARGUMENT = re.compile(r"^ARG (\w+_IMAGE)=(\S+)$", re.MULTILINE)
_PYTHON = re.compile(r"python:(?P<version>\d+\.\d+)")
_NODE = re.compile(r"node:(?P<version>\d+)")
_DEBIAN = re.compile(r"debian:(?P<version>\d+)")
_SUITES = {"12": "bookworm", "13": "trixie"}
_DEBIAN_WITH_PYTHON = {"3.11": "bookworm", "3.13": "trixie"}  # each release of Debian has one Python
_PROCESSORS = {"x86_64": "x64", "aarch64": "arm64"}  # as Linux names them and as Node.js does
_NPM_OF_NODE = {"20": "10", "22": "10", "24": "11"}
_PACKAGES = "ca-certificates,netbase,tzdata,python-is-python3,python3-dev,python3-pip,python3-venv"
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/lib/*/libpython*.a")
_PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HOOKS = (
    'ln -s /usr/bin/python3 "$1/usr/local/bin/python3" && ln -s python3 "$1/usr/local/bin/python"',
    'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',  # the image's Python is there to be installed into
    'find "$1"/usr/lib/python3* -name "*.pyc" -delete',  # Docker's has none either (docker-library/python: Dockerfile)
)


@dataclass(frozen=True)
class BaseImage:
    """A base image as a Dockerfile asks for it: the build argument that names it, and its default."""

    argument: str
    name: str

    @property
    def stand_in(self) -> str:
        """The name of the image that stands in for it."""
        return f"localhost/claude-cloud-agent-base/{self.name.partition('@')[0]}"


def base_images(dockerfile: Path) -> list[BaseImage]:
    """Return the base images that a Dockerfile has an argument for."""
    return [BaseImage(*found) for found in _ARGUMENT.findall(dockerfile.read_text())]


def make_all(engine: Engine) -> list[str]:
    """Guarantee that there's a stand-in for each Dockerfile's base images; returns those that it made.

    Raises:
        MissingToolError: names what is to be installed.
        ImageBuildError: says which image can't be made, and why.
    """
    wanted = {image for unit in UNITS for image in base_images(PROJECT / unit / "Dockerfile")}
    made = []
    for image in sorted(wanted, key=lambda image: image.name):
        if not engine.has_image(image.stand_in):
            _make(engine, image)
            made.append(image.stand_in)
    return made


def _make(engine: Engine, image: BaseImage) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "root.tar"
        if found := _PYTHON.match(image.name):
            _write_debian_with_python(archive, found["version"])
        elif found := _DEBIAN.match(image.name):
            _write_debian(archive, _SUITES[found["version"]])
        elif found := _NODE.match(image.name):
            _write_node(archive, found["version"], Path(folder))
        else:
            raise ImageBuildError(f"{image.name} can't be made of packages: only python:…, debian:… and node:… can.")
        engine.run("import", "--change", _PATH, str(archive), image.stand_in)


def _write_debian_with_python(archive: Path, version: str) -> None:
    suite = _DEBIAN_WITH_PYTHON.get(version)
    if suite is None:
        raise ImageBuildError(f"No release of Debian has Python {version}.")
    _write_debian(archive, suite, f"--include={_PACKAGES}", *(f"--customize-hook={hook}" for hook in _HOOKS))


def _write_debian(archive: Path, suite: str, *options: str) -> None:
    argv = ["mmdebstrap", "--quiet", "--variant=minbase", *options]
    argv += [f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT]
    _run([*argv, suite, str(archive), "-"], sources=_apt_sources(suite))


def _apt_sources(suite: str) -> str:
    """Return this machine's own package sources, for another release of Debian."""
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted(folder.glob("sources.list.d/debian*.sources"))]
    text = "\n".join(file.read_text() for file in files if file.exists())
    own = re.search(r"^VERSION_CODENAME=(\w+)$", Path("/etc/os-release").read_text(), re.MULTILINE)
    return text.replace(own[1], suite) if own else text


def _write_node(archive: Path, version: str, folder: Path) -> None:
    """Write what other images copy from Node's image, and nothing that it would take to run in it."""
    local = folder / "usr" / "local"
    modules = local / "lib" / "node_modules"
    for package, into in (
        (f"node-linux-{_PROCESSORS[platform.machine()]}@{version}", local),
        (f"npm@{_NPM_OF_NODE.get(version, 'latest')}", modules / "npm"),
        ("corepack", modules / "corepack"),
    ):
        packed = folder / _run(["npm", "pack", "--silent", package], cwd=folder).split()[-1]
        into.mkdir(parents=True, exist_ok=True)
        # tarfile refuses paths that lead elsewhere only since 3.11.4, which is later than Debian 12's.
        _run(["tar", "-xzf", str(packed), "--no-same-owner", "--strip-components=1", "-C", str(into)])
    with tarfile.open(archive, "w") as root:
        root.add(local / "bin" / "node", "usr/local/bin/node")
        root.add(modules, "usr/local/lib/node_modules")


def _run(argv: list[str], *, sources: str = "", cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(argv, input=sources.encode(), capture_output=True, cwd=cwd, check=False)  # noqa: S603 - argv is put together here
    except FileNotFoundError as error:
        raise MissingToolError(
            f"{argv[0]} is not on the PATH. Install it (Debian: apt-get install {argv[0]})."
        ) from error
    if done.returncode:
        raise ImageBuildError(f"{argv[0]} failed:\n{done.stderr.decode(errors='replace')[-2_000:]}")
    return done.stdout.decode()


def main() -> int:
    """Make those that are missing, with the engine that there is."""
    engine = find_engine()
    if engine is None:
        sys.stderr.write("No container engine answers: docker, podman or finch.\n")
        return 1
    try:
        for name in make_all(engine):
            sys.stdout.write(f"{name}\n")
    except (EngineError, ImageBuildError, MissingToolError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
