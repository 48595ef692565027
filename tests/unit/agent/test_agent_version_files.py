from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cloud_agent_runner.preview.toolchains.version_files import requests

if TYPE_CHECKING:
    from pathlib import Path


def _write(work_tree: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (work_tree / name).parent.mkdir(parents=True, exist_ok=True)
        (work_tree / name).write_text(content)


@pytest.mark.parametrize(
    ("name", "content", "tool", "text"),
    [
        (".nvmrc", "v20.11.1\n", "node", "v20.11.1"),
        (".config/mise.toml", '[tools]\nbun = "1.2.3"\n', "bun", "1.2.3"),
        (".mise/config.toml", '[tools]\nnode = "22"\n', "node", "22"),
        (".nvmrc", "# ours\n\nlts/Jod\n", "node", "22"),
        (".node-version", "18", "node", "18"),
        (".python-version", "3.12  # as in production\n3.11\n", "python", "3.12"),
        ("runtime.txt", "python-3.11.4", "python", "3.11.4"),
        (".ruby-version", "ruby-3.3.0", "ruby", "3.3.0"),
        (".java-version", "temurin-21.0.1", "java", "temurin-21.0.1"),
        ("rust-toolchain", "1.80.0", "rust", "1.80.0"),
        ("rust-toolchain.toml", '[toolchain]\nchannel = "stable"\n', "rust", "stable"),
        (".tool-versions", "# ours\nnodejs 20.1.0 # LTS\nterraform 1.5\n", "node", "20.1.0"),
        (".tool-versions", "golang 1.22.1\n", "go", "1.22.1"),
        ("mise.toml", '[tools]\nnode = "22"\n', "node", "22"),
        (".mise.toml", '[tools]\npython = ["3.12", "3.11"]\n', "python", "3.12"),
        ("mise.toml", '[tools]\nruby = {version = "3.3"}\n"npm:prettier" = "3"\n', "ruby", "3.3"),
        ("package.json", '{"engines": {"node": ">=20 <23"}}', "node", ">=20 <23"),
        ("package.json", '{"volta": {"node": "18.16.0"}, "engines": {"node": "*"}}', "node", "18.16.0"),
        ("package.json", '{"devEngines": {"runtime": [{"name": "node", "version": "^22.1"}]}}', "node", "^22.1"),
        ("package.json", '{"devEngines": {"runtime": {"name": "deno", "version": "2.x"}}}', "deno", "2.x"),
        ("package.json", '{"dependencies": {"react-scripts": "4.0.3"}}', "node", "<17"),
        ("package.json", '{"devDependencies": {"webpack": "^4.46.0"}}', "node", "<17"),
        ("package.json", '{"devDependencies": {"nuxt": "2"}, "engines": {"node": "14"}}', "node", "14"),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.12"\n', "python", ">=3.12"),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\n', "python", "^3.11"),
        ("Pipfile", '[requires]\npython_version = "3.11"\n', "python", "3.11"),
        ("Pipfile", '[requires]\npython_version = "3.11"\npython_full_version = "3.11.2"\n', "python", "3.11.2"),
        ("requirements.txt", "six\nDjango==4.1.13\n", "python", "<3.12"),
        ("requirements.txt", "django[argon2]~=3.2  # LTS\n", "python", "<3.11"),
        ("requirements/base.txt", "Django>=2.2,<3\n", "python", "<3.10"),
        ("requirements.txt", "django<4.2", "python", "<3.12"),
        ("go.mod", "module x\n\ngo 1.22\n", "go", ">=1.22"),
        ("go.mod", "module x\n\ngo 1.21\n\ntoolchain go1.23.4\n", "go", ">=1.23.4"),
        ("Gemfile", "source 'https://rubygems.org'\nruby '~> 3.2', '>= 3.2.1'\n", "ruby", "~> 3.2 >= 3.2.1"),
        ("Gemfile", 'ruby("3.3.0")\n', "ruby", "3.3.0"),
    ],
)
def test_each_file_says_which_version_it_asks_for(
    tmp_path: Path, name: str, content: str, tool: str, text: str
) -> None:
    _write(tmp_path, {name: content})
    assert {name: request.text for name, request in requests(tmp_path).items()} == {tool: text}


@pytest.mark.parametrize(
    "text",
    ["django==4.2", "django", "Django>=3.2", "django-environ==0.9", "x\n# django==2", "django!=3.2.1", "django<5"],
)
def test_a_django_for_the_python_of_today_asks_for_no_version(tmp_path: Path, text: str) -> None:
    _write(tmp_path, {"requirements.txt": text})
    assert requests(tmp_path) == {}


@pytest.mark.parametrize("wanted", ["5.0.1", "^5", "latest", "file:../webpack", 5])
def test_a_build_tool_of_today_asks_for_no_version(tmp_path: Path, wanted: object) -> None:
    _write(tmp_path, {"package.json": json.dumps({"devDependencies": {"webpack": wanted}})})
    assert requests(tmp_path) == {}


def test_the_files_of_version_managers_come_before_manifests_and_a_project_before_what_is_around_it(
    tmp_path: Path,
) -> None:
    package = json.dumps({"engines": {"node": ">=18"}})
    _write(tmp_path, {"package.json": package, ".nvmrc": "20", "api/package.json": package, ".python-version": "3.12"})
    assert [requests(tmp_path, folder)["node"].text for folder in (".", "web", "api")] == ["20", "20", ">=18"]
    assert [requests(tmp_path, folder)["python"].text for folder in (".", "api")] == ["3.12", "3.12"]


@pytest.mark.parametrize(
    ("name", "content", "version", "accepted"),
    [
        (".nvmrc", "24.1.0", (24, 21, 0), True),
        (".nvmrc", "24.22.0", (24, 21, 0), False),
        (".nvmrc", "22", (24, 21, 0), False),
        (".nvmrc", "lts/*", (24, 21, 0), True),
        (".nvmrc", "iojs", (24, 21, 0), False),
        ("package.json", '{"engines": {"node": "24.1.0"}}', (24, 21, 0), False),
        ("package.json", '{"engines": {"node": ">=18"}}', (24, 21, 0), True),
        (".python-version", "3.13.0", (3, 13, 5), True),
        (".python-version", "3.12", (3, 13, 5), False),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.11"', (3, 13, 5), True),
        (".ruby-version", "3.3.0", (3, 3, 8), False),
    ],
)
def test_a_later_release_does_for_what_a_version_file_names(
    tmp_path: Path, name: str, content: str, version: tuple[int, int, int], *, accepted: bool
) -> None:
    _write(tmp_path, {name: content})
    [request] = requests(tmp_path).values()
    assert request.accepts(version) is accepted


@pytest.mark.parametrize(
    "files",
    [
        {".nvmrc": ""},
        {".nvmrc": "$(reboot)"},
        {".nvmrc": "20\t; x"},
        {".python-version": "a" * 300},
        {"mise.toml": "[tools"},
        {"mise.toml": "tools = 3\n"},
        {"mise.toml": "[tools]\nnode = 22\n"},
        {"package.json": '{"engines": [], "volta": 1, "devEngines": {"runtime": [null]}}'},
        {"Gemfile": "ruby file: '.ruby-version'\n"},
        {"rust-toolchain": '[toolchain]\nchannel = "stable"\n'},
    ],
)
def test_what_names_no_version_is_passed_over(tmp_path: Path, files: dict[str, str]) -> None:
    _write(tmp_path, files)
    assert requests(tmp_path) == {}
