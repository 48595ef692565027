"""What `cloud-agent doctor` prints and how it ends."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

import pytest

from cloud_agent_cli import doctor
from cloud_agent_cli import main as cli
from cloud_agent_doctor.checks import CHECKS
from cloud_agent_doctor.engine.findings import Finding, Outcome, Report, Status

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_doctor.engine.check import Check

RULE = Finding(
    "arn:listener", "No rule [priority 10]", "Visitors see another system.", "Deploy again.", "aws elbv2 look"
)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The command's own process: an AWS configuration without a region or credentials."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def run(command: pytest.MonkeyPatch, tmp_path: Path, *arguments: str) -> object:
    command.setattr("sys.argv", ["cloud-agent", "doctor", "--state-dir", str(tmp_path), *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_the_first_broken_hop_comes_first_then_the_chain_then_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    health = Finding("arn:group", "No target is healthy.", "", "", "")
    doctor.show(
        Report(
            "agents",
            (
                Outcome("stack", Status.HEALTHY),
                Outcome("listener-rule", Status.BROKEN, (RULE,)),
                Outcome("target-group", Status.SKIPPED, reason="skipped: depends on listener-rule"),
                Outcome("orphans", Status.BROKEN, (health,)),
            ),
        ),
        CHECKS,
    )
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == "agents: 2 problems found; first broken hop: listener-rule"
    assert lines[1:8] == [
        "✗ listener-rule",
        "problem      No rule [priority 10]",
        "resource     arn:listener",
        "impact       Visitors see another system.",
        "remediation  Deploy again.",
        "confirm      aws elbv2 look",
        "runbook      docs/runbook.md#listener-rule",
    ]
    chain = [line for line in lines if line[0] in "┌├└"]
    assert [" ".join(line.split()[:3]) for line in chain] == [
        "┌ ✓ stack",
        "├ ✗ listener-rule",
        "├ · target-group",
        "└ ✗ orphans",
    ]
    assert chain[2].endswith("skipped: depends on listener-rule")
    assert lines.index(chain[-1]) < lines.index("problem      No target is healthy.")


def test_a_warning_is_shown_last_and_is_no_problem(capsys: pytest.CaptureFixture[str]) -> None:
    warned = Outcome("branch-protection", Status.HEALTHY, warnings=(RULE,))
    doctor.show(Report("agents", (Outcome("stack", Status.HEALTHY), warned)), CHECKS)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == "agents: All checks passed, 1 warning"
    assert lines[2].startswith("└ ! branch-protection")
    assert lines[3:5] == ["! branch-protection", "problem      No rule [priority 10]"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_each_check_explains_itself(
    command: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], check: Check
) -> None:
    assert run(command, tmp_path, "--explain", check.name) == 0
    words = capsys.readouterr().out
    assert all(action in words.replace("\n", " ") for action in check.actions)
    assert f"docs/runbook.md#{check.name}" in words
    assert len(words.split()) > 40


def test_an_unknown_check_is_refused_with_those_there_are(
    command: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, tmp_path, "--explain", "weather") == 1
    assert "--explain weather: no such check. Available checks: stack, dns-record," in capsys.readouterr().err


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["people", "programs"])
def test_without_a_region_one_sentence_says_how_to_name_one(
    command: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    assert run(command, tmp_path, *options) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "error: No AWS region is set. Say --region or set AWS_REGION.\n"


def test_without_credentials_one_sentence_says_so(
    command: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, tmp_path, "--region", "us-east-1") == 2
    assert capsys.readouterr().err.startswith("error: No AWS credentials were found.")


def test_an_unknown_profile_is_named(
    command: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.setenv("AWS_PROFILE", "nobodys")
    assert run(command, tmp_path, "--region", "us-east-1") == 2
    assert "nobodys" in capsys.readouterr().err


@pytest.fixture
def nowhere(command: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An account that does not answer."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        command.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
    command.setenv("AWS_MAX_ATTEMPTS", "1")
    command.setenv("AWS_ACCESS_KEY_ID", "test")
    command.setenv("AWS_SECRET_ACCESS_KEY", "test")
    command.setenv("AWS_REGION", "eu-central-1")
    return command


def test_the_first_line_names_stack_region_and_endpoint_and_the_headline_that_nothing_could_be_checked(
    nowhere: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(nowhere, tmp_path) == 2
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert lines[0] == f"Checking the stack claude-cloud-agent in eu-central-1 at {os.environ['AWS_ENDPOINT_URL']}"
    assert lines[1] == "claude-cloud-agent: Nothing could be checked"


def test_programs_are_given_json(
    nowhere: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(nowhere, tmp_path, "--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert tuple(document[name] for name in ("stack", "healthy", "first_broken")) == ("claude-cloud-agent", False, None)
    assert [one["status"] for one in document["outcomes"]] == ["unknown", *["skipped"] * (len(CHECKS) - 1)]
