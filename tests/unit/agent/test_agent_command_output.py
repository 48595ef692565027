from __future__ import annotations

import pytest

from cloud_agent_runner.workspace.command_output import CommandOutput


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b"\x1b[31mmise\x1b[0m \x1b[1;31mERROR\x1b[0m Failed to install\n", "mise ERROR Failed to install"),
        (b"Local: \x1b]8;;http://localhost:5173\x1b\\open\x1b]8;;\x07 it\n", "Local: open it"),
        (b"\x1b[2K\x1b[1G10 %\r\x1b[2K55 %\rdone\n", "done"),
        (b"on Windows\r\n", "on Windows"),
        (b"to\x1b[1mp-sec\x1b[0mret is set\n", "*** is set"),
        (b"caf\xc3\xa9 \xff\n", "café �"),
        (b"x" * 3000, "x" * 2000),
    ],
)
def test_of_what_a_terminal_would_show_the_text_is_kept(written: bytes, kept: str) -> None:
    output = CommandOutput("install", hidden=["top-secret"])
    output.take(written)
    output.finish()
    assert output.last_lines(1) == kept
