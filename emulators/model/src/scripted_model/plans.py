"""What the scripted model does, written as a person would: look, edit, test, commit, tell.

A plan is a generator: it yields a tool call, is sent the tool's result, and returns its last message. Because
`next_step` replays it from the conversation each time, it needs no memory of its own.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Generator
from dataclasses import dataclass
from html import escape

from scripted_model.conversation import Prompt, ToolResult
from scripted_model.requests import Commands, Greeting, Note, Page, request_of

_HEADING = re.compile(r"<h1>.*?</h1>", re.DOTALL)
_LINE_NUMBER = re.compile(r"^\s*\d+[\t→]", re.MULTILINE)
_LOOK_AROUND = "pwd && git status --short --branch && ls"
_TESTS = "python3 -m unittest -q 2>&1 | tail -n 5"
_SUBJECT_LIMIT_CHARACTERS = 68


@dataclass(frozen=True)
class ToolCall:
    """A tool that Claude Code is to run, with a line to the reader before it."""

    text: str
    name: str
    arguments: dict[str, str]


@dataclass(frozen=True)
class LastMessage:
    """The turn's end."""

    text: str


Plan = Generator[ToolCall, ToolResult, str]


def next_step(prompt: Prompt, results: list[ToolResult]) -> ToolCall | LastMessage:
    """Return what comes after the tool results so far."""
    plan = _plan(prompt)
    try:
        step = next(plan)
        for result in results:
            step = plan.send(result)
    except StopIteration as end:
        return LastMessage(_seen(prompt) + end.value)
    return step


def _seen(prompt: Prompt) -> str:
    return f"Images that came with it: {', '.join(prompt.images)}.\n\n" if prompt.images else ""


def _plan(prompt: Prompt) -> Plan:
    request = request_of(prompt)
    if isinstance(request, Commands):
        return _run(request)
    return _edit(request)


def _run(request: Commands) -> Plan:
    output = ""
    for tool, arguments in request.uses:
        result = yield ToolCall("Using the tool.", tool, arguments)
        output = result.text
    for command in request.lines:
        result = yield _bash("Running the commands.", command)
        output = result.text
    return f"Done. Output of the last command:\n{output}"


def _edit(request: Greeting | Page | Note) -> Plan:
    around = yield _bash("I'll look at the repository first.", _LOOK_AROUND)
    root = around.text.splitlines()[0].strip() if around.text else "."
    if "templates" not in around.text.split():
        summary = yield from _note_in_a_file(request)
    elif isinstance(request, Greeting):
        summary = yield from _greet(root, request)
    elif isinstance(request, Page):
        summary = yield from _add_page(root, request)
    else:
        summary = yield from _put_on_the_wall(root, request)
    tests = yield _bash("Now the tests.", _TESTS)
    passed = not tests.is_error and "OK" in tests.text.split()
    commit = yield _bash("And a commit.", f"git add --all && git commit --quiet -m {shlex.quote(_subject(summary))}")
    if commit.is_error:
        return f"Nothing had to be changed: {summary}"
    checked = "The repository's tests pass." if passed else f"The tests did not pass:\n\n{tests.text}"
    description = f"{summary}\n\nRun the tests, and look at the page."
    return f"{summary}\n\n{checked}\n\n<pull-request>\n{description}\n</pull-request>"


def _greet(root: str, request: Greeting) -> Generator[ToolCall, ToolResult, str]:
    path = f"{root}/templates/home.html"
    page = yield _read("The greeting is on the front page.", path)
    heading = _HEADING.search(_without_line_numbers(page.text))
    if heading is None:
        return "The front page has no heading to change."
    new = f"<h1>{_in_template(request.text)}</h1>"
    if new != heading[0]:
        arguments = {"file_path": path, "old_string": heading[0], "new_string": new}
        yield ToolCall("This heading is what people read first.", "Edit", arguments)
    return f"Change the greeting to “{request.text}”"


def _add_page(root: str, request: Page) -> Generator[ToolCall, ToolResult, str]:
    path = f"{root}/templates/{request.name}.html"
    yield _read("Is there such a page already?", path)
    title = _in_template(request.name.replace("-", " ").capitalize())
    content = (
        f"<!-- title: {title} -->\n"
        f'<section class="welcome">\n<h1>{title}</h1>\n<p>{_in_template(request.text)}</p>\n</section>\n'
    )
    yield ToolCall("A page is one file.", "Write", {"file_path": path, "content": content})
    return f"Add the page /{request.name}"


def _put_on_the_wall(root: str, request: Note) -> Generator[ToolCall, ToolResult, str]:
    path = f"{root}/content/notes.json"
    wall = yield _read("I'll put this on the wall, for the team to see.", path)
    try:
        notes = json.loads(_without_line_numbers(wall.text))
    except ValueError:
        notes = []
    content = json.dumps([*notes, request.text], ensure_ascii=False, indent=2) + "\n"
    yield ToolCall("One more note.", "Write", {"file_path": path, "content": content})
    return f"Put a note on the wall: {request.text}"


def _note_in_a_file(request: Greeting | Page | Note) -> Generator[ToolCall, ToolResult, str]:
    """Leave a note in a repository that the script does not know."""
    yield _bash("I'll note down what was requested.", f"printf -- '- %s\\n' {shlex.quote(request.text)} >> NOTES.md")
    return f"Note down what was requested: {request.text}"


def _bash(text: str, command: str) -> ToolCall:
    return ToolCall(text, "Bash", {"command": command, "description": text})


def _read(text: str, path: str) -> ToolCall:
    return ToolCall(text, "Read", {"file_path": path})


def _without_line_numbers(listing: str) -> str:
    """Return a file's text from the numbered lines that the Read tool answers."""
    return _LINE_NUMBER.sub("", listing.partition("<system-reminder>")[0])


def _in_template(text: str) -> str:
    """Make text safe for HTML inside Python's string.Template."""
    return escape(text, quote=False).replace("$", "$$")


def _subject(summary: str) -> str:
    return summary if len(summary) <= _SUBJECT_LIMIT_CHARACTERS else f"{summary[: _SUBJECT_LIMIT_CHARACTERS - 1]}…"
