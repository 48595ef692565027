"""Attachments: a text names one by an address that leads nowhere, its HTML by one that is signed for five minutes."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

import base64
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

CONTENT = b"\x89PNG\r\n\x1a\nand so on"
FULL = {"Accept": "application/vnd.github.full+json"}


@pytest.fixture
def image(api: httpx.Client) -> str:
    """Return the address of an attached image."""
    content = base64.b64encode(CONTENT).decode()
    return str(api.post("/admin/attachments", json={"name": "cart.png", "content": content}).json()["url"])


def _signed_in(html: str) -> str:
    (address,) = re.findall(r'<img[^>]* src="([^"]+)"', html)
    return str(address)


def test_the_html_of_a_text_has_a_signed_address(api: httpx.Client, repo: str, image: str) -> None:
    issue = api.post(f"/repos/{repo}/issues", json={"title": "t", "body": f"See ![cart]({image})"}).json()
    read = api.get(f"/repos/{repo}/issues/{issue['number']}", headers=FULL).json()
    assert read["body"] == f"See ![cart]({image})"
    assert read["body_text"].strip() == "See"
    signed = _signed_in(read["body_html"])
    assert re.fullmatch(r"/private-user-images/\d+/\d+-[0-9a-f-]{36}\.png", urlsplit(signed).path)
    served = httpx.get(signed)
    assert (served.status_code, served.content, served.headers["content-type"]) == (200, CONTENT, "image/png")


def test_comments_have_it_one_by_one_and_in_lists(api: httpx.Client, repo: str, image: str) -> None:
    issue = api.post(f"/repos/{repo}/issues", json={"title": "t"}).json()
    of_issue = f"/repos/{repo}/issues/{issue['number']}/comments"
    comment = api.post(of_issue, json={"body": f'<img width="9" src="{image}">'}).json()
    assert "body_html" not in comment
    one = api.get(f"/repos/{repo}/issues/comments/{comment['id']}", headers=FULL).json()
    (listed,) = api.get(of_issue, headers=FULL).json()
    assert {httpx.get(_signed_in(read["body_html"])).content for read in (one, listed)} == {CONTENT}


def test_nothing_is_served_without_a_signature_that_is_good_and_fresh(
    server: Any, api: httpx.Client, repo: str, image: str
) -> None:
    issue = api.post(f"/repos/{repo}/issues", json={"title": "t", "body": f"![]({image})"}).json()
    html = api.get(f"/repos/{repo}/issues/{issue['number']}", headers=FULL).json()["body_html"]
    bare, _, query = _signed_in(html).partition("?")
    (token,) = parse_qs(query)["jwt"]
    secret = server.credentials["client_secret"]
    claims = jwt.decode(token, secret, algorithms=["HS256"], audience="raw.githubusercontent.com")
    assert claims["exp"] - claims["nbf"] == 300
    expired = jwt.encode(claims | {"exp": int(time.time()) - 1}, secret, algorithm="HS256")
    foreign = jwt.encode(claims, "another-secret-of-thirty-two-bytes-or-more", algorithm="HS256")
    of_another = jwt.encode(claims | {"path": "/private-user-images/1/1-other.png"}, secret, algorithm="HS256")
    bad = [image, bare, *(f"{bare}?jwt={token}" for token in (expired, foreign, of_another))]
    assert [httpx.get(address).status_code for address in bad] == [404] * 5


def test_only_the_administrator_attaches_and_only_what_is_base64(server: Any, api: httpx.Client) -> None:
    body = {"name": "cart.png", "content": "AAAA"}
    with server.client(server.installation_token()) as app:
        assert app.post("/admin/attachments", json=body).status_code == 403
    assert api.post("/admin/attachments", json=body | {"content": "no!"}).status_code == 422
