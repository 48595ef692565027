"""What a repository's installed dependencies follow from, as one hash: another one means another installation."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING

from cloud_agent_runner.task_metadata import task_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Raised whenever what an archive holds changes, so that older ones aren't found any more.
_FORMAT = 1
# Lock files, what they are made of, and what names a version, of whatever folder of the repository.
_NAMES = re.compile(
    r"package\.json|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|pnpm-workspace\.yaml|\.pnpmfile\.c?js"
    r"|yarn\.lock|\.yarnrc(\.yml)?|bun\.lockb?|bunfig\.toml|\.npmrc|deno\.(jsonc?|lock)|.*\.patch"
    r"|(.*[-_.])?requirements([-_.].*)?\.(txt|in)|constraints.*\.txt|pyproject\.toml|setup\.(py|cfg)"
    r"|(uv|poetry|pdm)\.lock|Pipfile(\.lock)?|Gemfile(\.lock)?|.*\.gemspec|composer\.(json|lock)|go\.(mod|sum|work)"
    r"|Cargo\.(toml|lock)|mix\.(exs|lock)|pom\.xml|.*\.gradle(\.kts)?|gradle\.lockfile"
    r"|\.nvmrc|\.tool-versions|\.?mise\.toml|runtime\.txt|rust-toolchain(\.toml)?|\.[a-z]+-version"
)


async def image_id(metadata_uri: str | None) -> str:
    """Return the digest of the container's image ("Amazon ECS: Task metadata endpoint version 4"), if it has one."""
    if metadata_uri is None:
        return ""
    metadata = await task_metadata(metadata_uri)
    return str(metadata.get("ImageID") or metadata.get("Image") or "")


def dependency_key(install: str, files: Mapping[str, str], *, image: str, home: Path) -> str | None:
    """Return the key of what `install` makes of these files, blobs by their paths; None where nothing is depended on.

    Installed programs name the folders that they are in, so the home counts, too.
    """
    found = {path: blob for path, blob in files.items() if _counts(path)}
    if not found:
        return None
    system = [sys.platform, platform.machine(), platform.python_version(), image]
    content = json.dumps([_FORMAT, install, system, str(home), sorted(found.items())])
    return hashlib.sha256(content.encode(errors="surrogateescape")).hexdigest()


def _counts(path: str) -> bool:
    parts = PurePath(path)
    in_folder = parts.parts[:1] == ("requirements",) and parts.suffix in {".txt", ".in"}
    return in_folder or _NAMES.fullmatch(parts.name) is not None
