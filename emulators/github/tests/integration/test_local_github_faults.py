"""Requests fail as planned: before or after the work is done, in REST, in GraphQL and in git."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from github import Auth, Github, GithubException

Plan = Callable[..., dict[str, Any]]


@pytest.fixture
def plan(api: httpx.Client) -> Iterator[Plan]:
    """Plan a fault; when the test ends nothing fails any more."""

    def make(**fault: Any) -> dict[str, Any]:
        answer = api.post("/admin/faults", json=fault)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    yield make
    api.delete("/admin/faults").raise_for_status()


def _titles(api: httpx.Client, repo: str) -> list[str]:
    return [issue["title"] for issue in api.get(f"/repos/{repo}/issues").json()]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_status_is_answered_as_often_as_planned_and_nothing_is_done(
    api: httpx.Client, repo: str, plan: Plan, status: int
) -> None:
    plan(kind="status", status=status, method="POST", path=f"/repos/{repo}/issues", count=2)
    answers = [api.post(f"/repos/{repo}/issues", json={"title": f"try {number}"}) for number in (1, 2, 3)]
    assert [status, status, 201] == [answer.status_code for answer in answers]
    assert answers[0].json()["message"] == "Server Error"
    assert _titles(api, repo) == ["try 3"]


def test_a_fault_after_the_request_leaves_its_work_done(api: httpx.Client, repo: str, plan: Plan) -> None:
    plan(kind="status", status=502, method="POST", path=f"/repos/{repo}/issues", when="after")
    assert api.post(f"/repos/{repo}/issues", json={"title": "made all the same"}).status_code == 502
    assert _titles(api, repo) == ["made all the same"]


def test_only_what_matches_fails(api: httpx.Client, repo: str, plan: Plan) -> None:
    plan(kind="status", method="POST", path=f"/repos/{repo}/issues")
    api.get(f"/repos/{repo}/issues").raise_for_status()
    api.post(f"/repos/{repo}/labels", json={"name": "bug"}).raise_for_status()
    api.patch(f"/repos/{repo}", json={"description": "d"}).raise_for_status()
    assert api.post(f"/repos/{repo}/issues", json={"title": "t"}).status_code == 500


def test_the_first_requests_may_be_let_through(api: httpx.Client, repo: str, plan: Plan) -> None:
    plan(kind="status", path=f"/repos/{repo}", skip=1)
    assert [api.get(f"/repos/{repo}").status_code for _ in range(3)] == [200, 500, 200]


def test_a_fault_for_the_app_does_not_meet_a_person(server: Any, api: httpx.Client, repo: str, plan: Plan) -> None:
    plan(kind="status", path=f"/repos/{repo}", actor="app")
    assert api.get(f"/repos/{repo}").status_code == 200
    with server.client(server.installation_token()) as app:
        assert app.get(f"/repos/{repo}").status_code == 500


@pytest.mark.parametrize("status", [403, 429])
def test_a_primary_rate_limit_says_when_it_is_over(api: httpx.Client, repo: str, plan: Plan, status: int) -> None:
    plan(kind="rate_limit", status=status, path=f"/repos/{repo}", reset_after=30)
    before = int(time.time())
    answer = api.get(f"/repos/{repo}")
    assert (status, "0") == (answer.status_code, answer.headers["x-ratelimit-remaining"])
    assert before + 30 <= int(answer.headers["x-ratelimit-reset"]) <= int(time.time()) + 30
    assert "retry-after" not in answer.headers
    assert answer.json()["message"].startswith("API rate limit exceeded")


def test_a_secondary_rate_limit_says_how_long_to_wait(api: httpx.Client, repo: str, plan: Plan) -> None:
    plan(kind="rate_limit", path=f"/repos/{repo}", retry_after=7)
    answer = api.get(f"/repos/{repo}")
    assert (answer.status_code, answer.headers["retry-after"]) == (403, "7")
    assert answer.headers["x-ratelimit-remaining"] != "0"
    assert answer.json()["message"].startswith("You have exceeded a secondary rate limit")


def test_pygithub_knows_a_rate_limit_as_one(server: Any, repo: str, plan: Plan) -> None:
    plan(kind="rate_limit", path=f"/repos/{repo}")
    github = Github(auth=Auth.Token(server.credentials["token"]), base_url=server.api_url, retry=None)
    with github, pytest.raises(GithubException) as refused:
        github.get_repo(repo)
    assert type(refused.value).__name__ == "RateLimitExceededException"


def test_graphqls_primary_rate_limit_is_an_error_in_an_answer_of_200(
    server: Any, api: httpx.Client, plan: Plan
) -> None:
    plan(kind="rate_limit", path="/graphql")
    answer = api.post(f"{server.url}/api/graphql", json={"query": "{ viewer { login } }"})
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "0")
    assert answer.json()["errors"][0]["type"] == "RATE_LIMITED"


@pytest.mark.parametrize(("when", "titles"), [("before", []), ("after", ["t"])])
def test_a_timeout_holds_the_answer(api: httpx.Client, repo: str, plan: Plan, when: str, titles: list[str]) -> None:
    plan(kind="timeout", seconds=60, method="POST", path=f"/repos/{repo}/issues", when=when)
    with pytest.raises(httpx.ReadTimeout):
        api.post(f"/repos/{repo}/issues", json={"title": "t"}, timeout=0.5)
    assert titles == _titles(api, repo)


def test_an_answer_that_is_held_is_a_504_in_the_end(api: httpx.Client, repo: str, plan: Plan) -> None:
    plan(kind="timeout", seconds=0.1, path=f"/repos/{repo}")
    started = time.monotonic()
    answer = api.get(f"/repos/{repo}")
    assert answer.status_code == 504
    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize(("when", "titles"), [("before", []), ("after", ["t"])])
def test_a_dropped_connection_gives_no_answer(
    api: httpx.Client, repo: str, plan: Plan, when: str, titles: list[str]
) -> None:
    plan(kind="drop", method="POST", path=f"/repos/{repo}/issues", when=when)
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        api.post(f"/repos/{repo}/issues", json={"title": "t"})
    assert titles == _titles(api, repo)


def test_a_push_that_fails_before_moves_nothing_and_one_that_fails_after_has_moved_it(
    api: httpx.Client, repo: str, server: Any, git: Any, plan: Plan
) -> None:
    git.run("clone", "-q", git.url(repo, server.credentials["token"]), "work")
    git.run("commit", "-q", "--allow-empty", "-m", "more", folder="work")
    tip = git.run("rev-parse", "HEAD", folder="work")
    pushes = {"method": "POST", "path": f"/{repo}.git/git-receive-pack"}
    plan(kind="status", status=503, **pushes)
    assert "503" in git.run("push", "origin", "main", folder="work", fails=True)
    assert tip != api.get(f"/repos/{repo}/git/ref/heads/main").json()["object"]["sha"]
    plan(kind="drop", when="after", **pushes)
    git.run("push", "origin", "main", folder="work", fails=True)
    assert tip == api.get(f"/repos/{repo}/git/ref/heads/main").json()["object"]["sha"]


def test_a_clone_meets_faults_too(repo: str, git: Any, plan: Plan) -> None:
    plan(kind="rate_limit", status=429, path=f"/{repo}.git/info/refs")
    assert "429" in git.run("clone", "-q", git.url(repo), "work", fails=True)


def test_the_plan_shows_what_is_still_to_come_and_can_be_cleared(api: httpx.Client, repo: str, plan: Plan) -> None:
    first = plan(kind="status", path=f"/repos/{repo}", count=2)
    api.get(f"/repos/{repo}")
    (shown,) = api.get("/admin/faults").json()["faults"]
    assert {**first, "remaining": 1} == shown
    api.delete("/admin/faults")
    assert api.get("/admin/faults").json()["faults"] == []
    assert api.get(f"/repos/{repo}").status_code == 200


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({}, "kind"),
        ({"kind": "meteor"}, "meteor"),
        ({"kind": "status", "status": 200}, "status"),
        ({"kind": "drop", "path": "("}, "regular expression"),
        ({"kind": "timeout"}, "seconds"),
        ({"kind": "drop", "colour": "red"}, "colour"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(api: httpx.Client, fault: dict[str, Any], word: str) -> None:
    answer = api.post("/admin/faults", json=fault)
    assert answer.status_code == 422
    assert word in answer.json()["message"]


def test_only_the_administrator_plans_faults_and_reads_the_requests(server: Any) -> None:
    with server.client(server.installation_token()) as app:
        refused = (app.post("/admin/faults", json={"kind": "drop"}), app.get("/admin/requests"))
    assert [answer.status_code for answer in refused] == [403, 403]
