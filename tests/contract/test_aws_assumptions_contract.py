"""docs/aws-assumptions.md: each row has its evidence and a command that there is, and each correction has its row."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.session
import pytest
from botocore import xform_name
from tests.kit.stack_template import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EVIDENCE = ("documented: ", "modelled: ", "recorded: ", "unproven: ")
# How the register names each service whose resources the template has.
SERVICES = {
    "ApiGatewayV2": "HTTP API",
    "CloudWatch": "CloudWatch",
    "DynamoDB": "DynamoDB",
    "EC2": "security group",
    "ECS": "ECS",
    "ElasticLoadBalancingV2": "load balancer",
    "Events": "EventBridge",
    "IAM": "role",
    "KMS": "key whose policy",
    "Lambda": "Lambda",
    "Logs": "log lines",
    "Route53": "hosted zone",
    "S3": "S3",
    "SNS": "SNS",
    "SQS": "dead-letter queue",
    "SecretsManager": "secret",
    "ServiceDiscovery": "Cloud Map",
    "StepFunctions": "Step Functions",
}
READING = ("describe-", "filter-", "get-", "head-", "list-", "query", "test-state", "validate-")


class Row(NamedTuple):
    """One claim."""

    claim: str
    evidence: str
    consequence: str
    check: str
    corrections: str


def rows() -> list[Row]:
    """Every claim, from the tables with five columns."""
    text = (ROOT / "docs/aws-assumptions.md").read_text()
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    found = [Row(*(one.strip(" |") for one in [*line, ""][:5])) for line in cells if len(line) in {4, 5}]
    return [row for row in found if row.claim != "Claim"]


def corrections() -> dict[str, str]:
    """Each correction of the embedded AWS, with its docstring."""
    folder: Path = ROOT / "emulators/aws/src/embedded_aws/patches"
    documents = {path.stem: ast.get_docstring(ast.parse(path.read_text())) or "" for path in folder.glob("*.py")}
    return {name: text for name, text in documents.items() if name != "__init__"}


def test_the_register_has_its_rows() -> None:
    assert len(rows()) > 50
    assert len({row.claim for row in rows()}) == len(rows())


def test_each_service_that_the_template_uses_has_its_rows(expanded_template: dict[str, Any]) -> None:
    used = {resource["Type"].split("::")[1] for resource in expanded_template["Resources"].values()}
    assert used - SERVICES.keys() == set()
    text = "\n".join(f"{row.claim} {row.evidence}" for row in rows())
    assert {service for service in used if SERVICES[service] not in text} == set()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.claim[:60])
def test_a_claim_has_its_evidence_and_a_command_that_checks_it_and_changes_nothing(row: Row) -> None:
    assert row.evidence.startswith(EVIDENCE)
    assert row.consequence
    (command,) = re.findall(r"`([^`]+)`", row.check)
    if command.startswith("cloud-agent "):
        assert command in {"cloud-agent doctor", "cloud-agent doctor --first-run"}
        return
    _, service, operation = command.replace("s3api", "s3").split()[:3]
    operations = botocore.session.get_session().get_service_model(service).operation_names
    assert operation in {xform_name(name).replace("_", "-") for name in operations}
    assert operation.startswith(READING)


def test_each_correction_that_restores_what_aws_does_is_in_the_register() -> None:
    named = {name for row in rows() for name in re.findall(r"`(\w+)`", row.corrections)}
    restoring = {name for name, text in corrections().items() if "no defect" not in text}
    assert restoring - named == set()
    assert named - corrections().keys() == set()
