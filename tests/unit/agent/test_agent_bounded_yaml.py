"""YAML of a repository's files is read as PyYAML reads it, if that takes a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from cloud_agent_runner.preview.detection.folder import Folder
from cloud_agent_runner.preview.services.compose_files import compose_files
from cloud_agent_runner.repository.bounded_yaml import load

if TYPE_CHECKING:
    from pathlib import Path

# Ten of what the line before has, each of which has ten: constructed, 10^40 times the file.
MERGES = "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 41))
TOO_MUCH = {
    "merges": f"a0: &a0 {{k: v}}\n{MERGES}",
    "aliases": "a0: &a0 [lol]\n" + MERGES.replace("<<: ", "k: "),
    "brackets": "a: [" + ("[" * 300 + "]" * 300 + ",") * 216 + "]",
    "open brackets": "[" * 131_072,
    "indented": "\n".join(f"{' ' * n}a:" for n in range(51)),
    "values": "- a\n" * 20_000,
    "itself": "a: &a [*a]",
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "services: {web: {image: shop}}",
        "x: &x {a: 1, b: 2}\ny: &y {c: 3}\nz: {<<: [*x, *y], b: 4}\nlist: [*x, *y]",
        "on: 2026-12-01\nyes: 1e3\n",
        "[" * 49 + "]" * 49,
        "- a\n" * 5_000,
    ],
)
def test_what_a_repository_has_is_read_as_pyyaml_reads_it(text: str) -> None:
    assert load(text) == yaml.safe_load(text)


@pytest.mark.parametrize("what", TOO_MUCH)
def test_what_would_take_long_is_refused(what: str) -> None:
    with pytest.raises((yaml.YAMLError, RecursionError)):
        load(TOO_MUCH[what])


@pytest.mark.parametrize("what", TOO_MUCH)
def test_a_file_that_would_take_long_counts_as_one_that_cannot_be_read(tmp_path: Path, what: str) -> None:
    for name in ("compose.yaml", "pnpm-workspace.yaml"):
        (tmp_path / name).write_text(f"{TOO_MUCH[what]}\n")
    assert list(compose_files(tmp_path)) == []
    assert Folder(tmp_path).yaml("pnpm-workspace.yaml") == {}
