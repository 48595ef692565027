"""What GitHub's rules for a branch mean for people, and what Claude has to keep to."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_agent.domain.conversation.branch_rules import rules_for_claude, rules_for_people, rules_to_keep
from cloud_agent.domain.session.branch_rule import BranchRule


def rule(kind: str, operator: str = "", pattern: str = "", *, negate: bool = False) -> BranchRule:
    more: dict[str, Any] = {"operator": operator, "pattern": pattern, "negate": negate} if operator else {}
    return BranchRule.model_validate({"type": kind, **more})


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("update", "restricts who may push"),
        ("pull_request", "accepts changes only through a pull request"),
        ("required_signatures", "accepts only signed commits, and Claude's aren't signed"),
        ("required_status_checks", "accepts only commits that have passed its checks"),
    ],
)
def test_a_rule_that_may_reject_every_push_is_a_warning_with_what_to_do(kind: str, words: str) -> None:
    warning = rules_for_people([rule(kind)])
    assert warning.startswith("> [!WARNING]\n> GitHub may reject Claude's commits: ")
    assert f"a rule for this branch {words}. If so, ask an administrator to add the GitHub App" in warning
    assert rules_for_claude([rule(kind)]) == ""


def test_what_claude_can_keep_to_is_for_claude_alone() -> None:
    rules = [
        rule("required_linear_history"),
        rule("non_fast_forward"),
        rule("commit_message_pattern", "regex", "^(feat|fix): "),
        rule("commit_message_pattern", "contains", "WIP", negate=True),
    ]
    assert rules_for_people(rules) == ""
    text = rules_for_claude(rules)
    for words in ("merge commits", "force-pushed", "must match `^(feat|fix): `", "must not contain `WIP`"):
        assert words in text


def test_an_address_that_a_rule_wants_is_a_persons_business() -> None:
    rules = [rule("commit_author_email_pattern", "ends_with", "@acme.example")]
    assert "requires that each commit's author email must end with `@acme.example`" in rules_for_people(rules)
    assert rules_for_claude(rules) == ""


def test_of_all_rules_those_are_kept_that_matter_once_and_no_longer_than_a_row_can_hold() -> None:
    creation, deletion, unknown = (rule(kind) for kind in ("creation", "deletion", "copilot_code_review"))
    rules = [creation, rule("update"), deletion, rule("update"), unknown]
    assert rules_to_keep(rules) == [rule("update")]
    patterns = [rule("commit_message_pattern", "contains", f"{n:03}" * 1_000) for n in range(100)]
    assert [len(kept.pattern) for kept in rules_to_keep(patterns)] == [200] * 20


def test_without_rules_there_is_nothing_to_say() -> None:
    assert (rules_for_people([]), rules_for_claude([])) == ("", "")
