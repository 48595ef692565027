"""GitHub's rules for a session's branch that may reject what Claude pushes: known before the first turn.

Which rules there are: "GitHub REST API: Get rules for a branch", which doesn't say whom a ruleset lets bypass them. So
nothing here stops a session. What they ask for: "GitHub Docs: Available rules for rulesets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.messages import code, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.domain.session.branch_rule import BranchRule

_PATTERN_LIMIT = 200  # characters of a pattern
_LISTED = 20  # rules of one branch
_VERBS = {"starts_with": "start with", "ends_with": "end with", "contains": "contain", "regex": "match"}
_AFTER_CHECKS = "accepts only commits that have passed its checks"
# What a rule does to pushes, for people. Those that Claude can keep to are in _FOR_CLAUDE as well.
_FOR_PEOPLE = {
    "update": "restricts who may push",
    "pull_request": "accepts changes only through a pull request",
    "required_signatures": "accepts only signed commits, and Claude's aren't signed",
    "required_status_checks": _AFTER_CHECKS,
    "required_deployments": _AFTER_CHECKS,
    "workflows": _AFTER_CHECKS,
    "code_scanning": _AFTER_CHECKS,
    "merge_queue": "accepts changes only through a merge queue",
}
_FOR_CLAUDE = {
    "required_linear_history": "It must not contain merge commits: rebase onto another branch instead of merging it.",
    "non_fast_forward": "It can't be force-pushed: add commits, and leave alone those that are on GitHub.",
}
_PATTERNS = {
    "commit_message_pattern": "commit message",
    "commit_author_email_pattern": "commit's author email",
    "committer_email_pattern": "commit's committer email",
}


def rules_to_keep(rules: Sequence[BranchRule]) -> list[BranchRule]:
    """Return those that matter, each once; of long patterns the beginning."""
    kept = dict.fromkeys(
        rule.model_copy(update={"pattern": shortened(rule.pattern, _PATTERN_LIMIT)}) for rule in rules if _matters(rule)
    )
    return list(kept)[:_LISTED]


def rules_for_people(rules: Sequence[BranchRule]) -> str:
    """Return which rules may reject Claude's pushes, and what to do; "" where Claude can keep to all of them."""
    reasons = [_FOR_PEOPLE[rule.type] for rule in rules if rule.type in _FOR_PEOPLE]
    reasons += [
        f"requires that {_wanted_text(rule)}" for rule in rules if _is_about_text(rule) and not _is_message(rule)
    ]
    if not reasons:
        return ""
    listed = "; ".join(dict.fromkeys(reasons))
    return (
        f"> [!WARNING]\n> GitHub may reject Claude's commits: a rule for this branch {listed}. If so, ask an "
        "administrator to add the GitHub App to the ruleset's bypass list, or to exclude this branch from it."
    )


def rules_for_claude(rules: Sequence[BranchRule]) -> str:
    """Return what Claude has to keep to; "" where that's nothing."""
    lines = [_FOR_CLAUDE[rule.type] for rule in rules if rule.type in _FOR_CLAUDE]
    lines += [f"In it, {_wanted_text(rule)}." for rule in rules if _is_about_text(rule) and _is_message(rule)]
    if not lines:
        return ""
    listed = "\n".join(f"- {line}" for line in lines)
    return f"## The repository's rules for this branch\n\nGitHub rejects what breaks them.\n\n{listed}"


def _is_message(rule: BranchRule) -> bool:
    return rule.type == "commit_message_pattern"


def _matters(rule: BranchRule) -> bool:
    """Whether a rule may reject a push of Claude's to a branch that exists."""
    return rule.type in _FOR_PEOPLE or rule.type in _FOR_CLAUDE or _is_about_text(rule)


def _is_about_text(rule: BranchRule) -> bool:
    return rule.type in _PATTERNS and rule.operator is not None


def _wanted_text(rule: BranchRule) -> str:
    """Return what each commit must be, in words; the pattern is a person's, and stands in code."""
    verb = _VERBS[rule.operator or "regex"]
    return f"each {_PATTERNS[rule.type]} must {'not ' * rule.negate}{verb} {code(rule.pattern)}"
