"""What the command prints when something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_agent_cli import main as cli
from cloud_agent_local.errors import PartFailedError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_log_line_in_brackets_is_printed_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise PartFailedError("config : parsing [/etc/haproxy.cfg:124] failed")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "parsing [/etc/haproxy.cfg:124] failed" in capsys.readouterr().err


def test_a_parameter_without_a_value_is_named_with_an_example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["cloud-agent", "local", "up", "--state-dir", str(tmp_path), "--parameter", "Max"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "--parameter Max: write NAME=VALUE" in capsys.readouterr().err
