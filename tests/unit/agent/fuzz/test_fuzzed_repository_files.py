"""A branch's files are whatever somebody pushed: its settings and manifests are read or explained, nothing else.

`make fuzz` tries many more.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from tests.kit.fuzzing import FUZZED
from tests.kit.memory import peak_bytes

from cloud_agent_runner.preview.detection import DevServerNotConfiguredError, dev_server_plan
from cloud_agent_runner.repository.config import CONFIG_PATH, RepositoryConfig
from cloud_agent_runner.repository.config_file import EXAMPLE, RepositoryConfigError, read_repository_config

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.binary(max_size=20) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.integers(), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(sorted(RepositoryConfig.model_fields)) | TEXTS
# What means something to a YAML scanner, and the words that it takes for something else than text.
SIGNS = st.lists(
    st.sampled_from(
        [*"\n :-?[]{},&*!|>'\"%@`#~=<.\t\\x1aé", "---", "...", "<<", "!!", "null", "yes", "1e9", "0x", "_"]
    ),
    max_size=60,
).map("".join)


def _repeated(repeat: str) -> str:
    """Forty lines, each of which has nine times what the one before it has."""
    return "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {repeat.format(f'*a{n - 1},' * 9)}\n" for n in range(1, 40))


SMALL_FILES_THAT_WANT_TO_BE_LARGE = {
    "aliases": _repeated("[{}]"),
    "merged aliases": _repeated("{{<<: [{}]}}"),
    "depth": "dev: " + "[" * 30_000,
    "many values": "dev: [" + "1," * 32_000 + "]",
    "a number to the base of sixty": "port: " + "59:" * 10_000 + "1",
}


# Files that have command lines, up to such a line.
COMMAND_LINES = {
    "Makefile": "dev:\n\tflask run ",
    "justfile": "dev:\n    ",
    "Taskfile.yml": "tasks: {dev: ",
    "Procfile.dev": "web: ",
    "Procfile": "web: node ",
    "Dockerfile": "EXPOSE 80\nCMD ",
    "compose.yaml": "services: {a: {build: ., ports: [80], command: ",
    ".devcontainer.json": '{"postAttachCommand": "node ',
}
# What means something to a shell, to make, or to us.
WORDS = st.lists(
    st.sampled_from(
        [*" \t\n'\"\\$(){}&|;<>=:@-#`!*", "$(", "{{", "}}", "cd ", "npm ", "run ", "npx ", "-p ", "PORT=", "9"]
    ),
    max_size=20,
).map("".join)


@st.composite
def changed_examples(draw: st.DrawFn) -> bytes:
    """The example of our own messages, with a few stretches replaced."""
    content = EXAMPLE.encode()
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(content)))
        end = draw(st.integers(begin, min(begin + 8, len(content))))
        content = content[:begin] + draw(st.binary(max_size=8) | SIGNS.map(str.encode)) + content[end:]
    return content


def _write(work_tree: Path, name: str, content: bytes) -> None:
    (work_tree / name).parent.mkdir(exist_ok=True)
    (work_tree / name).write_bytes(content)


def _read(work_tree: Path, content: bytes) -> RepositoryConfig | None:
    """The settings; None where they are explained to be wrong."""
    _write(work_tree, CONFIG_PATH, content)
    try:
        return read_repository_config(work_tree)
    except RepositoryConfigError as error:
        explanation = str(error).encode()
    assert explanation.startswith(CONFIG_PATH.encode())
    return None


@FUZZED
@given(st.binary() | SIGNS.map(str.encode) | changed_examples())
@example(b'"\\ud800": x')
@example(b"dev: !!timestamp x")
@example(b"dev: !!bool x")
@example(b"? [a]\n: b")
@example(b"=: x")
def test_any_settings_are_read_or_explained(tmp_path: Path, content: bytes) -> None:
    _read(tmp_path, content)


@FUZZED
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_values_are_taken_or_explained(tmp_path: Path, values: dict[str, Any]) -> None:
    config = _read(tmp_path, yaml.safe_dump(values, allow_unicode=True).encode())
    if config is not None:
        assert config.model_dump(exclude_unset=True) == values


@pytest.mark.parametrize("name", SMALL_FILES_THAT_WANT_TO_BE_LARGE)
def test_a_small_file_takes_little_memory(tmp_path: Path, name: str) -> None:
    content = SMALL_FILES_THAT_WANT_TO_BE_LARGE[name].encode()
    assert peak_bytes(lambda: _read(tmp_path, content)) < 30_000_000


@FUZZED
@given(
    package=st.binary() | VALUES.map(lambda value: json.dumps(value, default=str).encode()),
    scripts=st.dictionaries(st.sampled_from(["dev", "start", "build"]), VALUES, max_size=2),
    project=SIGNS | TEXTS,
    requirements=st.binary() | SIGNS.map("flask\nfastapi\n{}".format).map(str.encode),
    folder=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=20),
)
def test_any_manifests_are_read_or_passed_over(  # noqa: PLR0913, PLR0917 - one for each file
    tmp_path: Path, package: bytes, scripts: dict[str, Any], project: str, requirements: bytes, folder: str
) -> None:
    for content in (package, json.dumps({"scripts": scripts}, default=str).encode()):
        _write(tmp_path, "package.json", content)
        _write(tmp_path, "pyproject.toml", f"[project]\ndependencies = {project}".encode())
        _write(tmp_path, "requirements.txt", requirements)
        for name in (".nvmrc", ".python-version", ".tool-versions", "mise.toml", "go.mod", "Gemfile"):
            _write(tmp_path, name, project.encode())
        _write(tmp_path, f"an{folder}/main.py", b"app = FastAPI()\n")
        try:
            plan = dev_server_plan(tmp_path, RepositoryConfig())
        except DevServerNotConfiguredError:
            continue
        plan.dev.encode(errors="surrogateescape")


@FUZZED
@given(name=st.sampled_from(sorted(COMMAND_LINES)), line=WORDS | TEXTS, end=st.sampled_from(["", "\n", '"}', "}"]))
def test_any_command_lines_are_run_or_passed_over(tmp_path: Path, name: str, line: str, end: str) -> None:
    for other in COMMAND_LINES:
        (tmp_path / other).unlink(missing_ok=True)
    _write(tmp_path, name, f"{COMMAND_LINES[name]}{line}{end}".encode())
    with suppress(DevServerNotConfiguredError):
        dev_server_plan(tmp_path, RepositoryConfig()).dev.encode()
