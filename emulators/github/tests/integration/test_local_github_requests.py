"""Every API request is counted: what was asked, by whom, and how it ended."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Since = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def since(api: httpx.Client) -> Since:
    """Return the requests made since the test began."""
    past = api.get("/admin/requests").json()["requests"]
    last = past[-1]["id"] if past else 0
    return lambda: list(api.get("/admin/requests", params={"since": last}).json()["requests"])


def test_a_request_is_shown_with_its_route_status_and_actor(
    server: Any, api: httpx.Client, repo: str, since: Since
) -> None:
    with server.client(server.installation_token()) as app:
        app.post(f"/repos/{repo}/issues", json={"title": "t"})
        app.get(f"/repos/{repo}/issues/7")
    api.get(f"/repos/{repo}/issues")
    server.client("nonsense").get(f"/repos/{repo}")
    shown = [(r["method"], r["route"], r["status"], r["actor"] and r["actor"]["type"]) for r in since()]
    base = "/repos/{owner}/{repo}"
    assert [
        ("POST", "/app/installations/{installation_id:int}/access_tokens", 201, "App"),
        ("POST", f"{base}/issues", 201, "Installation"),
        ("GET", f"{base}/issues/{{number:int}}", 404, "Installation"),
        ("GET", f"{base}/issues", 200, "Person"),
        ("GET", base, 401, None),
    ] == shown[-5:]
    one = since()[-2]
    assert (f"/repos/{repo}/issues", "octo-dev") == (one["path"], one["actor"]["login"])
    assert one["duration_ms"] > 0
    assert one["time"].endswith("Z")


def test_graphql_is_shown_by_what_it_does(server: Any, api: httpx.Client, since: Since) -> None:
    api.post(f"{server.url}/api/graphql", json={"query": 'query Me { viewer { login } node(id: "I_0") { id } }'})
    (shown,) = since()
    assert (shown["route"], shown["operation"], shown["status"]) == ("/graphql", "viewer node", 200)


def test_git_over_http_is_shown(repo: str, git: Any, since: Since) -> None:
    git.run("clone", "-q", git.url(repo), "work")
    shown = {(request["method"], request["route"], request["status"]) for request in since()}
    service = "/{owner}/{repo}.git/{service}"
    assert {("GET", "/{owner}/{repo}.git/info/refs", 200), ("POST", service, 200)} <= shown


def test_a_request_that_met_a_fault_is_shown_with_it(api: httpx.Client, repo: str, since: Since) -> None:
    api.post("/admin/faults", json={"kind": "drop", "path": f"/repos/{repo}"}).raise_for_status()
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        api.get(f"/repos/{repo}")
    (shown,) = [r for r in since() if r["fault"]]
    assert (shown["fault"], shown["status"]) == ("drop", None)
    api.delete("/admin/faults")


def test_the_administrators_own_requests_and_the_pages_are_not_shown(
    server: Any, api: httpx.Client, since: Since
) -> None:
    api.get("/admin/faults")
    api.get(f"{server.url}/")
    assert since() == []


@pytest.mark.parametrize("since_id", ["-1", "x", ""])
def test_since_is_a_number(api: httpx.Client, since_id: str) -> None:
    assert api.get("/admin/requests", params={"since": since_id}).status_code == 422
