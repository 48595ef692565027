from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import cloud_agent_local
from cloud_agent_runner.repository.config import CONFIG_PATH, RepositoryConfig
from cloud_agent_runner.repository.config_file import EXAMPLE, RepositoryConfigError, read_repository_config

KEYS = ", ".join(RepositoryConfig.model_fields)


def _read(work_tree: Path, content: str | bytes) -> RepositoryConfig:
    path = work_tree / CONFIG_PATH
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_repository_config(work_tree)


@pytest.mark.parametrize("content", ["", "# nothing but words\n", "---\n"])
def test_an_empty_file_says_as_much_as_none(tmp_path: Path, content: str) -> None:
    assert RepositoryConfig() == read_repository_config(tmp_path) == _read(tmp_path, content)


def test_a_file_may_say_a_single_thing(tmp_path: Path) -> None:
    assert RepositoryConfig(budget_usd=2.5) == _read(tmp_path, "budget_usd: 2.5\n")


def test_the_example_in_our_own_messages_is_right(tmp_path: Path) -> None:
    expected = RepositoryConfig(install="npm ci", dev="npm run dev", port=3000, health_path="/")
    assert expected == _read(tmp_path, EXAMPLE)


def test_what_a_library_has_taught_the_yaml_loader_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(yaml.SafeLoader.yaml_constructors, yaml.SafeLoader.DEFAULT_MAPPING_TAG, lambda *_: {"dev": "y"})
    assert RepositoryConfig(dev="x") == _read(tmp_path, "dev: x\n")


def test_the_sample_repository_is_configured() -> None:
    sample = Path(cloud_agent_local.__file__).parent / "sample_repository"
    assert RepositoryConfig(dev="python3 dev.py", health_path="/health") == read_repository_config(sample)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("dev: x\n\nport_: 3000\n", "line 3: `port_`: unknown key; did you mean `port`?"),
        ("dev: x\n\ntokens: 3000\n", f"line 3: `tokens`: unknown key; the known ones are {KEYS}."),
        ("dev: x\n1: y\n", "line 2: `1`: "),
        ("dev: x\nport: '3000'\n", "line 2: `port`: must be a whole number."),
        ("ports: 3000\n", "line 1: `ports`: must be names with a value each, such as `api: 8000`."),
        ("ports: {api: 0}\n", "line 1: `ports`: must be 1 or more."),
        ("ports: {an api: 1}\n", "line 1: `ports`: must be the names of processes, such as api, each with a port."),
        ("dev: x\nport: 70000\n", "line 2: `port`: must be 65535 or less."),
        ("dev: x\nhealth_path: health\n", "line 2: `health_path`: must be a path that starts with /"),
        ("dev:\n  - a\n", "line 1: `dev`: must be text."),
        ("max_turns: 3\ndev:\n", "line 2: `dev`: has no value; add one or remove the line."),
        ("dev: x\nhost_header: any\n", "line 2: `host_header`: must be 'localhost' or 'public'."),
        ("env:\n  - OK\n  - not-ok\n", "line 3: `env`: must be the names of secrets in capital letters"),
        ("env: [HOST]\n", "line 1: `env`: HOST is reserved for the agent; choose another name for the secret."),
        ("allowed_tools:\n  - Read\n  - Browse\n", "line 3: `allowed_tools`: must be 'Bash', 'Read', "),
        ("dev: x\nmax_turns: 1\ndev: y\n", "line 3: `dev`: set twice; remove one of them."),
        ("dev: [a\n", "line 2 can't be parsed: expected ',' or ']', but got '<stream end>'."),
        ("dev: !!python/object:os.system x\n", "line 1 can't be parsed: tags, such as `!name`, aren't supported."),
        ("dev: &a x\ninstall: *a\n", "line 1 can't be parsed: anchors and aliases aren't supported."),
        ("dev: x\nport: 4\n  x: [\n", "line 3 can't be parsed: mapping values are not allowed here."),
        ("dev: " + "[" * 20_000, "line 1 can't be parsed: it's nested too deeply."),
        ("dev: [" + "a," * 20_000 + "]", "line 1 can't be parsed: it has too many values."),
        ("dev: x\n? [a]\n: y\n", "line 2 can't be parsed: found unhashable key."),
        ("dev: 2026-02-30\n", "can't be parsed: a number or a date in it is out of range."),
        (f"port: {'9' * 5_000}\n", "can't be parsed: a number or a date in it is out of range."),
        ('dev: "\\ud800"\n', "line 1 can't be parsed: it has half of a surrogate pair."),
        ('"\\ud800": x\n', "line 1 can't be parsed: it has half of a surrogate pair."),
        ('port: 1\ndev: "a\\0b"\n', "line 2 can't be parsed: it has a NUL character."),
        ("- dev\n", "line 1: expected `key: value` lines"),
        (b"dev: \xff\xfe\n", "can't be parsed: it isn't UTF-8 text (invalid start byte)."),
        (b"dev: x\n" * 10_000, "can't be read: it's larger than 65536 bytes."),
    ],
)
def test_a_wrong_file_is_explained_with_line_and_key(tmp_path: Path, content: str | bytes, complaint: str) -> None:
    with pytest.raises(RepositoryConfigError) as error:
        _read(tmp_path, content)
    assert str(error.value).startswith(CONFIG_PATH)
    assert complaint in str(error.value)


@pytest.mark.parametrize("target", ["/dev/zero", "../../outside.yml"])
def test_a_link_out_of_the_repository_is_explained_and_not_followed(tmp_path: Path, target: str) -> None:
    path = tmp_path / "repository" / CONFIG_PATH
    path.parent.mkdir(parents=True)
    path.symlink_to(target)

    with pytest.raises(RepositoryConfigError, match="can't be read: it's a symbolic link that leads outside the repo"):
        read_repository_config(tmp_path / "repository")


def test_faults_are_in_the_order_of_their_lines(tmp_path: Path) -> None:
    with pytest.raises(RepositoryConfigError) as error:
        _read(tmp_path, "bugdet_usd: 3\nport: 0\nallowed_tools: []\ndev: x\n")
    lines = [line.removeprefix(f"{CONFIG_PATH} ") for line in str(error.value).splitlines()[:3]]
    assert lines == [
        "line 1: `bugdet_usd`: unknown key; did you mean `budget_usd`?",
        "line 2: `port`: must be 1 or more.",
        "line 3: `allowed_tools`: must not be empty.",
    ]


def test_of_very_many_faults_the_first_are_told(tmp_path: Path) -> None:
    with pytest.raises(RepositoryConfigError) as error:
        _read(tmp_path, "".join(f"key{number}: x\n" for number in range(1000)))
    assert str(error.value).count("unknown key") == 10
