"""docs/aws-assumptions.md: each row has its evidence and a command that there is, and each correction has its row."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

import botocore.session
import pytest
from botocore import xform_name
from tests.kit.stack_template import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EVIDENCE = ("documented: ", "modelled: ", "recorded: ", "unproven: ")
READING = ("describe-", "filter-", "get-", "list-", "query", "test-state", "validate-")


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


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.claim[:60])
def test_a_claim_has_its_evidence_and_a_command_that_checks_it_and_changes_nothing(row: Row) -> None:
    assert row.evidence.startswith(EVIDENCE)
    assert row.consequence
    (command,) = re.findall(r"`([^`]+)`", row.check)
    if command.startswith("cloud-agent "):
        assert command in {"cloud-agent doctor", "cloud-agent doctor --first-run"}
        return
    _, service, operation = command.split()[:3]
    operations = botocore.session.get_session().get_service_model(service).operation_names
    assert operation in {xform_name(name).replace("_", "-") for name in operations}
    assert operation.startswith(READING)


def test_each_correction_that_restores_what_aws_does_is_in_the_register() -> None:
    named = {name for row in rows() for name in re.findall(r"`(\w+)`", row.corrections)}
    restoring = {name for name, text in corrections().items() if "no defect" not in text}
    assert restoring - named == set()
    assert named - corrections().keys() == set()
