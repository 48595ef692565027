"""The check `branch-protection`, by what GitHub says of a branch and of the rules that apply to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.http_server import Response, serve_http
from tests.kit.sessions import a_row, serialized
from tests.unit.functions.doctor.inside_account import REFUSED, Account

from cloud_agent.adapters.table.keys import SLOTS_KEY, session_key
from cloud_agent_doctor.checks.branch_protection import CHECK, MOST_REPOSITORIES
from cloud_agent_doctor.diagnose import run_checks
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit.http_server import Request

PULL_REQUEST = {"type": "pull_request", "parameters": {"required_approving_review_count": 1}}
NOT_FOUND = Response.of({"message": "Not Found"}, 404)


class Repositories(Account):
    """An account with sessions in the repositories that its GitHub has."""

    def __init__(self, api_url: str, requests: list[str]) -> None:
        super().__init__(GitHubApiUrl=api_url)
        self.requests = requests
        self.responses: dict[str, Response] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.set("secretsmanager", "GetSecretValue", {"SecretString": '{"token": "ghp_a-token"}'})
        self.set("dynamodb", "GetItem", self._item)

    def add(self, repo: str, *rules: dict[str, Any], protected: bool = False, **attributes: Any) -> None:  # noqa: ANN401 - any attribute
        """Have a session run for a repository."""
        session_id = f"{len(self.rows):08x}"
        self.rows[session_key(session_id)["pk"]] = a_row(
            session_id, **{"repo": repo, "default_branch": "main"} | attributes
        )
        self.responses |= {
            f"/repos/{repo}/rules/branches/main?per_page=100": Response.of(list(rules)),
            f"/repos/{repo}/branches/main": Response.of({"name": "main", "protected": protected}),
        }

    def respond(self, request: Request) -> Response:
        assert request.headers["Authorization"] == "Bearer ghp_a-token"
        self.requests.append(request.path)
        return self.responses.get(request.path, NOT_FOUND)

    def _item(self, request: dict[str, Any]) -> dict[str, Any]:
        live = {row["session_id"]: row["repo"] for row in self.rows.values()}
        rows = {**self.rows, "SLOTS": {**SLOTS_KEY, "live": live, "waiting": {}}}
        return {"Item": serialized(rows[request["Key"]["pk"]["S"]])}


@pytest.fixture
def account() -> Iterator[Repositories]:
    with serve_http(NOT_FOUND) as server:
        account = Repositories(server.url, [])
        server.respond = account.respond
        yield account


@pytest.mark.parametrize("rule", [PULL_REQUEST, {"type": "update"}], ids=lambda rule: rule["type"])
def test_a_branch_with_a_rule_that_keeps_the_app_out_is_protected(account: Repositories, rule: dict[str, Any]) -> None:
    account.add("acme/storefront", {"type": "deletion"}, rule)
    assert account.findings(CHECK) == []
    assert account.requests == ["/repos/acme/storefront/rules/branches/main?per_page=100"]


def test_a_branch_with_branch_protection_is_protected(account: Repositories) -> None:
    account.add("acme/storefront", protected=True)
    assert account.findings(CHECK) == []


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [{"type": "deletion"}, {"type": "non_fast_forward"}, {"type": "creation"}],
        # The token that pushes a pull request's commits could merge it as well.
        [{"type": "pull_request", "parameters": {"required_approving_review_count": 0}}],
    ],
)
def test_a_branch_that_the_app_can_change_alone_is_found(account: Repositories, rules: list[dict[str, Any]]) -> None:
    account.add("acme/storefront", *rules)
    (finding,) = account.findings(CHECK)
    assert finding.resource == "acme/storefront, branch main"
    assert finding.problem.startswith("The default branch main of acme/storefront isn't protected: ")
    assert finding.confirm.startswith("gh api repos/acme/storefront/rules/branches/main --hostname 127.0.0.1 --jq ")


def test_branch_protection_counts_where_there_are_no_rulesets(account: Repositories) -> None:
    account.add("acme/storefront", protected=True)
    account.responses["/repos/acme/storefront/rules/branches/main?per_page=100"] = NOT_FOUND
    assert account.findings(CHECK) == []


def test_a_branch_that_nobody_has_pushed_is_no_fault(account: Repositories) -> None:
    account.add("acme/storefront")
    account.responses["/repos/acme/storefront/branches/main"] = NOT_FOUND
    assert account.findings(CHECK) == []


def test_each_repository_is_asked_for_once_and_only_so_many(account: Repositories) -> None:
    for number in range(MOST_REPOSITORIES + 3):
        account.add(f"acme/shop-{number:02}", PULL_REQUEST)
        account.add(f"acme/shop-{number:02}", PULL_REQUEST)
    assert account.findings(CHECK) == []
    assert len(account.requests) == len(set(account.requests)) == MOST_REPOSITORIES


def test_a_repository_that_cannot_be_read_leaves_the_others(account: Repositories) -> None:
    account.add("acme/broken")
    account.add("acme/open")
    account.responses["/repos/acme/broken/branches/main"] = Response.of({"message": "Forbidden"}, 403)
    findings, unavailable = account.incomplete_findings(CHECK)
    assert [finding.resource for finding in findings] == ["acme/open, branch main"]
    assert "403" in str(unavailable)


def test_a_branch_with_a_slash_is_asked_for_by_its_name(account: Repositories) -> None:
    account.add("acme/storefront", default_branch="release/1 0")
    assert account.findings(CHECK) == []
    assert account.requests[-1] == "/repos/acme/storefront/branches/release/1%200"


def test_without_a_session_there_is_nothing_to_check(account: Repositories) -> None:
    with pytest.raises(NotApplicableError, match="no session is running"):
        account.findings(CHECK)


def test_whoever_may_not_read_the_table_gets_the_missing_permission(account: Repositories) -> None:
    account.set("dynamodb", "GetItem", REFUSED)
    assert account.incomplete_findings(CHECK)[1].permission == "dynamodb:GetItem"


def test_it_only_warns(account: Repositories) -> None:
    account.add("acme/storefront")
    report = run_checks([CHECK], account.context(), lambda _: None)
    (outcome,) = report.outcomes
    assert (outcome.status, outcome.findings, len(outcome.warnings)) == (Status.HEALTHY, (), 1)
    assert (report.finding_count, report.warning_count, report.exit_code) == (0, 1, 0)
    assert json.loads(json.dumps(report.as_document()))["healthy"]
