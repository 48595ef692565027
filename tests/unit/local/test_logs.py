"""What `cloud-agent local logs` chooses and how it prints it, without a running system."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cloud_agent_local import logs
from cloud_agent_local.errors import NoLogError
from cloud_agent_local.installation import Installation, Ports
from cloud_agent_local.log_lines import readable

if TYPE_CHECKING:
    from pathlib import Path

AGENT = "claude-cloud-agent-local-agent-eeb05856-1111-4222-8333-444455556666.log"
PROXY = "claude-cloud-agent-local-proxy-0a1b2c3d-1111-4222-8333-444455556666.log"
LINE = {"timestamp": "2026-11-28T13:11:11.123+00:00", "level": "INFO", "message": "turn started", "logger": "x", "n": 2}


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """One whose embedded AWS does not run."""
    made = Installation(ports=Ports(), state_dir=tmp_path)
    made.log_dir.mkdir()
    for name in (AGENT, PROXY, "github.log"):
        (made.log_dir / name).write_text(json.dumps(LINE) + "\n")
    return made


def printed(installation: Installation, name: str, capsys: pytest.CaptureFixture[str], *, as_json: bool) -> list[str]:
    logs.show(installation, name, follow=False, as_json=as_json)
    return capsys.readouterr().out.splitlines()


def test_agent_names_the_agents_container_and_no_other(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = printed(installation, "agent", capsys, as_json=False)
    assert line.startswith("agent-eeb05856 | ")


def test_lines_are_for_people_and_with_json_as_they_were_logged(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    (people,) = printed(installation, "github", capsys, as_json=False)
    assert people.endswith(":11 INFO  turn started n=2")  # some zones differ by half an hour
    assert printed(installation, "github", capsys, as_json=True) == [f"github | {json.dumps(LINE)}"]


def test_a_name_that_nothing_has_is_an_error_that_says_what_there_is(installation: Installation) -> None:
    with pytest.raises(
        NoLogError, match=r"No log matches 'weather'.*agent-eeb05856, proxy-0a1b2c3d, github, functions"
    ):
        logs.show(installation, "weather", follow=False, as_json=False)


def test_without_the_embedded_aws_the_files_are_printed(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.show(installation, "", follow=False, as_json=False)
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 3
    assert shown.err.count("The embedded AWS isn't running") == 1


@pytest.mark.parametrize("line", ["plain text", "[1, 2]", '{"no": "message"}', '"text"', ""])
def test_what_is_no_log_record_stays_as_it_is(line: str) -> None:
    assert readable(line) == line


def test_an_exception_stands_on_lines_of_its_own() -> None:
    record = {"level": "ERROR", "message": "failed", "exception": "Traceback:\n  ValueError: no"}
    assert readable(json.dumps(record)) == "ERROR failed\nTraceback:\n  ValueError: no"
