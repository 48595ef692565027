"""Users let the App act for them, and its tokens reach what both of them reach."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AUTHORIZE = "/login/oauth/authorize"
VERIFIER = secrets.token_urlsafe(32)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def browser(server: Any) -> Iterator[httpx.Client]:
    """A browser of its own, which knows nobody yet."""
    with httpx.Client(base_url=server.url, headers={"Origin": server.url}) as client:
        yield client


@pytest.fixture
def request_for(server: Any) -> Callable[..., dict[str, str]]:
    """What the App asks a browser to bring; a parameter of None is left out."""

    def request(**changes: str | None) -> dict[str, str]:
        usual: dict[str, str | None] = {
            "client_id": server.credentials["client_id"],
            "redirect_uri": server.callback_url,
            "state": "a state/&=",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "allow_signup": "false",
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    return request


def location(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Return where a redirect, or the page that goes on by itself, leads: an address and its query."""
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', answer.text)
    parts = urlsplit(answer.headers.get("location") or html.unescape(found.group(1) if found else ""))
    query = {name: value for name, (value,) in parse_qs(parts.query, keep_blank_values=True).items()}
    return f"{parts.scheme}://{parts.netloc}{parts.path}", query


def decide(browser: httpx.Client, request: dict[str, str], person: str, decision: str = "authorize") -> dict[str, str]:
    """Send the page's form and return what the callback is given."""
    answer = browser.post(AUTHORIZE, data={**request, "person": person, "decision": decision})
    assert answer.status_code == 200, answer.text
    return location(answer)[1]


def exchanged(server: Any, **changes: str) -> dict[str, Any]:
    """Exchange a code with all that belongs to it."""
    client = {name: server.credentials[name] for name in ("client_id", "client_secret")}
    form = {**client, "code_verifier": VERIFIER, "redirect_uri": server.callback_url, **changes}
    answer = httpx.post(f"{server.url}/login/oauth/access_token", data=form, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.fixture
def new_person(api: httpx.Client) -> Callable[[], str]:
    def make() -> str:
        login = f"p-{secrets.token_hex(4)}"
        api.post("/admin/users", json={"login": login}).raise_for_status()
        return login

    return make


@pytest.fixture
def token_of(server: Any, browser: httpx.Client, request_for: Callable[..., dict[str, str]]) -> Callable[[str], str]:
    """Let the App act for a person and return the token."""

    def sign_in(person: str) -> str:
        code = decide(browser, request_for(), person)["code"]
        return str(exchanged(server, code=code)["access_token"])

    return sign_in


def test_the_page_asks_once_and_then_the_browser_goes_straight_on(
    browser: httpx.Client, server: Any, request_for: Callable[..., dict[str, str]], new_person: Callable[[], str]
) -> None:
    person, request = new_person(), request_for()
    page = browser.get(AUTHORIZE, params=request)
    assert f'value="{person}"' in page.text
    assert "a state/&amp;=" in page.text
    first = decide(browser, request, person)

    again = browser.get(AUTHORIZE, params=request)

    assert again.status_code == 302
    address, answer = location(again)
    assert server.callback_url == address
    assert "a state/&=" == first["state"] == answer["state"]
    assert first["code"] != answer["code"]
    assert browser.get(AUTHORIZE, params=request_for(login="octo-dev")).status_code == 200  # someone else is expected
    assert browser.get(AUTHORIZE, params=request_for(login=person.upper())).status_code == 302


def test_one_who_is_to_choose_an_account_is_asked_even_if_the_browser_knows_one(
    browser: httpx.Client, request_for: Callable[..., dict[str, str]], new_person: Callable[[], str]
) -> None:
    decide(browser, request_for(), new_person())
    choosing = request_for(prompt="select_account")
    assert browser.get(AUTHORIZE, params=choosing).status_code == 200
    assert "code" in decide(browser, choosing, new_person())
    assert browser.get(AUTHORIZE, params=request_for()).status_code == 302


def test_the_browser_of_another_is_asked_for_itself(
    server: Any, browser: httpx.Client, request_for: Callable[..., dict[str, str]], new_person: Callable[[], str]
) -> None:
    decide(browser, request_for(), new_person())
    assert httpx.get(f"{server.url}{AUTHORIZE}", params=request_for()).status_code == 200


def test_a_person_may_say_no(browser: httpx.Client, request_for: Callable[..., dict[str, str]]) -> None:
    answer = decide(browser, request_for(), "octo-dev", "cancel")
    assert {name: value for name, value in answer.items() if name != "state"} == {
        "error": "access_denied",
        "error_description": "The user has denied your application access.",
    }
    assert answer["state"] == "a state/&="
    assert browser.get(AUTHORIZE, params=request_for()).status_code == 200  # and is asked again
    assert not browser.cookies


@pytest.mark.parametrize("person", ["nobody-here", "acme", "local-app[bot]", ""])
def test_only_a_user_authorizes(browser: httpx.Client, request_for: Callable[..., dict[str, str]], person: str) -> None:
    form = {**request_for(), "person": person, "decision": "authorize"}
    assert browser.post(AUTHORIZE, data=form).status_code == 422


def test_a_form_of_another_site_authorizes_nothing(server: Any, request_for: Callable[..., dict[str, str]]) -> None:
    form = {**request_for(), "person": "octo-dev", "decision": "authorize"}
    answer = httpx.post(f"{server.url}{AUTHORIZE}", data=form, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


def test_an_unknown_app_gets_no_page(browser: httpx.Client, request_for: Callable[..., dict[str, str]]) -> None:
    assert browser.get(AUTHORIZE, params=request_for(client_id="Iv23linobody")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.example/callback"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://sign-in.uat.localhost:8080/callback/"}, "redirect_uri_mismatch"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
    ],
)
def test_a_bad_request_leads_to_the_registered_address_alone(
    server: Any, browser: httpx.Client, request_for: Callable[..., Any], changes: dict[str, str | None], error: str
) -> None:
    answer = browser.get(AUTHORIZE, params=request_for(**changes))
    address, query = location(answer)
    assert (302, server.callback_url, error) == (answer.status_code, address, query["error"])
    form = {**request_for(**changes), "person": "octo-dev", "decision": "authorize"}
    address, query = location(browser.post(AUTHORIZE, data=form))
    assert (server.callback_url, error) == (address, query["error"])


def test_a_code_is_good_once(server: Any, browser: httpx.Client, request_for: Callable[..., dict[str, str]]) -> None:
    code = decide(browser, request_for(), "octo-dev")["code"]
    answer = exchanged(server, code=code)
    assert {name: value for name, value in answer.items() if name != "access_token"} == {
        "expires_in": 28800,
        "token_type": "bearer",
        "scope": "",
    }
    assert answer["access_token"].startswith("ghu_")
    assert exchanged(server, code=code)["error"] == "bad_verification_code"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "0" * 20}, "bad_verification_code"),
        ({"code_verifier": "x" * 43}, "bad_verification_code"),
        ({"code_verifier": ""}, "bad_verification_code"),
        ({"client_secret": "wrong"}, "incorrect_client_credentials"),
        ({"client_id": "wrong"}, "incorrect_client_credentials"),
        ({"redirect_uri": "http://sign-in.uat.localhost:8080/other"}, "redirect_uri_mismatch"),
    ],
)
def test_a_code_needs_all_that_belongs_to_it(
    server: Any,
    browser: httpx.Client,
    request_for: Callable[..., dict[str, str]],
    changes: dict[str, str],
    error: str,
) -> None:
    code = decide(browser, request_for(), "octo-dev")["code"]
    answer = exchanged(server, **{"code": code, **changes})
    assert error == answer["error"]
    assert answer["error_description"]
    assert "access_token" not in answer


def test_without_json_asked_for_the_answer_is_a_form(
    server: Any, browser: httpx.Client, request_for: Callable[..., dict[str, str]]
) -> None:
    request = request_for(code_challenge=None, code_challenge_method=None, redirect_uri=None)
    code = decide(browser, request, "octo-dev")["code"]
    client = {name: server.credentials[name] for name in ("client_id", "client_secret")}
    answer = httpx.post(f"{server.url}/login/oauth/access_token", json={**client, "code": code})
    assert parse_qs(answer.text)["access_token"][0].startswith("ghu_")


def _let_expire(server: Any, table: str) -> None:
    with sqlite3.connect(server.data_dir / "github.sqlite3", timeout=10) as database:
        assert database.execute(f"UPDATE {table} SET expires_at = '2020-01-01T00:00:00Z'").rowcount  # noqa: S608 - a literal
    database.close()


def test_codes_and_tokens_expire(
    server: Any,
    browser: httpx.Client,
    request_for: Callable[..., dict[str, str]],
    token_of: Callable[[str], str],
) -> None:
    with server.client(token_of("octo-dev")) as client:
        assert client.get("/user").status_code == 200
        _let_expire(server, "user_tokens")
        assert client.get("/user").status_code == 401
    code = decide(browser, request_for(), "octo-dev")["code"]
    _let_expire(server, "oauth_codes")
    assert exchanged(server, code=code)["error"] == "bad_verification_code"


def test_a_user_token_reads_what_its_user_may_read(
    server: Any,
    api: httpx.Client,
    new_repository: Callable[..., str],
    new_person: Callable[[], str],
    token_of: Callable[[str], str],
) -> None:
    private, friend, stranger = new_repository(private=True), new_person(), new_person()
    api.put(f"/repos/{private}/collaborators/{friend}", json={"permission": "pull"}).raise_for_status()
    with server.client(token_of(friend)) as by_friend, server.client(token_of(stranger)) as by_stranger:
        assert friend == by_friend.get("/user").json()["login"]
        assert private == by_friend.get(f"/repos/{private}").json()["full_name"]
        assert by_stranger.get(f"/repos/{private}").status_code == 404
        api.delete(f"/repos/{private}/collaborators/{friend}").raise_for_status()
        assert by_friend.get(f"/repos/{private}").status_code == 404


def test_a_user_token_does_no_more_than_user_and_app_may(
    server: Any, api: httpx.Client, new_repository: Callable[..., str], token_of: Callable[[str], str]
) -> None:
    repo = new_repository(private=True)
    issue = {"title": "t"}
    with server.client(token_of("octo-dev")) as client:  # who administers the repository
        assert client.post(f"/repos/{repo}/issues", json=issue).status_code == 201
        for method, path, body in (
            ("PATCH", f"/repos/{repo}", {"private": False}),
            ("PUT", f"/repos/{repo}/collaborators/octo-dev", {"permission": "push"}),
            ("POST", "/orgs/acme/repos", {"name": "more"}),
            ("POST", "/admin/users", {"login": "eve"}),
        ):
            assert client.request(method, path, json=body).status_code == 403, path
    assert api.get(f"/repos/{repo}").json()["private"]


def test_a_user_token_does_not_reach_where_the_app_is_not(
    server: Any, new_repository: Callable[..., str], token_of: Callable[[str], str]
) -> None:
    private, public = new_repository(private=True), new_repository()
    suspended = f"/app/installations/{server.credentials['installation_id']}/suspended"
    with server.client(token_of("octo-dev")) as client, server.client(server.app_jwt()) as app:
        app.put(suspended).raise_for_status()
        try:
            assert client.get(f"/repos/{private}").status_code == 404
            assert client.get(f"/repos/{public}").status_code == 200
            assert client.post(f"/repos/{public}/issues", json={"title": "t"}).status_code == 403
        finally:
            app.delete(suspended).raise_for_status()
        assert client.get(f"/repos/{private}").status_code == 200


def test_a_revoked_token_is_worthless(server: Any, token_of: Callable[[str], str]) -> None:
    token = token_of("octo-dev")
    path = f"/applications/{server.credentials['client_id']}/token"
    client = (server.credentials["client_id"], server.credentials["client_secret"])
    with httpx.Client(base_url=server.api_url) as nobody, server.client(token) as user:

        def revoke(auth: tuple[str, str] | None, at: str = path) -> int:
            return nobody.request("DELETE", at, json={"access_token": token}, auth=auth).status_code

        assert revoke(None) == 401
        assert revoke((client[0], "wrong")) == 401
        assert revoke(client, "/applications/another/token") == 404
        assert user.get("/user").status_code == 200
        assert revoke(client) == 204
        assert user.get("/user").status_code == 401
        assert revoke(client) == 404


def test_client_id_and_secret_open_nothing_else(server: Any, repo: str) -> None:
    client = (server.credentials["client_id"], server.credentials["client_secret"])
    with httpx.Client(base_url=server.api_url, auth=client) as app_client:
        for path in ("/user", "/app", "/installation/repositories"):
            assert app_client.get(path).status_code in {401, 403}, path
        assert app_client.get(f"/repos/{repo}").status_code == 403


def test_an_exchange_can_fail_as_it_is_told_to(server: Any, api: httpx.Client) -> None:
    fault = {"kind": "status", "status": 502, "path": "/login/oauth/access_token"}
    api.post("/admin/faults", json=fault).raise_for_status()
    try:
        assert httpx.post(f"{server.url}/login/oauth/access_token").status_code == 502
    finally:
        api.delete("/admin/faults").raise_for_status()
    assert exchanged(server, client_secret="")["error"] == "incorrect_client_credentials"
