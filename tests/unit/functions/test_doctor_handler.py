"""The scheduled run: what it logs, what it counts, and what it calls new. The stack it looks for is not there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from cloud_agent.adapters.aws import clients
from cloud_agent_doctor.engine.findings import Finding, Outcome, Report, Status
from cloud_agent_doctor.handler import handler
from cloud_agent_doctor.last_report import LastReport

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table


@pytest.fixture
def run(
    environment: Callable[..., None],
    sample: Callable[[str], dict[str, Any]],
    context: Any,  # noqa: ANN401 - the handler's context
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], dict[str, Any]]:
    """One run of the function, in an account without the stack."""
    environment(POWERTOOLS_METRICS_NAMESPACE="ClaudeCloudAgent")

    def run() -> dict[str, Any]:
        client = boto3.client("cloudformation")
        with Stubber(client) as stubber:
            stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id x doesn't exist")
            monkeypatch.setattr(clients, "client", lambda _: client)
            result: dict[str, Any] = handler(sample("doctor.json"), context)
            return result

    return run


def test_a_finding_is_new_once(run: Callable[[], dict[str, Any]]) -> None:
    first, second = run(), run()
    assert (first["DoctorFindings"], first["NewFindings"]) == (1, 1)
    assert (second["DoctorFindings"], second["NewFindings"]) == (1, 0)
    assert not second["healthy"]


def test_a_finding_that_comes_back_is_new_again(run: Callable[[], dict[str, Any]], table: Table) -> None:
    run()
    LastReport(table.name).replace(frozenset(), "2026-11-22T08:00:00.000Z")
    assert run()["NewFindings"] == 1


def test_a_finding_is_a_log_line_with_its_remediation(run: Callable[[], dict[str, Any]], logs: io.StringIO) -> None:
    run()
    (line,) = [json.loads(text) for text in logs.getvalue().splitlines() if '"finding"' in text]
    assert (line["check"], line["resource"]) == ("stack", "claude-cloud-agent")
    assert "sam deploy" in line["remediation"]


def test_a_warning_is_a_log_line_and_counts_nowhere(
    run: Callable[[], dict[str, Any]], logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned = Finding("acme/storefront, branch main", "It isn't protected.", "", "Add a ruleset.", "")

    def diagnose(name: str, _: object, on_outcome: Callable[[Outcome], None]) -> Report:
        outcome = Outcome("branch-protection", Status.HEALTHY, warnings=(warned,))
        on_outcome(outcome)
        return Report(name, (outcome,))

    monkeypatch.setattr("cloud_agent_doctor.handler.diagnose", diagnose)
    result = run()

    (line,) = [json.loads(text) for text in logs.getvalue().splitlines() if '"warning"' in text]
    assert (line["check"], line["remediation"]) == ("branch-protection", "Add a ruleset.")
    assert result == {"healthy": True, "DoctorFindings": 0, "DoctorUnknown": 0, "NewFindings": 0, "DriftedResources": 0}


def test_a_finding_is_counted_by_its_check(
    run: Callable[[], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    metrics = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in text]
    assert {"check": "stack", "Findings": [1.0]}.items() <= next(m for m in metrics if "check" in m).items()
    assert {
        "DoctorFindings": [1.0],
        "DoctorUnknown": [0.0],
        "NewFindings": [1.0],
        "DriftedResources": [0.0],
    }.items() <= (next(m for m in metrics if "DoctorFindings" in m).items())
