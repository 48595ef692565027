"""The check `branch-protection`, against a real GitHub server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.kit.sessions import a_row, serialized

from cloud_agent.adapters.table.keys import SLOTS_KEY
from cloud_agent_doctor.checks.branch_protection import CHECK

if TYPE_CHECKING:
    import httpx
    from tests.unit.functions.doctor.inside_account import Account

    from local_github.testing import Server


def test_the_app_sees_whether_a_rule_keeps_it_off_the_default_branch(
    account: Account, github: Server, person: httpx.Client
) -> None:
    wanted = {"name": "protected-or-not", "auto_init": True}
    repo = person.post("/orgs/acme/repos", json=wanted).raise_for_status().json()
    row = a_row(
        "09e22a8b",
        repo=repo["full_name"],
        default_branch=repo["default_branch"],
        installation_id=github.credentials["installation_id"],
    )
    slots = {**SLOTS_KEY, "live": {"09e22a8b": repo["full_name"]}, "waiting": {}}

    def item(request: dict[str, Any]) -> dict[str, Any]:
        return {"Item": serialized(slots if request["Key"]["pk"]["S"] == "SLOTS" else row)}

    account.set("dynamodb", "GetItem", item)

    (finding,) = account.findings(CHECK)
    assert finding.resource == f"{repo['full_name']}, branch main"
    assert set(CHECK.actions) == account.asked

    ruleset = {
        "name": "Reviewed",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "update"}],
    }
    person.post(f"/repos/{repo['full_name']}/rulesets", json=ruleset).raise_for_status()
    assert account.findings(CHECK) == []
