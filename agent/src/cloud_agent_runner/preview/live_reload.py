"""Which dev servers reload their pages in the browser themselves, told by the programs that run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# By the name of the program, or of the package that it is in.
_RELOADING = frozenset(
    {
        *("astro", "browser-sync", "docusaurus", "eleventy", "expo", "farm", "five-server", "gatsby"),
        *("live-server", "lite-server", "livereload", "mkdocs", "next", "next-server", "ng", "nicegui", "nuxi", "nuxt"),
        *("parcel", "quasar", "react-router", "react-scripts", "remix", "rsbuild", "rspack", "sphinx-autobuild"),
        *("storybook", "streamlit", "vinxi", "vite", "vitepress", "vue-cli-service", "vuepress", "webpack-dev-server"),
    }
)


def reloads_pages(pid: int) -> bool:
    """Say whether what a process has started includes a program that reloads its pages in the browser itself."""
    with suppress(psutil.NoSuchProcess):
        return any(_reloads(command) for command in _commands_below(pid))
    return False


def _commands_below(pid: int) -> Iterator[list[str]]:
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.Error):
            yield process.cmdline()


def _reloads(command: Sequence[str]) -> bool:
    names = set(_names(command))
    return not names.isdisjoint(_RELOADING) or ("webpack" in names and "serve" in command)


def _names(command: Sequence[str]) -> Iterator[str]:
    """Yield what a command runs: its program, or the interpreter and its program, and the packages that they are of."""
    program, *arguments = command or [""]
    for word in (program, next((word for word in arguments if not word.startswith("-")), "")):
        # (`next-server (v15.1.0)` is a title that a process gave itself)
        yield PurePosixPath(word.partition(" ")[0]).stem
        _, found, package = word.rpartition("node_modules/")
        if found:
            yield package.partition("/")[0]
