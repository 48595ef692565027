"""Checkov's findings that are suppressed: each for a reason that stands beside the resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    Document = dict[str, Any]


@pytest.fixture(scope="module")
def skips(template: Document) -> dict[str, list[Document]]:
    """What is suppressed, by resource."""
    metadata = {name: r.get("Metadata", {}).get("checkov", {}) for name, r in template["Resources"].items()}
    return {name: checkov["skip"] for name, checkov in metadata.items() if checkov}


def test_every_suppression_says_why(skips: dict[str, list[Document]]) -> None:
    assert skips
    for name, suppressed in skips.items():
        for one in suppressed:
            assert {"id", "comment"} == set(one), name
            assert one["id"].startswith("CKV")
            assert len(one["comment"]) > 40
            assert one["comment"].endswith(".")


def test_no_check_is_suppressed_for_the_whole_template(root: Path) -> None:
    command = [line for line in (root / "Makefile").read_text().splitlines() if "bin/checkov" in line]
    assert len(command) == 1
    assert "--skip-check" not in command[0]
    assert "--soft-fail" not in command[0]
    assert [*root.glob(".checkov.y*ml"), *root.glob("*.baseline")] == []


def test_a_function_is_suppressed_like_every_other_so_that_all_are_built_once(
    skips: dict[str, list[Document]], template: Document
) -> None:
    functions = [n for n, r in template["Resources"].items() if r["Type"] == "AWS::Serverless::Function"]
    assert all(skips[functions[0]] == skips[function] for function in functions)
