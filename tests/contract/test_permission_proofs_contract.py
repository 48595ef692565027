"""Every permission has a test that breaks without it: named in tests/mutation/proofs.py, shown in docs/permissions.md.

Whoever adds a permission to template.yaml is told here what is missing: a line in proofs.py, and the run of
`make mutation` that shows the test break.
"""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.stack_template import ROOT
from tests.mutation import needs
from tests.mutation.deployed import less
from tests.mutation.grants import Grant, Place, grants
from tests.mutation.proofs import PROOFS, STATIC, Proof, proofs_of
from tests.mutation.table import rows_of, shown_in

if TYPE_CHECKING:
    Document = dict[str, Any]

ADD = "add a line to tests/mutation/proofs.py and run `make mutation`, as docs/permissions.md says"


@pytest.fixture(scope="module")
def permissions(resources: Document) -> list[Grant]:
    return grants(resources)


def test_every_permission_has_one_test_that_breaks_without_it(permissions: list[Grant]) -> None:
    assert len(permissions) > 100
    without = [grant.key for grant in permissions if not proofs_of(grant)]
    assert without == [], ADD
    twice = {
        grant.key: [proof.test for proof in proofs] for grant in permissions if len(proofs := proofs_of(grant)) > 1
    }
    assert twice == {}, "which of these lines is it?"


def test_no_permission_is_given_twice(permissions: list[Grant]) -> None:
    """Without one of the two nothing would break."""
    assert len(permissions) == len({grant.key for grant in permissions})


def test_no_line_is_left_of_a_permission_that_is_gone(permissions: list[Grant]) -> None:
    stale = [proof for proof in PROOFS if not any(proof.covers(grant) for grant in permissions)]
    assert stale == []


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: f"{proof.roles}-{proof.actions}-{proof.resources}")
def test_the_named_test_exists(proof: Proof) -> None:
    path, _, name = proof.test.partition("::")
    assert name.partition("[")[0] in _tests_in(path)
    if proof.is_static:
        assert name in needs.TESTS


def test_the_documents_table_has_every_permission_and_its_test(permissions: list[Grant]) -> None:
    shown = shown_in(ROOT / "docs/permissions.md")
    expected = rows_of(permissions)
    assert ([row for row in expected if row not in shown], [row for row in shown if row not in expected]) == ([], []), (
        'missing and stale rows: `make mutation` writes them, with ARGS="--role PATTERN" those of some roles'
    )


def test_a_document_less_a_permission_keeps_every_other() -> None:
    statement = {"Effect": "Allow", "Action": ["s3:Get", "s3:Put"], "Resource": ["a", "b"], "Condition": {"x": "y"}}
    gone = Grant("Role", "s3:Put", "B", place=Place("policy", 1, 1))
    left = less({"Version": "1", "Statement": [{**statement, "Resource": "c"}, statement]}, [gone])
    assert [(one["Action"], one["Resource"], one["Condition"]) for one in left["Statement"]] == [
        ("s3:Get", ["c"], {"x": "y"}),
        ("s3:Put", ["c"], {"x": "y"}),
        ("s3:Get", ["a", "b"], {"x": "y"}),
        ("s3:Put", ["a"], {"x": "y"}),
    ]


def test_what_a_task_or_function_is_allowed_is_never_proven_from_the_template_alone() -> None:
    """What the embedded AWS enforces is proven by running it, but for what AWS reads by itself to detect drift."""
    enforced = ("dynamodb:", "ecs:", "lambda:", "states:")
    static = [one for one in PROOFS if one.test.startswith(STATIC) and one.actions.startswith(enforced)]
    drift = f"{STATIC}::test_the_doctor_may_read_what_drift_detection_reads"
    assert [one for one in static if one.test != drift] == []


@cache
def _tests_in(path: str) -> set[str]:
    module = ast.parse((ROOT / path).read_text())
    return {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
