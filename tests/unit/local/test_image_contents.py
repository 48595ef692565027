"""An image's list of contents is read out of the archive that a container engine makes of it."""

from __future__ import annotations

import io
import tarfile

from cloud_agent_local.image_contents import bill_of_materials_of

FILES = {
    "var/lib/dpkg/status": (
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41-12+deb13u1\n\n"
        "Package: removed\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n"
    ),
    "opt/cloud-agent/Some_Package-1.0.dist-info/METADATA": "Name: Some_Package\nVersion: 1.0\n\nWords.\n",
    "usr/local/lib/node_modules/npm/node_modules/@npmcli/fs/package.json": '{"name": "@npmcli/fs", "version": "4.0.0"}',
    "usr/local/lib/node_modules/npm/node_modules/@npmcli/fs/lib/package.json": '{"type": "module"}',
    "usr/local/share/programs": "pkg:generic/node@24.1.0\npkg:github/jdx/mise@v2026.9.14\n",
    "home/workspace/notes": "Package: none",
}


def test_packages_of_debian_python_and_npm_and_programs_beside_them_are_listed() -> None:
    document = bill_of_materials_of(_archive(), "agent:1", "sha256:abc")

    assert document["metadata"]["component"] == {"type": "container", "name": "agent:1", "version": "sha256:abc"}
    assert [component["purl"] for component in document["components"]] == [
        "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=amd64",
        "pkg:generic/node@24.1.0",
        "pkg:github/jdx/mise@v2026.9.14",
        "pkg:npm/%40npmcli/fs@4.0.0",
        "pkg:pypi/some-package@1.0",
    ]


def test_a_component_has_a_name_and_a_version_for_readers() -> None:
    (libc, *_, npm, _) = bill_of_materials_of(_archive(), "agent:1", "sha256:abc")["components"]

    assert (libc["type"], libc["name"], libc["version"]) == ("library", "libc6", "2.41-12+deb13u1")
    assert (npm["name"], npm["version"]) == ("@npmcli/fs", "4.0.0")


def _archive() -> io.BytesIO:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, text in FILES.items():
            file = tarfile.TarInfo(name)
            file.size = len(text)
            archive.addfile(file, io.BytesIO(text.encode()))
    written.seek(0)
    return written
