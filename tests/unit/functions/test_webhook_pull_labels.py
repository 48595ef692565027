"""A trigger label on a pull request: a session on its branch, or on the issue's that it was opened for, or why not."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it, and these need several

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import REPOSITORY_ID
from tests.unit.functions.github_stand_in import a_remark, a_thread

from cloud_agent.adapters.table.keys import branch_key, lock_key, pull_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]

SESSION = "6020583d"
NOTHING = {"ignored": "no session was started on #43, and it says why"}


@pytest.fixture
def payload() -> dict[str, Any]:
    """A label on octo-mia's pull request 43, from a branch of hers, for develop."""
    return {
        "action": "labeled",
        "label": {"name": "claude-dev"},
        "pull_request": {
            "number": 43,
            "node_id": "PR_43",
            "title": "Show the menu",
            "body": "The footer is still missing, see #7. <!-- not for everybody -->",
            "user": {"login": "octo-mia"},
            "html_url": "https://github.com/acme/storefront/pull/43",
            "state": "open",
            "updated_at": "2026-11-22T08:00:00Z",
            "head": {"ref": "feature/menu@2", "repo": {"id": REPOSITORY_ID}},
            "base": {"ref": "develop"},
        },
        "repository": {"id": REPOSITORY_ID, "full_name": "acme/storefront", "default_branch": "main"},
        "installation": {"id": 99},
        "sender": {"login": "octo-dev", "id": 1001},
    }


@pytest.fixture
def label(
    deliver_event: Callable[..., Response],
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    payload: dict[str, Any],
) -> Callable[..., Response]:
    """Deliver it; GitHub has the pull request as the payload does, with its label."""
    pull = payload["pull_request"]
    github_stand_in.issue = pull | {"labels": [{"name": "Claude-Dev"}]}

    def send(delivery: str = "d-1", *, login: str = "octo-dev") -> Response:
        payload["sender"]["login"] = login
        return deliver_event("pull_request", payload, delivery)

    return send


def request_of(step_functions: StepFunctions) -> dict[str, Any]:
    """The one session that was started."""
    ((_, request),) = step_functions.executions.items()
    return dict(request)


def first_prompt(session_id: str) -> Prompt:
    """What Claude is asked first."""
    (prompt,) = Prompts("sessions").unanswered(session_id)
    return prompt


def test_a_session_starts_on_the_pull_requests_own_branch(
    label: Callable[..., Response], github_stand_in: GitHubStandIn, step_functions: StepFunctions
) -> None:
    github_stand_in.titles[7] = "The footer"
    github_stand_in.remarks = [a_remark("As in the draft, please.", "07:00:00")]
    github_stand_in.reviews_of_the_pull = [a_remark("Please test it, too.", "07:30:00"), a_remark("", "07:31:00")]
    github_stand_in.threads = [a_thread("menu.js", a_remark("Wrong word.", "07:40:00"))]

    status, answer = label()

    assert status == 202
    request = request_of(step_functions)
    assert {
        name: request[name] for name in ("branch", "pull_number", "issue_number", "issue_key", "default_branch")
    } == {
        "branch": "feature/menu@2",
        "pull_number": 43,
        "issue_number": 43,
        "issue_key": "43",
        "default_branch": "main",
    }
    assert github_stand_in.eyes == ["PR_43"]
    assert github_stand_in.comments == []
    prompt = first_prompt(answer["session_id"])
    assert (prompt.kind, prompt.title, prompt.author) == (PromptKind.PULL_REQUEST, "Show the menu", "octo-mia")
    assert (prompt.requested_by, prompt.requested_by_id) == ("octo-dev", 1001)
    assert prompt.body == "The footer is still missing, see #7. "
    assert [(remark.place, remark.body) for remark in prompt.discussion] == [
        ("", "As in the draft, please."),
        ("a review", "Please test it, too."),
        ("menu.js, line 12", "Wrong word."),
    ]
    assert prompt.mentioned == ("#7 (open): The footer",)
    assert "on PullRequest" in github_stand_in.operations[-1]


def test_a_trackers_key_in_its_title_changes_nothing(
    label: Callable[..., Response],
    environment: Callable[..., None],
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    payload: dict[str, Any],
) -> None:
    environment(TRACKER_KEYS="WEB")
    payload["pull_request"]["title"] = "WEB-7 Show the menu"
    github_stand_in.settings = "tracker_keys: [WEB]"
    assert label()[0] == 202
    assert request_of(step_functions)["branch"] == "feature/menu@2"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"head": {"ref": "menu", "repo": {"id": REPOSITORY_ID + 1}}}, "is in a fork"),
        ({"head": {"ref": "menu", "repo": None}}, "is in a fork"),
        (
            {"head": {"ref": "main", "repo": {"id": REPOSITORY_ID}}, "base": {"ref": "release/2"}},
            "is `main`, the default",
        ),
    ],
)
def test_who_puts_it_where_no_session_can_be_is_told_why_once(  # noqa: PLR0913, PLR0917 - fixtures
    label: Callable[..., Response],
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    payload: dict[str, Any],
    change: dict[str, Any],
    why: str,
) -> None:
    payload["pull_request"] |= change
    for delivery in ("d-1", "d-2", "d-2"):
        assert label(delivery) == (200, NOTHING)
    (said,) = github_stand_in.said(43)
    assert why in said
    label("d-3", login="guest")
    assert len(github_stand_in.said(43)) == 2
    assert step_functions.executions == {}


@pytest.mark.parametrize("is_ours", [True, False])
def test_who_may_not_write_starts_nothing(
    label: Callable[..., Response],
    put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    *,
    is_ours: bool,
) -> None:
    if is_ours:
        put_session(SESSION, status="STOPPED")
    for delivery in ("d-1", "d-2"):
        assert "ignored" in label(delivery, login="guest")[1]
    (said,) = github_stand_in.said(43)
    assert "doesn't have write access" in said
    assert step_functions.executions == {}


@pytest.mark.parametrize(
    "change",
    [
        {"label": {"name": "bug"}},
        {"sender": {"login": "renovate[bot]"}},
        {"sender": None},
        {"pull_request": {"state": "closed"}},
    ],
)
def test_other_labels_bots_and_closed_pull_requests_are_passed_over(
    deliver_event: Callable[..., Response],
    github_stand_in: GitHubStandIn,
    payload: dict[str, Any],
    change: dict[str, Any],
) -> None:
    for name, value in change.items():
        payload[name] = payload[name] | value if value else None
    status, answer = deliver_event("pull_request", payload)
    assert (status, list(answer)) == (200, ["ignored"])
    assert github_stand_in.requests == []


def test_an_explanation_that_github_lost_is_said_by_the_redelivery(
    label: Callable[..., Response], github_stand_in: GitHubStandIn, payload: dict[str, Any]
) -> None:
    payload["pull_request"]["head"]["repo"] = None
    github_stand_in.faults.append(("POST", "/comments", 0, True))
    assert label()[0] == 503
    assert label()[0] == 200
    assert len(github_stand_in.comments) == 1


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "RUNNING"])
def test_on_the_pull_request_of_an_issues_live_session_it_changes_nothing_and_says_how_to_steer(
    label: Callable[..., Response],
    put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    status: str,
) -> None:
    put_session(SESSION, status=status)
    assert label() == (200, NOTHING)
    (said,) = github_stand_in.said(43)
    assert "comment or review" in said
    assert step_functions.executions == {}


def test_on_the_pull_request_of_an_issues_ended_session_it_starts_the_next_one(  # noqa: PLR0913, PLR0917 - fixtures
    label: Callable[..., Response],
    put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    sample: Callable[[str], dict[str, Any]],
    payload: dict[str, Any],
) -> None:
    github_stand_in.issue = sample("github/issues.labeled.json")["issue"] | {"labels": []}
    put_session(SESSION, status="STOPPED")
    for _ in range(2):
        assert label() == (202, {"accepted": "/restart"})
    request = request_of(step_functions)
    assert (request["issue_number"], request["pull_number"], request["branch"]) == (42, None, "claude/42")
    assert request["previous_session_id"] == SESSION
    assert github_stand_in.eyes[:1] == ["PR_43"]
    assert github_stand_in.comments == []


def test_two_sessions_never_work_on_one_branch(
    label: Callable[..., Response],
    put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    table: Table,
) -> None:
    put_session(SESSION, branch="feature/menu@2", pull_number=44)
    table.put_item(Item=branch_key(REPOSITORY_ID, "feature/menu@2") | {"issue_number": 42})
    table.delete_item(Key=pull_key(REPOSITORY_ID, 43))

    assert label() == (200, NOTHING)
    (said,) = github_stand_in.said(43)
    assert "already at work on the branch `feature/menu@2` for #42" in said

    table.delete_item(Key=lock_key(REPOSITORY_ID, 42))
    assert label("d-2")[0] == 202
    assert table.get_item(Key=branch_key(REPOSITORY_ID, "feature/menu@2"))["Item"]["issue_number"] == 43
    assert len(step_functions.executions) == 1


@pytest.fixture
def own_session(put_session: Callable[..., None]) -> Callable[..., None]:
    """A session that was requested on pull request 43 itself."""

    def put(status: str = "RUNNING") -> None:
        put_session(SESSION, status=status, issue_number=43, issue_key="43", branch="feature/menu@2")

    return put


def test_a_second_label_while_its_session_runs_starts_no_other(
    label: Callable[..., Response], own_session: Callable[..., None], step_functions: StepFunctions
) -> None:
    own_session()
    assert label() == (200, {"ignored": f"#43 already has the live session {SESSION}"})
    assert step_functions.executions == {}


def test_after_its_session_has_ended_the_label_starts_the_next_one(
    label: Callable[..., Response], own_session: Callable[..., None], step_functions: StepFunctions
) -> None:
    own_session("STOPPED")
    assert label()[0] == 202
    assert request_of(step_functions)["pull_number"] == 43


@pytest.mark.parametrize(
    ("name", "labels", "ends"),
    [("claude-dev", [], True), ("bug", [], False), ("claude-dev", [{"name": "claude-dev"}], False)],
)
def test_the_labels_removal_ends_its_session_unless_it_is_there_again(  # noqa: PLR0913, PLR0917 - fixtures
    deliver_event: Callable[..., Response],
    own_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
    payload: dict[str, Any],
    name: str,
    labels: list[dict[str, Any]],
    *,
    ends: bool,
) -> None:
    own_session()
    github_stand_in.issue = payload["pull_request"] | {"labels": labels}
    removed = payload | {"action": "unlabeled", "label": {"name": name}}
    status, answer = deliver_event("pull_request", removed)
    reason = "The label claude-dev was removed from the pull request."
    assert (status, answer.get("ending")) == ((202, reason) if ends else (200, None))


def test_its_removal_ends_no_session_of_an_issue(
    deliver_event: Callable[..., Response], put_session: Callable[..., None], payload: dict[str, Any]
) -> None:
    put_session(SESSION)
    assert "ignored" in deliver_event("pull_request", payload | {"action": "unlabeled"})[1]


def test_a_pull_request_that_is_closed_before_its_session_begins_has_none(
    label: Callable[..., Response],
    deliver_event: Callable[..., Response],
    payload: dict[str, Any],
) -> None:
    session_id = label()[1]["session_id"]
    closed = {"number": 43, "merged": False, "closed_at": "2026-11-22T08:00:01Z"}
    answer = deliver_event("pull_request", payload | {"action": "closed", "pull_request": closed}, "d-2")[1]
    assert answer == {"session_id": session_id, "ending": "The pull request was closed."}


def test_a_comment_reaches_its_session_before_that_is_tied_to_it(
    deliver_event: Callable[..., Response],
    own_session: Callable[..., None],
    sample: Callable[[str], dict[str, Any]],
    github_stand_in: GitHubStandIn,
    table: Table,
) -> None:
    own_session("QUEUED")
    table.delete_item(Key=pull_key(REPOSITORY_ID, 43))
    comment = sample("github/issue_comment.created.json")
    comment["issue"]["number"] = 43
    status, answer = deliver_event("issue_comment", comment, "d-5")
    assert (status, answer["session_id"]) == (202, SESSION)


def test_a_restart_reads_the_pull_request_again(  # noqa: PLR0913, PLR0917 - fixtures
    deliver_event: Callable[..., Response],
    own_session: Callable[..., None],
    sample: Callable[[str], dict[str, Any]],
    github_stand_in: GitHubStandIn,
    step_functions: StepFunctions,
    payload: dict[str, Any],
) -> None:
    own_session("STOPPED")
    github_stand_in.issue = payload["pull_request"] | {"labels": [], "body": "All of it.", "base": {"ref": "release/2"}}
    comment = sample("github/issue_comment.created.json")
    comment["issue"]["number"] = 43
    comment["comment"]["body"] = "/restart"
    assert deliver_event("issue_comment", comment, "d-6")[0] == 202
    request = request_of(step_functions)
    assert (request["pull_number"], request["branch"], request["base_branch"]) == (43, "feature/menu@2", "release/2")
    prompt = first_prompt(request["session_id"])
    assert (prompt.kind, prompt.body) == (PromptKind.PULL_REQUEST, "All of it.")
    assert "pullRequest(number" in github_stand_in.operations[-1]
