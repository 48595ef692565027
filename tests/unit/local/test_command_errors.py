"""What the command prints when something is wrong."""

from __future__ import annotations

import pytest

from cloud_agent_local import cli
from cloud_agent_local.errors import PartFailedError


def test_a_log_line_in_brackets_is_printed_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise PartFailedError("config : parsing [/etc/haproxy.cfg:124] failed")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert 1 == ended.value.code
    assert "parsing [/etc/haproxy.cfg:124] failed" in capsys.readouterr().err
