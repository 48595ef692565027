"""The check `github-app`, where GitHub says of an App what the local GitHub's own App never lacks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from tests.kit.app_key import app_key_pem
from tests.kit.http_server import Response, serve_http
from tests.unit.functions.doctor.inside_account import Account

from cloud_agent_doctor.checks.github_app import CHECK, EVENTS, PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit.http_server import Request


class AppOnGitHub:
    """What GitHub responds about one App, by path."""

    def __init__(self) -> None:
        self.app: dict[str, Any] = {
            "id": 4711,
            "slug": "cloud-agent",
            "html_url": "https://github.com/apps/cloud-agent",
            "permissions": dict(PERMISSIONS),
            "events": sorted(EVENTS),
        }
        self.installations: list[dict[str, Any]] = [self.installation(1), self.installation(2)]

    @staticmethod
    def installation(number: int) -> dict[str, Any]:
        return {
            "id": number,
            "account": {"login": f"acme-{number}"},
            "permissions": dict(PERMISSIONS),
            "suspended_at": None,
            "html_url": f"https://github.com/organizations/acme-{number}/settings/installations/{number}",
        }

    def respond(self, request: Request) -> Response:
        """Of the installations one a page, as GitHub pages what is more than fits."""
        path, _, query = request.path.partition("?")
        if path == "/app":
            return Response.of(self.app)
        page = int(parse_qs(query).get("page", ["1"])[0])
        host = request.headers["Host"]
        more = page < len(self.installations)
        link = {"Link": f'<http://{host}{path}?per_page=100&page={page + 1}>; rel="next"'} if more else {}
        return Response.of(self.installations[page - 1 : page], headers=link)


@pytest.fixture
def github() -> AppOnGitHub:
    return AppOnGitHub()


@pytest.fixture
def account(github: AppOnGitHub) -> Iterator[Account]:
    with serve_http(github.respond) as server:
        account = Account(GitHubApiUrl=server.url)
        secret = json.dumps({"app_id": "4711", "private_key": app_key_pem()})
        account.set("secretsmanager", "GetSecretValue", {"SecretString": secret})
        yield account


def test_an_app_with_all_it_needs_has_no_finding(account: Account) -> None:
    assert account.findings(CHECK) == []


def test_permissions_and_events_that_the_app_lacks_are_one_finding(account: Account, github: AppOnGitHub) -> None:
    github.app["permissions"]["issues"] = "read"
    github.app["events"].remove("pull_request")
    for installation in github.installations:  # which cannot have more than the App
        installation["permissions"]["issues"] = "read"
    (finding,) = account.findings(CHECK)
    assert "it lacks the permissions issues: write; it isn't subscribed to the events pull_request" in finding.problem
    assert finding.confirm == "gh api apps/cloud-agent --hostname 127.0.0.1 --jq '.permissions, .events'"


def test_an_app_that_may_not_change_workflows_is_found_where_the_deployment_lets_claude_do_so(
    account: Account, github: AppOnGitHub
) -> None:
    account.stack = replace(account.stack, parameters={**account.stack.parameters, "AllowWorkflowChanges": "true"})
    assert "lacks the permissions workflows: write" in account.findings(CHECK)[0].problem
    for granted in (github.app, *github.installations):
        granted["permissions"]["workflows"] = "write"
    assert account.findings(CHECK) == []


def test_permissions_that_an_account_has_not_accepted_are_found_there(account: Account, github: AppOnGitHub) -> None:
    del github.installations[1]["permissions"]["deployments"]
    (finding,) = account.findings(CHECK)
    assert (
        finding.problem
    ) == "The installation 2 of cloud-agent on acme-2 still lacks the App's permissions deployments: write."


def test_an_installation_of_the_second_page_is_seen(account: Account, github: AppOnGitHub) -> None:
    github.installations[1]["suspended_at"] = "2026-02-02T09:30:00Z"
    (finding,) = account.findings(CHECK)
    assert "on acme-2 has been suspended since 2026-02-02T09:30:00Z" in finding.problem
