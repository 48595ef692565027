"""`make images`: all images, built by the container engine that there is, each with its id and what is in it.

Base images that `make base-images` made are used in place of a registry's. `IMAGE_BUILD_ARGS` has arguments of the
Dockerfiles, `NAME=value` with spaces between: what it says holds wherever images are built.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cloud_agent_local import images
from cloud_agent_local.base_images import base_images
from cloud_agent_local.errors import ImageBuildError
from cloud_agent_local.image_contents import bill_of_materials
from cloud_agent_local.installation import PROJECT
from embedded_aws.containers.engine import PROGRAMS, Engine, find_engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLATFORM = "linux/amd64"  # what Fargate runs unless the stack says otherwise
LOCAL_UNITS = ("agent", "proxy")  # what `--containers` runs: nothing here takes an egress proxy
TAGS = {"agent": images.AGENT, "proxy": images.PROXY, "egress": "claude-cloud-agent/egress:local"}
CONTENTS = PROJECT / ".images"
_ARGUMENT = re.compile(r"^ARG (\w+)", re.MULTILINE)
_CERTIFICATES = "/run/certificates.crt"


def build(engine: Engine, unit: str, output: IO[bytes], platform: str = "") -> str:
    """Build one unit's image and return its id; what the engine has built before it doesn't build anew.

    Without `platform` it's built for this machine. An id isn't the digest by which a registry knows the image: that one
    comes with the push.

    Raises:
        ImageBuildError: it can't be built; why stands at the end of `output`.
    """
    with tempfile.TemporaryDirectory() as folder:
        image_id = Path(folder) / "id"
        arguments = ["--tag", TAGS[unit], "--iidfile", str(image_id)]
        if platform:
            arguments += ["--platform", platform]
        for base in base_images(PROJECT / unit / "Dockerfile"):
            if engine.has_image(base.stand_in):
                arguments += ["--build-arg", f"{base.argument}={base.stand_in}"]
        for name, value in build_arguments(os.environ).items():
            if name in _known_arguments(unit):
                arguments += ["--build-arg", f"{name}={value}"]
        if engine.is_podman or engine.is_buildah:
            # They mount files while they build, in the machine's own network rather than in one that they have to make.
            arguments += ["--layers", "--network", "host", *_trust(os.environ, Path(folder))]
        if engine.start("build", *arguments, str(PROJECT / unit), output=output).wait():
            raise ImageBuildError(f"{engine.program} can't build the image of {unit}/Dockerfile.")
        return image_id.read_text()


def build_arguments(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what IMAGE_BUILD_ARGS says, by name.

    Raises:
        ImageBuildError: one isn't `NAME=value`, or no Dockerfile has it.
    """
    given = environment.get("IMAGE_BUILD_ARGS", "").split()
    known = set().union(*map(_known_arguments, TAGS))
    for text in given:
        name, equals, _ = text.partition("=")
        if not equals or name not in known:
            raise ImageBuildError(f"IMAGE_BUILD_ARGS: {text} isn't NAME=value of a Dockerfile's argument.")
    return dict(text.split("=", 1) for text in given)


def _known_arguments(unit: str) -> set[str]:
    return set(_ARGUMENT.findall((PROJECT / unit / "Dockerfile").read_text()))


def _trust(environment: Mapping[str, str], folder: Path) -> list[str]:
    """Return the options by which a build knows the certificates that this machine was told to trust."""
    certificates = environment.get("SSL_CERT_FILE")
    if not certificates:
        return []
    pip = folder / "pip.conf"
    pip.write_text(f"[global]\ncert = {_CERTIFICATES}\n")
    npm = folder / "npmrc"
    npm.write_text(f"cafile={_CERTIFICATES}\n")
    mounts = {certificates: _CERTIFICATES, pip: "/etc/pip.conf", npm: "/usr/local/etc/npmrc"}
    return [option for source, target in mounts.items() for option in ("--volume", f"{source}:{target}:ro")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build all and print a line for each."""
    parser = argparse.ArgumentParser(prog="make images", description=__doc__)
    parser.add_argument("--platform", default=PLATFORM, help=f"what the images run on (default: {PLATFORM})")
    parser.add_argument("--contents", type=Path, default=CONTENTS, help="where to write what is in them")
    options = parser.parse_args(arguments)
    platform = options.platform
    engine = find_engine((*PROGRAMS, "buildah"))
    if engine is None:
        sys.stderr.write("No container engine answers: docker, podman, finch or buildah.\n")
        return 1
    try:
        image_ids = {unit: build(engine, unit, sys.stderr.buffer, platform) for unit in TAGS}
    except ImageBuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for unit, image_id in image_ids.items():
        contents = _contents(engine, unit, image_id, options.contents)
        sys.stdout.write(f"{TAGS[unit]}  {platform}  {image_id}  {contents}\n")
    return 0


def _contents(engine: Engine, unit: str, image_id: str, folder: Path) -> Path:
    """Write what is in the image and return where."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{unit}.cdx.json"
    file.write_text(json.dumps(bill_of_materials(engine, TAGS[unit], image_id), indent=1))
    return file


if __name__ == "__main__":
    sys.exit(main())
