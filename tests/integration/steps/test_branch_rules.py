"""GitHub's rules for a session's branch are known before the first turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.steps.github import GitHub
    from tests.integration.steps.handlers import Steps


def protect(github: GitHub, repo: str, *rules: dict[str, Any]) -> None:
    """A ruleset for the sessions' branches."""
    where = {"ref_name": {"include": ["refs/heads/claude/*"]}}
    github.call("POST", f"/repos/{repo}/rulesets", name="r", enforcement="active", conditions=where, rules=list(rules))


def test_a_rule_that_may_reject_claudes_commits_is_in_the_comment_before_anything_is_paid_for(
    steps: Steps, github: GitHub, repo: str
) -> None:
    pattern = {"operator": "starts_with", "pattern": "feat: ", "negate": False}
    protect(
        github,
        repo,
        {"type": "required_signatures"},
        {"type": "deletion"},
        {"type": "commit_message_pattern", "parameters": pattern},
    )
    session = steps.claim(repo)
    for step in ("create_branch", "open_draft_pull_request"):
        for _ in range(2):
            steps.run(step, session)

    (pull,) = github.pulls(session)
    (comment,) = github.comments(repo, pull["number"])
    assert "accepts only signed commits, and Claude's aren't signed" in comment
    assert "feat: " not in comment  # that's for Claude to keep to
    assert (steps.row(session) or {})["branch_rules"] == [
        {"type": "required_signatures", "pattern": "", "negate": False},
        {"type": "commit_message_pattern", **pattern},
    ]


def test_without_rules_nothing_is_said(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo)
    steps.run_up_to("announce_session", session)
    (pull,) = github.pulls(session)
    (comment,) = github.comments(repo, pull["number"])
    assert "may reject" not in comment
