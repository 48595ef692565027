"""A credential reaches exactly as far as it was made to."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def _status(client: httpx.Client, method: str, path: str, **body: Any) -> int:
    return client.request(method, path, json=body or None).status_code


@pytest.mark.parametrize(
    "authorization", ["Bearer no", "token no", "Basic !!", "Basic bm8=", "Digest x", "Bearer a.b.c"]
)
def test_a_bad_credential_is_401(server: Any, repo: str, authorization: str) -> None:
    answer = httpx.get(f"{server.api_url}/repos/{repo}", headers={"Authorization": authorization})
    assert answer.status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer {}", "token {}"])
def test_both_schemes_of_a_token_are_good(server: Any, scheme: str) -> None:
    headers = {"Authorization": scheme.format(server.credentials["token"])}
    assert httpx.get(f"{server.api_url}/user", headers=headers).json()["login"] == "octo-dev"


def test_basic_authentication_takes_the_token_as_password(server: Any, repo: str) -> None:
    token = server.installation_token()
    assert httpx.get(f"{server.api_url}/repos/{repo}", auth=("x-access-token", token)).status_code == 200


def test_without_a_credential_public_things_can_be_read_and_nothing_written(
    server: Any,
    new_repository: Callable[..., str],
) -> None:
    public, private = new_repository(), new_repository(private=True)
    with httpx.Client(base_url=server.api_url) as nobody:
        assert _status(nobody, "GET", f"/repos/{public}") == 200
        assert _status(nobody, "POST", f"/repos/{public}/issues", title="t") == 401
        assert _status(nobody, "GET", f"/repos/{private}") == 404
        assert _status(nobody, "GET", "/user") == 401


def test_a_token_for_one_repository_does_not_reach_another(
    server: Any,
    new_repository: Callable[..., str],
) -> None:
    own, other, private = new_repository(private=True), new_repository(), new_repository(private=True)
    with server.client(server.installation_token(repositories=[own.split("/")[1]])) as app:
        assert _status(app, "GET", f"/repos/{own}") == 200
        assert _status(app, "POST", f"/repos/{own}/issues", title="t") == 201
        assert _status(app, "POST", f"/repos/{other}/issues", title="t") == 403
        assert _status(app, "GET", f"/repos/{private}") == 404
        assert _status(app, "POST", f"/repos/{private}/issues", title="t") == 404
        names = [repo["full_name"] for repo in app.get("/installation/repositories").json()["repositories"]]
        assert [own] == names


@pytest.mark.parametrize(
    ("permissions", "allowed", "refused"),
    [
        (
            {"contents": "read"},
            [("GET", "branches")],
            [("POST", "git/refs"), ("GET", "issues"), ("POST", "issues"), ("GET", "pulls"), ("POST", "deployments")],
        ),
        ({"issues": "read"}, [("GET", "issues")], [("POST", "issues"), ("GET", "branches"), ("GET", "pulls")]),
        (
            {"pull_requests": "write"},
            [("GET", "pulls")],
            [("POST", "git/refs"), ("GET", "branches"), ("POST", "issues")],
        ),
        ({"metadata": "read"}, [("GET", "")], [("GET", "branches"), ("PATCH", ""), ("POST", "check-runs")]),
    ],
)
def test_a_token_does_only_what_its_permissions_say(
    server: Any,
    repo: str,
    permissions: dict[str, str],
    allowed: list[tuple[str, str]],
    refused: list[tuple[str, str]],
) -> None:
    with server.client(server.installation_token(permissions=permissions)) as app:
        for method, path in allowed:
            assert _status(app, method, f"/repos/{repo}/{path}".rstrip("/")) == 200, path
        for method, path in refused:
            answer = app.request(method, f"/repos/{repo}/{path}".rstrip("/"), json={} if method != "GET" else None)
            assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration"), (
                path
            )


def test_a_comment_needs_issues_or_pull_requests(server: Any, api: httpx.Client, repo: str) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "t"})
    for permission, status in (("issues", 201), ("pull_requests", 201), ("contents", 403)):
        with server.client(server.installation_token(permissions={permission: "write"})) as app:
            assert status == _status(app, "POST", f"/repos/{repo}/issues/1/comments", body="b")


@pytest.mark.parametrize(
    "limits",
    [
        {"permissions": {"administration": "write"}},
        {"permissions": {"metadata": "write"}},
        {"permissions": {"contents": "everything"}},
        {"repositories": ["no-such-repository"]},
    ],
)
def test_a_token_cannot_ask_for_more_than_the_app_has(server: Any, limits: dict[str, Any]) -> None:
    path = f"/app/installations/{server.credentials['installation_id']}/access_tokens"
    with server.client(server.app_jwt()) as app:
        assert app.post(path, json=limits).status_code == 422


def test_a_revoked_token_is_worth_nothing_and_the_others_still_work(server: Any, repo: str) -> None:
    revoked, other = server.installation_token(), server.installation_token()
    with server.client(revoked) as app:
        assert _status(app, "DELETE", "/installation/token") == 204
        assert _status(app, "GET", f"/repos/{repo}") == 401
        assert _status(app, "DELETE", "/installation/token") == 401
    with server.client(other) as app:
        assert _status(app, "GET", f"/repos/{repo}") == 200


def test_only_an_installation_token_can_be_revoked(server: Any) -> None:
    assert httpx.delete(f"{server.api_url}/installation/token").status_code == 401
    for token in (server.credentials["token"], server.app_jwt()):
        with server.client(token) as client:
            assert _status(client, "DELETE", "/installation/token") == 403
    with server.client(server.credentials["token"]) as person:
        assert _status(person, "GET", "/user") == 200


def test_the_app_proves_itself_by_a_short_lived_jwt(server: Any) -> None:
    moment = int(time.time())
    good = [server.app_jwt(), server.app_jwt(iss=server.credentials["client_id"])]
    forged = jwt.encode(
        {"iat": moment, "exp": moment + 60, "iss": str(server.credentials["app_id"])}, "k" * 40, "HS256"
    )
    bad = [
        server.app_jwt(exp=moment + 3600),
        server.app_jwt(exp=moment - 3600, iat=moment - 4000),
        server.app_jwt(iss="1"),
        forged,
        server.credentials["token"],
        server.installation_token(),
    ]
    for token, status in [(token, 200) for token in good] + [(token, 401) for token in bad]:
        with server.client(token) as client:
            assert status == _status(client, "GET", "/app")


def test_the_app_itself_is_not_a_user(server: Any, repo: str) -> None:
    with server.client(server.app_jwt()) as app:
        assert _status(app, "POST", f"/repos/{repo}/issues", title="t") == 403
        assert _status(app, "GET", "/user") == 403


def test_a_stranger_takes_part_but_does_not_steer(server: Any, api: httpx.Client, repo: str) -> None:
    api.post("/admin/users", json={"login": "mallory", "email": "m@example.com"})
    token = api.post("/admin/users/mallory/authorizations", json={"scopes": ["repo"]}).json()["token"]
    api.post(f"/repos/{repo}/issues", json={"title": "mine"})
    with server.client(token) as mallory:
        assert _status(mallory, "POST", f"/repos/{repo}/issues", title="t", labels=["claude-dev"]) == 201
        assert api.get(f"/repos/{repo}/issues/2").json()["labels"] == []
        assert _status(mallory, "POST", f"/repos/{repo}/issues/1/comments", body="b") == 201
        assert _status(mallory, "POST", f"/repos/{repo}/issues/1/labels", labels=["claude-dev"]) == 403
        assert _status(mallory, "PATCH", f"/repos/{repo}/issues/1", state="closed") == 403
        assert _status(mallory, "POST", f"/repos/{repo}/git/refs", ref="refs/heads/x", sha="0" * 40) == 403
        assert _status(mallory, "POST", "/admin/users", login="eve") == 403
    assert api.get(f"/repos/{repo}/collaborators/mallory/permission").json()["permission"] == "read"
    api.put(f"/repos/{repo}/collaborators/mallory", json={"permission": "push"})
    assert api.get(f"/repos/{repo}/collaborators/mallory/permission").json()["permission"] == "write"
    assert api.get(f"/repos/{repo}/collaborators/octo-dev/permission").json()["permission"] == "admin"
    assert api.get(f"/repos/{repo}/collaborators/nobody/permission").status_code == 404
