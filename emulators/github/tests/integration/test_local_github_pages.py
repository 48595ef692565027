"""The pages: a person reads and drives the demo by hand, and no text of an issue does anything to them."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def browser(server: Any) -> Any:
    """A browser with one of our pages open."""
    with httpx.Client(base_url=server.url, headers={"Origin": server.url}, follow_redirects=True) as client:
        yield client


def test_an_issue_is_driven_from_the_browser(
    browser: httpx.Client, api: httpx.Client, repo: str, receiver: Any
) -> None:
    opened = browser.post(f"/{repo}/issues", data={"title": "By hand", "body": "line\r\nline"})
    assert (200, f"/{repo}/issues/1") == (opened.status_code, opened.url.path)
    browser.post(f"/{repo}/issues/1/labels", data={"name": "claude-dev"})
    labeled = receiver.wait_for("issues", "labeled").payload
    assert (labeled["label"]["name"], labeled["sender"]["login"]) == ("claude-dev", "octo-dev")
    browser.post(f"/{repo}/issues/1/comments", data={"body": "**bold** words"})
    assert "<strong>bold</strong> words" in browser.get(f"/{repo}/issues/1").text
    browser.post(f"/{repo}/issues/1/labels/remove", data={"name": "claude-dev"})
    browser.post(f"/{repo}/issues/1/state", data={"state": "closed"})
    issue = api.get(f"/repos/{repo}/issues/1").json()
    assert (issue["labels"], issue["state"], issue["comments"], issue["body"]) == ([], "closed", 1, "line\nline")


def test_a_pull_request_is_made_ready_and_merged_from_the_browser(
    browser: httpx.Client, api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]
) -> None:
    branch_with_commit("claude/1")
    api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": "claude/1", "base": "main", "draft": True})
    deployment = api.post(f"/repos/{repo}/deployments", json={"ref": "claude/1", "environment": "pr-1"}).json()
    url = "http://09e22a8b.uat.localhost:8080"
    api.post(deployment["statuses_url"], json={"state": "success", "environment_url": url})
    page = browser.get(f"/{repo}/pull/1").text
    assert "Draft" in page
    assert f'<a href="{url}">' in page
    assert "start claude/1" in page
    browser.post(f"/{repo}/issues/1/ready")
    browser.post(f"/{repo}/issues/1/merge")
    assert api.get(f"/repos/{repo}/pulls/1").json()["merged"]
    assert "Merged" in browser.get(f"/{repo}/pull/1").text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
def test_a_form_of_another_site_is_refused(server: Any, api: httpx.Client, repo: str, headers: dict[str, str]) -> None:
    answer = httpx.post(f"{server.url}/{repo}/issues", data={"title": "forged"}, headers=headers)
    assert answer.status_code == 403
    assert api.get(f"/repos/{repo}/issues").json() == []


def test_a_foreign_host_name_reaches_nothing(server: Any) -> None:
    assert httpx.get(f"{server.url}/", headers={"Host": "rebound.example"}).status_code == 400


def test_no_text_becomes_markup(browser: httpx.Client, api: httpx.Client, repo: str) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    body = f"{evil}\n\n[x](javascript:alert(1)) ![y](http://stranger.example/p.png)"
    api.post(f"/repos/{repo}/issues", json={"title": evil, "body": body, "labels": [evil[:50]]})
    api.post(f"/repos/{repo}/issues/1/comments", json={"body": body})
    for path in (f"/{repo}", f"/{repo}/issues/1"):
        page = browser.get(path)
        assert "<script" not in page.text
        assert "<img src=x" not in page.text
        assert 'href="javascript:' not in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "img-src 'self'" in policy


def test_a_session_url_in_a_comment_is_a_link(browser: httpx.Client, api: httpx.Client, repo: str) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "t", "body": "See http://09e22a8b.uat.localhost:8080/ now"})
    assert '<a href="http://09e22a8b.uat.localhost:8080/">' in browser.get(f"/{repo}/issues/1").text


def test_the_addresses_in_answers_are_pages(
    browser: httpx.Client, api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]
) -> None:
    branch_with_commit("claude/1")
    pull = api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": "claude/1", "base": "main"}).json()
    comment = api.post(f"/repos/{repo}/issues/1/comments", json={"body": "b"}).json()
    comparison = api.get(f"/repos/{repo}/compare/main...claude/1").json()
    content = api.get(f"/repos/{repo}/contents/README.md").json()
    branch = api.get(f"/repos/{repo}/branches/claude/1").json()
    addresses = [
        pull["html_url"],
        pull["diff_url"],
        pull["patch_url"],
        pull["user"]["html_url"],
        pull["user"]["avatar_url"],
        pull["head"]["repo"]["html_url"],
        pull["head"]["repo"]["owner"]["html_url"],
        comment["html_url"],
        api.get(f"/repos/{repo}/issues/1").json()["html_url"],
        comparison["html_url"],
        comparison["permalink_url"],
        comparison["commits"][0]["html_url"],
        content["html_url"],
        content["download_url"],
        branch["_links"]["html"],
    ]
    for address in addresses:
        assert browser.get(address).status_code == 200, address
    assert f"# {repo.split('/')[1]}\n" == browser.get(content["download_url"]).text


@pytest.mark.parametrize("path", ["/nobody", "/acme/nothing", "/acme/nothing/issues/1", "/a/b/c/d"])
def test_a_missing_page_says_so(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "Not Found" in answer.text


def test_a_refused_form_says_why(browser: httpx.Client, repo: str) -> None:
    answer = browser.post(f"/{repo}/issues", data={"title": "t" * 257})
    assert answer.status_code == 422
    assert "title is too long (maximum is 256 characters)" in answer.text


def test_the_largest_body_fits_the_form(browser: httpx.Client, api: httpx.Client, repo: str) -> None:
    browser.post(f"/{repo}/issues", data={"title": "t", "body": "😀" * 65_536})
    assert len(api.get(f"/repos/{repo}/issues/1").json()["body"]) == 65_536
