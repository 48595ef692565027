"""Evidence: the main packages of a Go module, as far as they serve anything."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.detection.found import Program

if TYPE_CHECKING:
    from cloud_agent_runner.preview.detection.folder import Folder

# Those of `cmd/` whose names say that they have the pages or the API; others may be tools and workers.
_SERVERS = ("web", "server", "app", "api", "http", "httpd", "serve", "backend", "site")
_FRAMEWORK = re.compile(
    r"^[ \t]*(?:require[ \t]+)?(?:github\.com/(?:gin-gonic/gin|labstack/echo|gofiber/fiber|go-chi/chi|gorilla/mux|"
    r"valyala/fasthttp|julienschmidt/httprouter|beego/beego|pocketbase/pocketbase|danielgtaylor/huma)|"
    r"goa\.design/goa)\S*[ \t]+v\S+\s*$",  # one that only another one needs has a comment that says so
    re.MULTILINE,
)
_SERVES = re.compile(r"\bListenAndServe\w*\(|\bhttp\.(?:Server\{|Serve\()")
_IS_MAIN = re.compile(r"^package main\b", re.MULTILINE)
_COMMANDS = re.compile(
    r"^[ \t]*(?:require[ \t]+)?github\.com/(?:spf13/cobra|urfave/cli)\S*[ \t]+v\S+\s*$", re.MULTILINE
)
_SERVING_COMMAND = re.compile(r"""\b(?:Use|Name):\s*"(serve|server|start|web|run)\b""")
# From the module's own folder to where its handlers usually are.
_SOURCES = ("*.go", "cmd/*.go", "cmd/*/*.go", "*/*.go", "internal/*/*.go", "internal/*/*/*.go", "pkg/*/*.go")


def find(folder: Folder) -> Program | None:
    """Return the module's server; Go has no dev server that follows edits.

    None where nothing in the module serves: most modules are libraries, or commands that say how to use them and end.
    """
    if not folder.has("go.mod"):
        return None
    sources = [folder.text(name) for name in folder.files(_SOURCES)]
    module = folder.text("go.mod")
    main = _main(folder)
    if main is None:
        return None
    if not (_FRAMEWORK.search(module) or any(map(_SERVES.search, sources)) or _place(main) is not None):
        return None
    words = ["go", "run", "." if main == "." else f"./{main}"]
    if _COMMANDS.search(module):
        command = next(filter(None, map(_SERVING_COMMAND.search, sources)), None)
        if command is None:
            return None
        words.append(command[1])
    file = "main.go" if main == "." else f"{main}/main.go"
    why = f"Go: {folder.named('go.mod')} and {file}"
    return Program(folder, shlex.join(words), why, (folder.command("go mod download"),), reloads=False)


def _main(folder: Folder) -> str | None:
    """Return the folder of the main package that serves, as seen from the module's."""
    if folder.has("main.go") or _has(folder, "*.go", _IS_MAIN):
        return "."
    found = [name.removesuffix("/main.go") for name in folder.files(("cmd/main.go", "cmd/*/main.go"))]
    usual = sorted((name for name in found if _place(name) is not None), key=lambda name: _place(name) or 0)
    serving = (name for name in found if _has(folder, f"{name}/*.go", _SERVES))
    return next(iter((*usual, *serving, *found)), None)


def _place(name: str) -> int | None:
    words = re.split(r"[-_/]", name)
    return next((place for place, usual in enumerate(_SERVERS) if usual in words), None)


def _has(folder: Folder, files: str, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(folder.text(name)) for name in folder.files((files,)) if not name.endswith("_test.go"))
