"""What is in an image, read out of its own files: the packages of Debian, Python and npm, and the programs beside them.

Nothing of the image is run, so that it may be for another processor than this machine's.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from email.parser import HeaderParser
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from cloud_agent_local.errors import ImageBuildError
from embedded_aws.containers.engine import Engine

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

_DEBIAN = "var/lib/dpkg/status"
_PYTHON = re.compile(r"\.(?:dist|egg)-info/(?:METADATA|PKG-INFO)$")
_NPM = re.compile(r"node_modules/(?:@[^/]+/)?[^/]+/package\.json$")
# Programs of no package: a line with the package URL of each.
_PROGRAMS = "usr/local/share/programs"
# Of buildah, which has no export; its errors would be in the archive.
_ARCHIVE = 'exec tar --create --directory="$("$0" mount "$1")" . 2>/dev/null'


def bill_of_materials(engine: Engine, image: str, image_id: str) -> dict[str, Any]:
    """Return what an image holds as a CycloneDX document ("CycloneDX: JSON Reference", 1.6).

    Raises:
        ImageBuildError: the engine can't read it.
    """
    is_buildah = engine.is_buildah
    container = engine.run("from", "--pull-never", image) if is_buildah else engine.run("create", image)
    try:
        export = _mounted(engine, container) if is_buildah else engine.start("export", container)
        assert export.stdout  # noqa: S101 - for the type checker: it's a pipe
        with export.stdout as archive:
            document = bill_of_materials_of(archive, image, image_id)
            archive.read()  # what follows the archive's end, without which the engine would fail to write it
        if export.wait():
            raise ImageBuildError(f"{engine.program} can't read the image {image}.")
    finally:
        engine.run("rm", *(() if is_buildah else ("--volumes",)), container)
    return document


def _mounted(engine: Engine, container: str) -> subprocess.Popen[bytes]:
    """Start to archive a container's files where buildah mounts them: for others than root that's in a namespace."""
    script = ("-c", _ARCHIVE, engine.program, container)
    is_root = os.getuid() == 0
    return Engine("sh", engine.environment).start(*script) if is_root else engine.start("unshare", "sh", *script)


def bill_of_materials_of(archive: IO[bytes], image: str, image_id: str) -> dict[str, Any]:
    """Return the document of an image whose files are in `archive`."""
    with tarfile.open(fileobj=archive, mode="r|") as files:
        urls = sorted({url for file in files for url in _package_urls(files, file)})
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": image, "version": image_id}},
        "components": [_component(url) for url in urls],
    }


def _component(url: str) -> dict[str, str]:
    kind, _, name = url.partition("?")[0].partition("/")
    name, _, version = unquote(name).rpartition("@")
    if kind in {"pkg:deb", "pkg:github"}:
        name = name.rpartition("/")[2]
    type_ = "application" if kind in {"pkg:generic", "pkg:github"} else "library"
    return {"type": type_, "bom-ref": url, "name": name, "version": version, "purl": url}


def _package_urls(files: tarfile.TarFile, file: tarfile.TarInfo) -> Iterator[str]:
    """Return the package URLs that a file names ("package-url: PURL specification")."""
    name = file.name.removeprefix("./")
    if not file.isfile():
        return
    if name == _DEBIAN:
        yield from _debian(_text(files, file))
    elif name == _PROGRAMS:
        yield from _text(files, file).split()
    elif _PYTHON.search(name):
        about = HeaderParser().parsestr(_text(files, file))
        yield f"pkg:pypi/{re.sub('[-_.]+', '-', about['Name'].lower())}@{quote(about['Version'])}"
    elif _NPM.search(name):
        package = json.loads(_text(files, file))
        if "name" in package and "version" in package:
            yield f"pkg:npm/{quote(package['name'])}@{quote(package['version'])}"


def _debian(status: str) -> Iterator[str]:
    for paragraph in status.split("\n\n"):
        about = HeaderParser().parsestr(paragraph)
        if (about["Status"] or "").endswith(" installed"):
            yield f"pkg:deb/debian/{about['Package']}@{quote(about['Version'])}?arch={about['Architecture']}"


def _text(files: tarfile.TarFile, file: tarfile.TarInfo) -> str:
    content: IO[bytes] | None = files.extractfile(file)
    assert content  # noqa: S101 - for the type checker: it's a regular file
    return content.read().decode(errors="replace")
