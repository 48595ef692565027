"""The repository's `.env` files: their names, those that it only has examples of, and their variables."""

from __future__ import annotations

import re
import shlex
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from cloud_agent_runner.preview.folders import at, folders, names_in
from cloud_agent_runner.repository.file import has_repository_file, read_repository_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCRIPT = Path(__file__).with_name("make_env_file.sh")
# What is made of an example is never committed (`cloud_agent_runner.git.never_committed`): these two names are not.
_EXAMPLES = {
    ".env": (
        *(".env.example", ".env.sample", ".env.dist", ".env.template", ".env-example", ".env_example"),
        *("example.env", "sample.env", "env.example", "env.sample", "env.template", ".env.development.example"),
    ),
    ".env.local": (".env.local.example", ".env.local.sample", ".env.example.local"),
}
# Where developers keep the addresses of what they run, and what they make it from.
_ENV_FILES = (".env", ".env.local", ".env.development", *(name for names in _EXAMPLES.values() for name in names))
_FILES_READ = 50
_VARIABLES_READ = 1_000
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
MAKEFILES = ("Makefile", "makefile", "GNUmakefile")
JUSTFILES = ("justfile", "Justfile", ".justfile")
TASKFILES = ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml")
# What the targets of these files get it by.
_SAYS_SO = {
    MAKEFILES: re.compile(r"^-?include[ \t]+(?:\./)?\.env[ \t]*$", re.MULTILINE),
    JUSTFILES: re.compile(r"^set dotenv-load(?![ \t]*:=[ \t]*false)", re.MULTILINE),
    TASKFILES: re.compile(r"^dotenv:\s*[-\[][^\n]*\.env\b", re.MULTILINE),
}
# Of the session's, not of a developer's machine.
THE_SESSIONS = frozenset({"HOME", "HOST", "LANG", "PATH", "PORT", "TMPDIR"})


def make_env_files(work_tree: Path) -> str | None:
    """Return the command that makes each `.env` of which there is only an example; None where there is none."""
    steps = []
    for folder in folders(work_tree):
        for name, examples in _EXAMPLES.items():
            file = _first(work_tree, folder, (name, *examples))
            if file and file != at(folder, name):
                steps.append(shlex.join(["sh", str(_SCRIPT), file, at(folder, name)]))
    return " && ".join(steps) or None


def env_texts(work_tree: Path) -> Iterator[str]:
    """Yield what each of these files holds, the root's first, and examples after what is made of them, 50 at most."""
    files = (
        at(folder, name)
        for folder in folders(work_tree)
        for present in [set(names_in(work_tree / folder))]
        for name in _ENV_FILES
        if name in present
    )
    return (read_repository_text(work_tree, file) for file in islice(files, _FILES_READ))


def env_file(work_tree: Path, folder: str, name: str = ".env") -> dict[str, str]:
    """Return the variables of such a file in a folder, or of what it will be made from; none where there is neither."""
    examples = _EXAMPLES.get(name, (f"{name}.example", f"{name}.sample"))
    file = _first(work_tree, folder, (name, *examples))
    return variables(read_repository_text(work_tree, file)) if file else {}


def procfile_environment(work_tree: Path) -> dict[str, str]:
    """Return what `.env` says in a repository with a Procfile, or with targets that get it; nothing in others.

    As Foreman and `heroku local` give it, and make, just and Task where their file says so; other programs read it
    themselves, if they're made to. Sources: foreman(1), "ENVIRONMENT"; "Heroku Dev Center: Run your app locally using
    the Heroku Local command line tool"; "GNU make: include"; "just: dotenv-load"; "Task: .env files".
    """
    is_procfile = any(has_repository_file(work_tree, name) for name in ("Procfile", "Procfile.dev"))
    if not is_procfile and not any(
        says_so.search(read_repository_text(work_tree, name)) for names, says_so in _SAYS_SO.items() for name in names
    ):
        return {}
    found = variables(read_repository_text(work_tree, ".env"))
    return {name: value for name, value in found.items() if name not in THE_SESSIONS}


def variables(text: str) -> dict[str, str]:
    """Return the variables that the text of such a file sets, 1,000 at most: without quotes, and with none replaced.

    What names none, or could be no process' variable, is left out.
    """
    found = (
        (line.key, line.value)
        for line in parse_stream(StringIO(text))
        if line.key and line.value is not None and _NAME.fullmatch(line.key) and "\0" not in line.value
    )
    return dict(islice(found, _VARIABLES_READ))


def _first(work_tree: Path, folder: str, names: tuple[str, ...]) -> str | None:
    """Return the path of the first of these files that there is."""
    present = set(names_in(work_tree / folder))
    found = (at(folder, name) for name in names if name in present)
    return next((file for file in found if has_repository_file(work_tree, file)), None)
