"""Reads command lines that the repository has somewhere: which commands they consist of, and what each really runs."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace

_COMMANDS_LIMIT = 100
LINE_LIMIT = 10_000  # characters
_OPERATORS = frozenset(";<>|&()\n")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
# Options of usual programs that take a value, so that it's no argument.
_VALUED = frozenset((
    *("--port", "-p", "-P", "--server.port", "--host", "-H", "--hostname", "--bind", "-b", "--listen", "-l"),
    *("--config", "-c", "--mode", "-m", "--app", "-A", "--env-file", "-e", "--exec", "-x", "--ext", "--project"),
    *("-r", "--require", "--import", "--loader"),
    *("--prefix", "-C", "--dir", "--cwd", "--filter", "-F", "--workspace"),
))  # fmt: skip
# What runs another program: its name, or two words -> its options that take a value.
_WRAPPERS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("cross-env", "cross-env-shell", "exec", "time", "bunx", "command"), frozenset[str]()),
    "env": frozenset({"-u", "--unset"}),
    "dotenv": frozenset({"-e", "-c", "-v", "-p"}),
    "dotenvx run": frozenset({"-f"}),
    "env-cmd": frozenset({"-f", "-e", "-r"}),
    "nice": frozenset({"-n"}),
    **dict.fromkeys(("npx", "npm exec", "pnpm exec", "pnpm dlx", "yarn dlx", "bun x"), frozenset({"-p", "--package"})),
    **dict.fromkeys(("uvx", "uv run", "poetry run", "pipenv run", "pdm run"), frozenset({"--from", "--with"})),
    **dict.fromkeys(("bundle exec", "python -m", "python3 -m"), frozenset[str]()),
}
# What they would run is the first in PATH here anyway, where they themselves may not be.
_ENVIRONMENTS = re.compile(
    r"(?<![\w/-])(?:poetry|uv|pipenv|pdm|rye) run (?!-)|(?<![\w/-])(?:source|\.) \S*bin/activate\s*(?:&&|;)\s*"
)


@dataclass(frozen=True)
class Command:
    """One command of a line: its words behind wrappers such as `cross-env` and `npx`, and the variables it's given.

    `is_open` says whether what is appended to the line becomes its arguments, and `is_aside` whether it's the last of
    those that run in the background or in parentheses, so that no `cd` of theirs holds for what follows.
    """

    words: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    is_open: bool = False
    is_aside: bool = False

    @property
    def program(self) -> str:
        """The program's name without its folder."""
        return self.words[0].rpartition("/")[2]

    @property
    def arguments(self) -> list[str]:
        """The arguments that are neither options nor values of usual ones."""
        pairs = zip(self.words, self.words[1:], strict=False)
        return [word for before, word in pairs if not word.startswith("-") and before not in _VALUED]

    def has(self, *words: str) -> bool:
        """Return whether one of these is among the words after the program, if need be with a value."""
        return any(word.partition("=")[0] in words for word in self.words[1:])

    def values(self, *options: str) -> list[str]:
        """Return what is given to these options, as their next word or behind `=`."""
        pairs = zip(self.words[1:], (*self.words[2:], ""), strict=False)
        parts = ((word.partition("="), following) for word, following in pairs)
        return [value if sign else following for (word, sign, value), following in parts if word in options]


def commands(line: str) -> list[Command]:
    """Return the commands of a command line, 100 at most; none where it can't be read, or is longer than anybody's."""
    if len(line) > LINE_LIMIT:
        return []
    found: list[Command] = []
    words: list[str] = []
    tokens = _tokens(line)
    for part in [*tokens, ";"]:
        if not set(part) <= _OPERATORS:
            words.append(part)
        elif "<" in part or ">" in part:
            words.append(">")
        else:
            found += _command(words, is_aside=part == "&" or ")" in part)
            words = []
    if found and tokens and not set(tokens[-1]) <= _OPERATORS and ">" not in found[-1].words:
        found[-1] = replace(found[-1], is_open=True)
    return found[:_COMMANDS_LIMIT]


def without_environments(line: str) -> str:
    """Return the line without `poetry run`, `. venv/bin/activate` and the like."""
    return _ENVIRONMENTS.sub("", line)


def _tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars=";<>|&()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return []


def _command(words: list[str], *, is_aside: bool) -> list[Command]:
    if ">" in words:
        words = [*words[: words.index(">")], ">"]
    words, variables = _unwrapped(words)
    return [Command(tuple(words), variables, is_aside=is_aside)] if words else []


def _unwrapped(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the words of what is run in the end, and the variables that it's given."""
    variables: dict[str, str] = {}
    while words:
        if _ASSIGNMENT.match(words[0]):
            name, _, variables[name] = words[0].partition("=")
            rest = words[1:]
        elif (name := words[0].rpartition("/")[2]) in _WRAPPERS:
            rest = _after_options(words[1:], _WRAPPERS[name])
        elif (name := " ".join(words[:2])) in _WRAPPERS:
            rest = _after_options(words[2:], _WRAPPERS[name])
        else:
            break
        if not rest:
            break
        words = rest
    return words, variables


def _after_options(words: list[str], valued: frozenset[str]) -> list[str]:
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in valued else words[1:]
    return words
