"""What a person reads of a session that failed, and the repositories in which one does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.system import Session, System

ALWAYS = 100  # as often as a state may ask
CONFIG = ".github/claude-cloud-agent.yml"
PAGE = {
    "README.md": "# A page\n",
    CONFIG: 'dev: python3 -m http.server "$PORT" --bind "$HOST"\n',
}


def repository(system: System, name: str, files: dict[str, str] | None = None) -> System:
    """A repository of the test's own, with these files or a README alone."""
    unique = f"{name}-{uuid.uuid4().hex[:6]}"
    return system.at(system.create_repository(unique, files or {"README.md": "# Something\n"}))


def is_told(system: System, session: Session, *words: str) -> str:
    """The one comment that tells of a session's failure; holds that it can be acted on and nothing is left behind."""
    assert system.wait_for_end(session) == "FAILED"
    row = system.wait_until_over(session)
    assert row["status"] == "FAILED"
    number = row.get("pull_number") or session.issue_number
    marker = f"<!-- claude-cloud-agent:failure:{session.id} -->"
    (body,) = [c["body"] for c in system.comments(int(number)) if c["body"].startswith(marker)]
    told = body.partition("<details>")[0]
    assert [part for part in words if part not in body] == [], body
    assert f"\n{row['end_reason']}" in told
    assert "**What to do:**" in told
    assert ("comment `/restart` here" if "pull_number" in row else "remove and re-add the label.") in told
    assert "Error" not in told, "a name from the code is no help"
    assert f"#/v2/executions/details/{session.execution_arn})" in body
    if "pull_number" in row:
        assert row["end_reason"] in system.wait_for_status(session, "❌ Failed").replace("\\", "")
        assert deployment_state(system, row["pull_number"]) == "error"
    return str(body)


def deployment_state(system: System, pull: str) -> str:
    """What the newest Deployment of a pull request says."""
    path = f"/repos/{system.repository}/deployments"
    (deployment,) = system.github.call("GET", f"{path}?environment=uat/pr-{pull}")
    return str(system.github.call("GET", f"{path}/{deployment['id']}/statuses")[0]["state"])


def protect(system: System, *rules: str) -> int:
    """A ruleset for the sessions' branches; returns its id."""
    ruleset = {
        "name": "Nobody touches claude/*",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/heads/claude/*"], "exclude": []}},
        "rules": [{"type": rule} for rule in rules],
    }
    return int(system.github.call("POST", f"/repos/{system.repository}/rulesets", ruleset)["id"])
