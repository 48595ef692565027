"""Folders that a build makes: left out beside the file that describes it, as a name alone says too little."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What GitHub's template for `.gitignore` has for the tool that reads the file (github/gitignore: Node, Python, Rust,
# Maven, Gradle, Scala, Ruby, Elixir).
_FOLDERS = {
    "package.json": ("dist", "out", "coverage"),
    "pyproject.toml": ("dist", "build"),
    "setup.py": ("dist", "build"),
    "Cargo.toml": ("target",),
    "pom.xml": ("target",),
    "build.gradle": ("build",),
    "build.gradle.kts": ("build",),
    "build.sbt": ("target",),
    "Gemfile": ("coverage",),
    "mix.exs": ("_build", "cover", "deps"),
}
# Git's pathspecs for these files, and for all that is in such folders.
DESCRIPTIONS = [f":(glob)**/{name}" for name in _FOLDERS]
CONTENT = [f":(glob)**/{name}/**" for name in sorted({folder for names in _FOLDERS.values() for folder in names})]


def build_output(descriptions: Iterable[str], tracked: Iterable[str]) -> list[str]:
    """Return the folders beside files that describe a build, unless the repository has something in them.

    Whoever has committed to a folder `dist` or `build` means it to be there.
    """
    kept = {str(folder) for path in tracked for folder in PurePosixPath(path).parents}
    paths = map(PurePosixPath, descriptions)
    folders = {str(path.parent / name) for path in paths for name in _FOLDERS.get(path.name, ())}
    return sorted(folders - kept)
