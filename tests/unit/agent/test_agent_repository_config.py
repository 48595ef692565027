from pathlib import Path

import pytest

import cloud_agent_local
from cloud_agent_runner.repository_config import (
    CONFIG_PATH,
    EXAMPLE,
    RepositoryConfig,
    RepositoryConfigError,
    read_repository_config,
)


def _read(work_tree: Path, content: str | bytes) -> RepositoryConfig | None:
    path = work_tree / CONFIG_PATH
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_repository_config(work_tree)


def test_no_file_is_no_configuration(tmp_path: Path) -> None:
    assert read_repository_config(tmp_path) is None


def test_the_example_in_our_own_messages_is_right(tmp_path: Path) -> None:
    expected = RepositoryConfig(install="npm ci", dev="npm run dev", port=3000, health_path="/")
    assert expected == _read(tmp_path, EXAMPLE)


def test_the_sample_repository_is_configured() -> None:
    sample = Path(cloud_agent_local.__file__).parent / "sample_repository"
    assert RepositoryConfig(dev="python3 dev.py", health_path="/health") == read_repository_config(sample)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "`dev`: missing; say how the dev server is started."),
        ("dev: x\n\nports: 3000\n", "line 3: `ports`: unknown key; remove it or use one of install, dev, port"),
        ("dev: x\nport: '3000'\n", "line 2: `port`: input should be a valid integer"),
        ("dev: x\nport: 70000\n", "line 2: `port`: input should be less than or equal to 65535"),
        ("dev: x\nhealth_path: health\n", "line 2: `health_path`: string should match pattern"),
        ("dev:\n  - a\n", "line 1: `dev`: input should be a valid string"),
        ("dev: [a\n", "line 2 is not YAML: "),
        ("dev: !!python/object:os.system x\n", "is not YAML: could not determine a constructor"),
        ("- dev\n", "line 1 must be `key: value` lines"),
        (b"dev: \xff\xfe\n", "is not YAML: "),
        (b"dev: x\n" * 10_000, "is larger than 65536 bytes"),
    ],
)
def test_a_wrong_file_is_explained_with_line_and_key(tmp_path: Path, content: str | bytes, complaint: str) -> None:
    with pytest.raises(RepositoryConfigError) as error:
        _read(tmp_path, content)
    assert str(error.value).startswith(CONFIG_PATH)
    assert complaint in str(error.value)
