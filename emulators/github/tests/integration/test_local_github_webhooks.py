"""Every change is delivered to the App's webhook, signed, once, and can be redelivered."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


def _eventually(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 10
    while not (seen := look()):
        assert time.monotonic() < deadline, "it has not come about"
        time.sleep(0.02)
    return seen


def test_a_delivery_is_signed_over_its_raw_body(server: Any, api: httpx.Client, repo: str, receiver: Any) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "ü 😀 </script>"})
    delivery = receiver.wait_for("issues", "opened")
    secret = server.credentials["webhook_secret"].encode()
    expected = "sha256=" + hmac.new(secret, delivery.body, hashlib.sha256).hexdigest()
    assert expected == delivery.headers["x-hub-signature-256"]
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.headers["user-agent"].startswith("GitHub-Hookshot/")
    assert str(server.credentials["app_id"]) == delivery.headers["x-github-hook-installation-target-id"]
    assert delivery.headers["x-github-hook-installation-target-type"] == "integration"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", delivery.headers["x-github-delivery"])
    assert delivery.headers["x-github-hook-id"]
    assert server.credentials["installation_id"] == delivery.payload["installation"]["id"]
    assert ("ü 😀 </script>", repo, "octo-dev") == (
        delivery.payload["issue"]["title"],
        delivery.payload["repository"]["full_name"],
        delivery.payload["sender"]["login"],
    )


def test_an_issues_life_is_delivered_step_by_step(api: httpx.Client, repo: str, receiver: Any) -> None:
    issue = f"/repos/{repo}/issues/1"
    api.post(f"/repos/{repo}/issues", json={"title": "t", "body": "", "labels": ["first"]})
    assert receiver.wait_for("issues", "opened").payload["issue"]["body"] is None
    assert receiver.wait_for("issues", "labeled").payload["label"]["name"] == "first"
    api.post(f"{issue}/labels", json={"labels": ["claude-dev", "first"]})
    assert receiver.wait_for("issues", "labeled", times=2).payload["label"]["name"] == "claude-dev"
    api.delete(f"{issue}/labels/claude-dev")
    assert receiver.wait_for("issues", "unlabeled").payload["label"]["name"] == "claude-dev"
    api.patch(issue, json={"title": "new", "body": "text"})
    changes = receiver.wait_for("issues", "edited").payload["changes"]
    assert changes == {"title": {"from": "t"}, "body": {"from": ""}}
    api.patch(issue, json={"state": "closed"})
    assert receiver.wait_for("issues", "closed").payload["issue"]["state_reason"] == "completed"
    api.patch(issue, json={"state": "open"})
    receiver.wait_for("issues", "reopened")
    comment = api.post(f"{issue}/comments", json={"body": "one"}).json()["id"]
    receiver.wait_for("issue_comment", "created")
    api.patch(f"/repos/{repo}/issues/comments/{comment}", json={"body": "two"})
    assert receiver.wait_for("issue_comment", "edited").payload["changes"] == {"body": {"from": "one"}}
    api.delete(f"/repos/{repo}/issues/comments/{comment}")
    assert receiver.wait_for("issue_comment", "deleted").payload["comment"]["body"] == "two"


def test_what_changes_nothing_is_not_delivered(api: httpx.Client, repo: str, receiver: Any) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "t", "labels": ["x"]})
    api.post(f"/repos/{repo}/issues/1/labels", json={"labels": ["X"]})
    api.patch(f"/repos/{repo}/issues/1", json={"title": "t", "state": "open"})
    api.patch(f"/repos/{repo}/issues/1", json={"state": "nonsense", "title": "changed"})
    api.post(f"/repos/{repo}/issues/1/comments", json={"body": "the last of it"})
    receiver.wait_for("issue_comment", "created")
    delivered = sorted(
        (delivery.event, delivery.payload.get("action"))
        for delivery in receiver.deliveries
        if delivery.event == "issues"
    )
    assert delivered == [("issues", "labeled"), ("issues", "opened")]


def test_a_failed_delivery_is_recorded_and_can_be_sent_again_under_its_id(
    server: Any,
    api: httpx.Client,
    repo: str,
    receiver: Any,
) -> None:
    receiver.status = 500
    api.post(f"/repos/{repo}/issues", json={"title": "t"})
    guid = receiver.wait_for("issues", "opened").headers["x-github-delivery"]
    with server.client(server.app_jwt()) as app:

        def recorded() -> list[dict[str, Any]]:
            return [item for item in app.get("/app/hook/deliveries").json() if item["guid"] == guid]

        (first,) = _eventually(recorded)
        assert tuple(first[k] for k in ("status_code", "redelivery", "event", "action")) == (
            500,
            False,
            "issues",
            "opened",
        )
        receiver.status = 200
        assert app.post(f"/app/hook/deliveries/{first['id']}/attempts").status_code == 202
        again = receiver.wait_for("issues", "opened", times=2)
        assert guid == again.headers["x-github-delivery"]
        second, _ = _eventually(lambda: recorded()[:2] if len(recorded()) == 2 else [])
        assert tuple(second[k] for k in ("status_code", "redelivery", "status")) == (200, True, "OK")
        detail = app.get(f"/app/hook/deliveries/{second['id']}").json()
        assert json.loads(again.body) == detail["request"]["payload"]


def test_an_unreachable_webhook_is_a_recorded_failure(server: Any, api: httpx.Client, repo: str, receiver: Any) -> None:
    with server.client(server.app_jwt()) as app:
        app.patch("/app/hook/config", json={"url": "http://127.0.0.1:9/"})
        api.post(f"/repos/{repo}/issues", json={"title": "t"})
        item = _eventually(
            lambda: [
                i for i in app.get("/app/hook/deliveries").json() if (i["event"], i["status_code"]) == ("issues", 502)
            ]
        )[0]
        assert item["status"] == "failed to connect to host"
    assert all(delivery.event == "ping" for delivery in receiver.deliveries)


def test_the_secret_is_never_shown_and_a_new_one_signs(server: Any, receiver: Any) -> None:
    old = server.credentials["webhook_secret"]
    with server.client(server.app_jwt()) as app:
        try:
            app.patch("/app/hook/config", json={"secret": "another", "url": receiver.url})
            delivery = receiver.wait_for("ping", times=2)
            expected = "sha256=" + hmac.new(b"another", delivery.body, hashlib.sha256).hexdigest()
            assert expected == delivery.headers["x-hub-signature-256"]
            assert app.get("/app/hook/config").json()["secret"] == "********"
        finally:
            app.patch("/app/hook/config", json={"secret": old})
        for url in ("file:///etc/passwd", "http://[", "http://", "http://x:y/", "http://☃☃.:80/", "nonsense"):
            assert app.patch("/app/hook/config", json={"url": url}).status_code == 422
        assert app.patch("/app/hook/config", json={"content_type": "xml"}).status_code == 422
