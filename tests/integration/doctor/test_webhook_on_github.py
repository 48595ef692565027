"""The check `webhook`, against a real GitHub server that delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.doctor.conftest import put
from tests.unit.functions.doctor.inside_account import REFUSED, Account

from cloud_agent_doctor.checks.webhook import CHECK
from cloud_agent_doctor.engine.errors import NotApplicableError
from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from local_github.testing import Receiver, Server


@pytest.fixture
def connected(
    github: Server, account: Account, app: httpx.Client, new_receiver: Callable[[], Receiver]
) -> Iterator[Receiver]:
    """The stack's own webhook, which GitHub has greeted; the App's webhook is as before afterwards."""
    receiver = new_receiver()
    account.stack.outputs["HttpApiUrl"] = receiver.url.removesuffix("/webhook")  # type: ignore[index]  # it is a dict
    app.patch("/app/hook/config", json={"url": receiver.url, "content_type": "json"}).raise_for_status()
    receiver.wait_for("ping")
    _ended(app, receiver)
    yield receiver
    app.patch("/app/hook/config", json={"url": "", "content_type": "json", "insecure_ssl": "0"}).raise_for_status()
    app.patch("/app/hook/config", json={"secret": github.credentials["webhook_secret"]}).raise_for_status()


def _ended(app: httpx.Client, receiver: Receiver) -> list[dict[str, Any]]:
    """The attempts as GitHub lists them, once it has noted all that arrived."""

    def noted() -> list[dict[str, Any]] | None:
        guids = {one.headers["x-github-delivery"] for one in receiver.deliveries}
        listed: list[dict[str, Any]] = app.get("/app/hook/deliveries?per_page=100").json()
        found = [one for one in listed if one["guid"] in guids]
        return found if len(found) >= len(receiver.deliveries) else None

    return eventually(noted, 15)


def test_a_webhook_that_leads_here_and_is_answered_has_no_finding(account: Account, connected: Receiver) -> None:
    assert connected.deliveries
    assert account.findings(CHECK) == []
    assert set(CHECK.actions) == account.asked


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"content_type": "form"}, "its content type is form, not json"),
        ({"url": ""}, "its URL is empty, not http://127.0.0.1:"),
    ],
)
def test_a_webhook_that_is_set_up_otherwise_is_found(
    account: Account, app: httpx.Client, connected: Receiver, change: dict[str, str], words: str
) -> None:
    assert connected.deliveries
    app.patch("/app/hook/config", json=change).raise_for_status()
    (finding,) = account.findings(CHECK)
    assert words in finding.problem
    assert "the secret of WebhookSecret" in finding.remediation


def test_a_webhook_that_leads_elsewhere_is_found(
    account: Account, app: httpx.Client, connected: Receiver, new_receiver: Callable[[], Receiver]
) -> None:
    elsewhere = new_receiver()
    app.patch("/app/hook/config", json={"url": elsewhere.url}).raise_for_status()
    elsewhere.wait_for("ping")
    _ended(app, elsewhere)
    (finding,) = account.findings(CHECK)
    assert f"its URL is {elsewhere.url}, not {connected.url}" in finding.problem


def test_a_delivery_that_failed_is_found_until_it_is_redelivered(
    account: Account, app: httpx.Client, connected: Receiver
) -> None:
    connected.status = 401
    app.patch("/app/hook/config", json={"url": connected.url}).raise_for_status()
    connected.wait_for("ping", times=2)
    failed = max(_ended(app, connected), key=lambda one: int(one["id"]))
    (finding,) = account.findings(CHECK)
    assert "1 of the latest deliveries never succeeded" in finding.problem
    assert f"{failed['id']} (ping, {failed['delivered_at'][:10]}" in finding.problem
    assert "401" in finding.problem
    assert "401 means another one signed it" in finding.remediation
    assert "redeliver" in finding.remediation

    connected.status = 200
    app.post(f"/app/hook/deliveries/{failed['id']}/attempts").raise_for_status()
    connected.wait_for("ping", times=3)
    _ended(app, connected)
    assert account.findings(CHECK) == []


def test_a_persons_token_has_no_webhook_to_judge(account: Account, github: Server) -> None:
    put(account, {"token": github.credentials["token"]})
    with pytest.raises(NotApplicableError, match="webhooks belong to the repositories"):
        account.findings(CHECK)


def test_a_github_that_refuses_the_app_is_unknown(account: Account) -> None:
    put(account, {"app_id": "1", "private_key": "no key"})
    assert "private_key is not an RSA key" in str(account.incomplete_findings(CHECK)[1])


def test_a_github_that_does_not_answer_is_unknown(account: Account, person: httpx.Client) -> None:
    person.post("/admin/faults", json={"kind": "status", "status": 502, "path": "/app/hook/.*", "count": 2})
    try:
        assert "GitHub answered 502 to GET /app/hook/config" in str(account.incomplete_findings(CHECK)[1])
    finally:
        person.delete("/admin/faults").raise_for_status()


def test_whoever_may_not_read_the_secret_gets_the_missing_permission(account: Account) -> None:
    account.set("secretsmanager", "GetSecretValue", REFUSED)
    assert account.incomplete_findings(CHECK)[1].permission == "secretsmanager:GetSecretValue"
