"""What a merge closes, and ids that are never given twice."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


@pytest.fixture
def issue(api: httpx.Client, repo: str) -> Callable[[], str]:
    """Open issues; returns the path of each."""

    def make() -> str:
        number = api.post(f"/repos/{repo}/issues", json={"title": "t"}).json()["number"]
        return f"/repos/{repo}/issues/{number}"

    return make


def _merge(api: httpx.Client, repo: str, body: str, base: str = "main", head: str = "claude/1") -> None:
    pull = api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": head, "base": base, "body": body})
    assert pull.status_code == 201, pull.text
    merged = api.put(f"/repos/{repo}/pulls/{pull.json()['number']}/merge")
    assert merged.status_code == 200, merged.text


def _number(path: str) -> str:
    return path.rpartition("/")[2]


def test_a_merge_closes_what_the_description_names_and_is_announced(
    api: httpx.Client, repo: str, issue: Callable[[], str], branch_with_commit: Callable[[str], str], receiver: Any
) -> None:
    named, elsewhere, mentioned = issue(), issue(), issue()
    branch_with_commit("claude/1")
    body = f"CLOSES: #{_number(named)}, fixes other/repo#{_number(elsewhere)}, see #{_number(mentioned)}"
    _merge(api, repo, body)
    found = api.get(named).json()
    assert (found["state"], found["state_reason"], found["closed_by"]["login"]) == ("closed", "completed", "octo-dev")
    assert receiver.wait_for("issues", "closed").payload["issue"]["number"] == int(_number(named))
    assert [api.get(path).json()["state"] for path in (elsewhere, mentioned)] == ["open", "open"]


def test_a_merge_into_another_branch_closes_nothing(
    api: httpx.Client, repo: str, issue: Callable[[], str], branch_with_commit: Callable[[str], str]
) -> None:
    named = issue()
    branch_with_commit("next")
    branch_with_commit("claude/1")
    _merge(api, repo, f"Closes #{_number(named)}", base="next")
    assert api.get(named).json()["state"] == "open"


def test_a_commit_closes_what_its_message_names_once_it_is_on_the_default_branch(
    api: httpx.Client, repo: str, issue: Callable[[], str], branch_with_commit: Callable[[str], str]
) -> None:
    named, start = issue(), branch_with_commit("claude/1")
    tree = api.get(f"/repos/{repo}/git/commits/{start}").json()["tree"]["sha"]
    commit = {"message": f"done\n\nResolves #{_number(named)}", "tree": tree, "parents": [start]}
    sha = api.post(f"/repos/{repo}/git/commits", json=commit).json()["sha"]
    api.patch(f"/repos/{repo}/git/refs/heads/claude/1", json={"sha": sha}).raise_for_status()
    assert api.get(named).json()["state"] == "open"
    api.patch(f"/repos/{repo}/git/refs/heads/main", json={"sha": sha}).raise_for_status()
    assert api.get(named).json()["state"] == "closed"


def test_a_deleted_comments_id_is_not_given_again(api: httpx.Client, issue: Callable[[], str], repo: str) -> None:
    path = f"{issue()}/comments"
    first = api.post(path, json={"body": "first"}).json()["id"]
    api.delete(f"/repos/{repo}/issues/comments/{first}").raise_for_status()
    assert api.post(path, json={"body": "second"}).json()["id"] > first
