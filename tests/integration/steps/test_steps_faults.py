"""A GitHub that fails in the middle of a step: the step asks for a retry, and the retry doubles nothing."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.kit.http_server import NoResponse, Response, serve_http

from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind
from cloud_agent.domain.conversation.turn_results import TurnResult
from cloud_agent.domain.errors import GitHubRateLimitedError, GitHubUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.steps.github import GitHub
    from tests.integration.steps.handlers import Steps
    from tests.kit.http_server import Request

    from cloud_agent.domain.session.session_request import RequestedSession

# What a session's execution may run through. To each step how many requests it makes at least, so that a loop over them
# cannot pass by making none.
JOURNEYS = {
    "from start to end": {
        "create_branch": 3,
        "open_draft_pull_request": 3,
        "announce_session": 2,
        "close_session": 3,
    },
    "a failed start": {"report_failure": 3},
}


def _refusals() -> dict[str, Response]:
    """What GitHub, or something before it, responds with instead, by fault."""
    in_an_hour = int(time.time()) + 3600
    return {
        "502 instead": Response(502, b"<html>Bad Gateway</html>"),
        "rate limit": Response.of(
            {"message": "API rate limit exceeded for installation ID 42."},
            403,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(in_an_hour)},
        ),
        "secondary rate limit": Response.of(
            {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."},
            403,
            {"Retry-After": "60"},
        ),
        "too many requests": Response.of({"message": "Too many requests"}, 429, {"Retry-After": "60"}),
    }


class Gateway:
    """Stands before GitHub and breaks one request.

    Faults "... instead" keep the request from GitHub; faults "... after" lose the response to what was carried out, so
    only requests that change something count for them.
    """

    def __init__(self, github: GitHub) -> None:
        self.github = github
        self.url = ""
        self._fault, self._countdown, self.broken = "", -1, ""

    def arm(self, fault: str, index: int) -> None:
        """Break the request of this index, from 0, in this way."""
        self._fault, self._countdown, self.broken = fault, index, ""

    def respond(self, request: Request) -> Response | NoResponse:
        fault = self._fault_of(request)
        if refusal := _refusals().get(fault):
            return refusal
        if fault == "dropped instead":
            return NoResponse.CLOSE
        response, whole = self._forward(request)
        if fault == "502 after":
            return _refusals()["502 instead"]
        return replace(response, body=whole[: len(whole) // 2] if fault == "cut after" else whole)

    def _fault_of(self, request: Request) -> str:
        if self._fault.endswith("after") and request.method == "GET":
            return ""
        self._countdown -= 1
        if self._countdown != -1:
            return ""
        self.broken = f"{request.method} {request.path}"
        return self._fault

    def _forward(self, request: Request) -> tuple[Response, bytes]:
        """GitHub's response and its body, with this gateway's address in place of GitHub's own."""
        address = urlsplit(self.github.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(request.method, request.path, request.body, dict(request.headers))
            received = connection.getresponse()
            body = received.read().decode().replace(self.github.url, self.url).encode()
            headers = {
                name: value.replace(self.github.url, self.url)
                for name, value in received.getheaders()
                if name.lower() not in {"content-length", "connection", "transfer-encoding", "date", "server"}
            }
        headers |= {"Content-Length": str(len(body)), "Connection": "close"}
        return Response(received.status, headers=headers), body


@pytest.fixture(scope="session")
def gateway(github: GitHub) -> Iterator[Gateway]:
    gateway = Gateway(github)
    with serve_http(gateway.respond) as server:
        gateway.url = f"http://localhost:{server.port}"
        yield gateway


@contextlib.contextmanager
def through(gateway: Gateway) -> Iterator[None]:
    """Have the steps speak to GitHub through the gateway."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_API_URL", f"{gateway.url}/api/v3")
        yield


def what_is_there(github: GitHub, steps: Steps, session: RequestedSession) -> dict[str, Any]:
    """How many of everything the session has on GitHub."""
    repo, pulls = session.repo, github.pulls(session)
    commits = []
    if session.branch in github.branches(repo):
        commits = github.get(f"/repos/{repo}/compare/main...{session.branch}")["commits"]
    numbers = [session.issue_number, *(pull["number"] for pull in pulls)]
    comments = [text for number in numbers for text in github.comments(repo, number)]
    return {
        "commits": len(commits),
        "pull requests": len(pulls),
        "comments": len(comments),
        "deployments": [deployment["state"] for deployment in github.deployments(session)] if commits else [],
        "live": any(f"{session.session_id}.uat" in text for text in comments),
        "row": {"base_sha", "pull_number", "comment_id", "deployment_id"} & (steps.row(session) or {}).keys(),
    }


@pytest.mark.parametrize("fault", ["502 instead", "dropped instead", "502 after", "cut after"])
@pytest.mark.parametrize("journey", JOURNEYS)
def test_a_step_that_failed_at_any_request_and_is_run_again_leaves_what_an_undisturbed_one_leaves(
    steps: Steps, gateway: Gateway, repo: str, journey: str, fault: str
) -> None:
    """One session for each index: in each of its steps the request of that index fails, then the step is run again."""
    github, minimum = gateway.github, JOURNEYS[journey]
    expected: dict[str, dict[str, Any]] = {}
    undisturbed = steps.claim(repo)
    for step in minimum:
        steps.run(step, undisturbed, **steps.more(step, undisturbed))
        expected[step] = what_is_there(github, steps, undisturbed)
    broken = dict.fromkeys(minimum, 0)
    for index in itertools.count():
        session = steps.claim(repo)
        for step in minimum:
            more = steps.more(step, session)
            gateway.arm(fault, index)
            with through(gateway), contextlib.suppress(GitHubUnavailableError):
                steps.run(step, session, **more)
            if gateway.broken:
                broken[step] += 1
                steps.run(step, session, **more)
                assert expected[step] == what_is_there(github, steps, session), (step, gateway.broken)
        if index >= max(broken.values()):
            break
    assert [step for step in minimum if broken[step] < (minimum[step] if fault.endswith("instead") else 1)] == []


@pytest.mark.parametrize("fault", ["502 instead", "dropped instead", "502 after", "cut after"])
def test_an_answer_whose_publishing_failed_at_any_request_and_is_handed_over_again_is_told_once(
    steps: Steps, gateway: Gateway, repo: str, fault: str
) -> None:
    github, prompt_id = gateway.github, "01JD8Y3QF0000000000000000A"
    prompt = Prompt(
        id=prompt_id,
        kind=PromptKind.COMMENT,
        body="And?",
        author="octo-dev",
        url="u",
        created_at="2026-11-22T10:00:00.000Z",
    )
    for index in itertools.count():
        session = steps.claim(repo)
        steps.run_up_to("close_session", session)
        Prompts("sessions").add(session.session_id, prompt)
        sha = github.add_commit(repo, session.branch, "Show the menu")
        answer = TurnResult(
            prompt_id=prompt_id, is_error=False, result="Done.", head_sha=sha, created_at="2026-11-22T10:00:00.000Z"
        )
        Prompts("sessions").record_turn_result(session.session_id, answer)
        steps.change(session, status="RUNNING", reported_head_sha=sha)
        gateway.arm(fault, index)
        with through(gateway), contextlib.suppress(GitHubUnavailableError):
            steps.publish(session, "SESSION", f"TURN_RESULT#{prompt_id}")
        if not gateway.broken:
            break
        steps.publish(session, "SESSION", f"TURN_RESULT#{prompt_id}")
        (pull,) = github.pulls(session)
        status, reply = github.comments(repo, pull["number"])
        assert "**1 commit on this branch**" in status, gateway.broken
        assert "**Pushed** 1 commit" in reply, gateway.broken
        assert not pull["draft"], gateway.broken
    assert index >= 3  # the token, what is read and what is written


@pytest.mark.parametrize("limit", ["rate limit", "secondary rate limit", "too many requests"])
@pytest.mark.parametrize("journey", JOURNEYS)
def test_a_rate_limit_at_any_request_is_worth_a_later_retry(
    steps: Steps, gateway: Gateway, repo: str, journey: str, limit: str
) -> None:
    session = steps.claim(repo)
    for step, minimum in JOURNEYS[journey].items():
        more = steps.more(step, session)
        for index in itertools.count():
            gateway.arm(limit, index)
            with through(gateway):
                try:
                    steps.run(step, session, **more)
                except GitHubRateLimitedError:
                    continue
            assert not gateway.broken, f"{gateway.broken} of {step} was refused and nobody noticed"
            break
        assert index >= min(minimum, 2), step
