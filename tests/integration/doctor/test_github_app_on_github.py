"""The check `github-app`, against a real GitHub server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.doctor.conftest import put
from tests.kit.app_key import new_key_pem
from tests.unit.functions.doctor.inside_account import REFUSED, Account

from cloud_agent_doctor.checks.github_app import CHECK
from cloud_agent_doctor.engine.errors import NotApplicableError

if TYPE_CHECKING:
    import httpx

    from local_github.testing import Server


def test_an_app_that_is_set_up_has_no_finding_and_takes_the_declared_actions(account: Account) -> None:
    assert account.findings(CHECK) == []
    assert set(CHECK.actions) == account.asked


def test_a_suspended_installation_is_found_with_its_account(
    account: Account, github: Server, app: httpx.Client
) -> None:
    path = f"/app/installations/{github.credentials['installation_id']}/suspended"
    app.put(path).raise_for_status()
    try:
        (finding,) = account.findings(CHECK)
    finally:
        app.delete(path).raise_for_status()
    assert f"The installation {github.credentials['installation_id']}" in finding.problem
    assert "on acme has been suspended since " in finding.problem
    assert account.findings(CHECK) == []


def test_an_app_that_is_installed_nowhere_is_found(account: Account, app: httpx.Client, person: httpx.Client) -> None:
    for installation in app.get("/app/installations").json():
        app.delete(f"/app/installations/{installation['id']}").raise_for_status()
    try:
        (finding,) = account.findings(CHECK)
    finally:
        person.post("/admin/installations", json={"account": "acme"}).raise_for_status()
    assert "isn't installed on any account" in finding.problem


def test_a_key_that_is_not_the_apps_is_found(account: Account, github: Server) -> None:
    put(account, {"app_id": str(github.credentials["app_id"]), "private_key": new_key_pem()})
    (finding,) = account.findings(CHECK)
    assert f"rejects the App {github.credentials['app_id']} from GitHubSecret" in finding.problem
    assert finding.logical_ids == ("GitHubSecret",)
    assert "PRIVATE" not in repr(finding)


def test_a_key_that_is_none_is_found_and_not_shown(account: Account) -> None:
    put(account, {"app_id": "4711", "private_key": "very-secret"})
    (finding,) = account.findings(CHECK)
    assert "private_key is not an RSA key in PEM form" in finding.problem
    assert "very-secret" not in repr(finding)


def test_a_token_that_github_accepts_leaves_no_app_to_judge(account: Account, github: Server) -> None:
    put(account, {"token": github.credentials["token"]})
    with pytest.raises(NotApplicableError, match="GitHub accepts the personal token"):
        account.findings(CHECK)


def test_a_token_that_github_refuses_is_found_and_not_shown(account: Account) -> None:
    put(account, {"token": "ghp_very-secret"})
    (finding,) = account.findings(CHECK)
    assert "rejects the token from GitHubSecret" in finding.problem
    assert "very-secret" not in repr(finding)


def test_a_secret_without_a_value_is_left_to_its_own_check(account: Account) -> None:
    put(account, {})
    with pytest.raises(NotApplicableError, match="see the check `secrets`"):
        account.findings(CHECK)


def test_an_address_where_no_github_answers_is_found() -> None:
    account = Account(GitHubApiUrl="http://127.0.0.1:9")
    put(account, {"token": "ghp_a-token"})
    (finding,) = account.findings(CHECK)
    assert "GitHub's API doesn't respond from here" in finding.problem
    assert finding.resource == "http://127.0.0.1:9"


def test_an_error_of_githubs_own_is_found(account: Account, person: httpx.Client) -> None:
    fault = {"kind": "status", "status": 503, "path": "/app", "count": 2}  # a GET is asked twice
    person.post("/admin/faults", json=fault).raise_for_status()
    try:
        (finding,) = account.findings(CHECK)
    finally:
        person.delete("/admin/faults").raise_for_status()
    assert "GitHub answered 503 to GET /app" in finding.problem


@pytest.mark.parametrize("path", ["/app", "/app/installations"])
def test_a_rate_limit_that_is_used_up_is_unknown(account: Account, person: httpx.Client, path: str) -> None:
    person.post("/admin/faults", json={"kind": "rate_limit", "path": path}).raise_for_status()
    try:
        findings, unavailable = account.incomplete_findings(CHECK)
    finally:
        person.delete("/admin/faults").raise_for_status()
    assert findings == []
    assert "rate limit" in str(unavailable)


def test_whoever_may_not_read_the_secret_gets_the_missing_permission(account: Account) -> None:
    account.set("secretsmanager", "GetSecretValue", REFUSED)
    assert account.incomplete_findings(CHECK)[1].permission == "secretsmanager:GetSecretValue"
