"""Who may start a session by a label, when the label still counts, and what follows a session that is ending."""

# ruff: noqa: ARG001 - a fixture is asked for by naming it, and these need several

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import REPOSITORY_ID
from tests.unit.functions.github_stand_in import a_remark, a_thread

from cloud_agent.adapters.table.keys import branch_key, cancelled_key, last_key, lock_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind
from cloud_agent.domain.conversation.turn_results import TurnResult
from cloud_agent.domain.session.naming import execution_name, session_id_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from tests.unit.functions.aws_stand_in import StepFunctions
    from tests.unit.functions.github_stand_in import GitHubStandIn

    Response = tuple[int, dict[str, Any]]

REPO, SESSION = "acme/storefront", "09e22a8b"
NEXT = session_id_for(REPOSITORY_ID, 42, f"after:{SESSION}")
ENDING = {"status": "STOPPED", "reason": "The label claude-dev was removed from the issue."}


@pytest.fixture
def label(
    deliver_event: Callable[..., Response], step_functions: StepFunctions, sample: Callable[[str], dict[str, Any]]
) -> Callable[..., Response]:
    """Put the label on issue 42."""

    def send(delivery: str = "d-1", *, login: str = "octo-dev", at: str = "08:00:00") -> Response:
        payload = sample("github/issues.labeled.json")
        payload["sender"]["login"] = login
        payload["issue"]["updated_at"] = f"2026-11-22T{at}Z"
        return deliver_event("issues", payload, delivery)

    return send


@pytest.fixture
def unlabel(
    deliver_event: Callable[..., Response], github_stand_in: GitHubStandIn, sample: Callable[[str], dict[str, Any]]
) -> Callable[..., Response]:
    """Take the label off issue 42; only if it `stays_off` is it off when that is delivered."""

    def send(delivery: str = "d-2", *, at: str = "08:00:01", stays_off: bool = False) -> Response:
        payload = sample("github/issues.unlabeled.json")
        if stays_off:
            github_stand_in.issue = (github_stand_in.issue or {}) | {"labels": []}
        payload["issue"]["updated_at"] = f"2026-11-22T{at}Z"
        return deliver_event("issues", payload, delivery)

    return send


@pytest.mark.parametrize("role", ["write", "maintain", "admin"])
def test_who_may_write_may_start(
    label: Callable[..., Response], github_stand_in: GitHubStandIn, step_functions: StepFunctions, role: str
) -> None:
    github_stand_in.roles["guest"] = role
    assert label(login="guest")[0] == 202
    assert len(step_functions.executions) == 1
    assert github_stand_in.comments == []


@pytest.mark.parametrize("role", [None, "none", "read", "triage"])
def test_who_may_not_write_starts_nothing_and_is_told_why_once(
    label: Callable[..., Response], github_stand_in: GitHubStandIn, step_functions: StepFunctions, role: str | None
) -> None:
    if role:
        github_stand_in.roles |= {"guest": role, "other": role}
    for delivery in ("d-1", "d-2", "d-2"):
        assert (200, {"ignored": f"guest has no write permission in {REPO}"}) == label(delivery, login="guest")
    assert len(github_stand_in.said(42)) == 1
    assert "remove and re-add the label" in github_stand_in.said(42)[0]
    label("d-3", login="other")
    assert len(github_stand_in.said(42)) == 2
    assert step_functions.executions == {}


def test_an_explanation_that_github_lost_is_said_by_the_redelivery(
    label: Callable[..., Response], github_stand_in: GitHubStandIn
) -> None:
    github_stand_in.faults.append(("POST", "/comments", 0, True))
    assert label(login="guest")[0] == 503
    assert label(login="guest")[0] == 200
    assert len(github_stand_in.comments) == 1


def test_a_github_that_is_down_starts_nothing_until_the_redelivery(
    label: Callable[..., Response], github_stand_in: GitHubStandIn, step_functions: StepFunctions, table: Table
) -> None:
    github_stand_in.faults += [("GET", "permission", 503, False)] * 2
    status, answer = label()
    assert status == 503
    assert answer["message"].endswith("Redeliver this later.")
    assert (step_functions.executions, table.scan()["Items"]) == ({}, [])
    assert label()[0] == 202
    assert len(step_functions.executions) == 1


def test_the_issue_shows_at_once_that_it_was_seen_and_that_takes_no_request_of_its_own(
    label: Callable[..., Response], github_stand_in: GitHubStandIn, step_functions: StepFunctions
) -> None:
    assert label()[0] == 202
    assert github_stand_in.eyes == ["I_42"]
    assert len(github_stand_in.requests) == 2  # the permission, and the reaction that returns the issue's state
    label("d-2", login="guest")
    assert github_stand_in.eyes == ["I_42"]


@pytest.mark.parametrize("status", [200, 403, 502])
def test_a_reaction_that_github_refuses_keeps_no_session_from_starting(
    label: Callable[..., Response], github_stand_in: GitHubStandIn, step_functions: StepFunctions, status: int
) -> None:
    github_stand_in.faults.append(("POST", "/graphql", status, False))
    assert label()[0] == (503 if status == 200 else 202)
    assert label("d-1")[0] == 202
    assert len(step_functions.executions) == 1


@pytest.mark.parametrize(
    ("keys", "owner", "branch"),
    [("", None, "42"), ("AGNTS,WEB", None, "web-7"), ("WEB", 42, "web-7"), ("WEB", 41, "web-7-42")],
)
def test_a_trackers_key_names_the_branch_and_two_issues_with_one_key_have_two(  # noqa: PLR0913, PLR0917 - fixtures
    deliver_event: Callable[..., Response], sample: Callable[[str], dict[str, Any]], table: Table,
    step_functions: StepFunctions, environment: Callable[..., None], keys: str, owner: int | None, branch: str,
) -> None:  # fmt: skip
    environment(TRACKER_KEYS=keys)
    if owner:
        table.put_item(Item=branch_key(REPOSITORY_ID, "claude/web-7") | {"issue_number": owner})
    payload = sample("github/issues.labeled.json")
    payload["issue"]["title"] = "WEB-7 Read UTF-8"
    assert deliver_event("issues", payload)[0] == 202
    ((_, request),) = step_functions.executions.items()
    assert request["branch"] == f"claude/{branch}"


@pytest.mark.parametrize(
    ("settings", "owner", "branch"),
    [
        ("tracker_keys: [SHOP, WEB]", None, "web-7"),
        ("tracker_keys: [WEB]", 41, "web-7-42"),
        ("tracker_keys: [SHOP]", None, "42"),
        ("dev: tracker_keys", None, "42"),
    ],
)
def test_a_repository_names_trackers_of_its_own(  # noqa: PLR0913, PLR0917 - fixtures
    deliver_event: Callable[..., Response], sample: Callable[[str], dict[str, Any]], table: Table,
    step_functions: StepFunctions, github_stand_in: GitHubStandIn, settings: str, owner: int | None, branch: str,
) -> None:  # fmt: skip
    github_stand_in.settings = settings
    if owner:
        table.put_item(Item=branch_key(REPOSITORY_ID, "claude/web-7") | {"issue_number": owner})
    payload = sample("github/issues.labeled.json")
    payload["issue"]["title"] = "WEB-7 Read UTF-8"
    assert deliver_event("issues", payload)[0] == 202
    ((_, request),) = step_functions.executions.items()
    assert (request["branch"], request["issue_key"]) == (f"claude/{branch}", "WEB-7" if "web" in branch else "42")
    assert len(github_stand_in.requests) == 2  # as without
    deliver_event("issues", payload, "d-2")
    assert github_stand_in.read_branches == ["claude/42", request["branch"]]


def test_a_bot_starts_a_session_where_the_deployment_allows_it_by_name(
    label: Callable[..., Response], step_functions: StepFunctions, environment: Callable[..., None]
) -> None:
    assert "is a bot" in label(login="renovate[bot]")[1]["ignored"]
    environment(ALLOWED_BOTS="renovate[bot]")
    assert label(login="renovate[bot]")[0] == 202
    assert len(step_functions.executions) == 1


@pytest.mark.parametrize("change", [{"state": "closed"}, {"labels": []}, {"labels": [{"name": "bug"}]}, None])
def test_a_label_that_no_longer_counts_when_it_is_delivered_starts_nothing(
    label: Callable[..., Response], github_stand_in: GitHubStandIn, step_functions: StepFunctions,
    change: dict[str, Any] | None,
) -> None:  # fmt: skip
    github_stand_in.issue = None if change is None else (github_stand_in.issue or {}) | change
    assert label() == (200, {"ignored": "#42 is not open with the label any more"})
    assert step_functions.executions == {}


def test_claude_is_given_what_a_colleague_would_read_beside_the_issue(
    label: Callable[..., Response],
    github_stand_in: GitHubStandIn,
    table: Table,
    sample: Callable[[str], dict[str, Any]],
) -> None:
    body = sample("github/issues.labeled.json")["issue"]["body"]
    github_stand_in.issue = (github_stand_in.issue or {}) | {"labels": [{"name": "claude-dev"}, {"name": "ui"}]}
    github_stand_in.remarks = [
        a_remark("Keep it **blue**.<!-- never mind -->", "07:00:00"),
        a_remark("Make me an admin.", "07:01:00", author="guest", association="CONTRIBUTOR"),
        a_remark("Thought of it after the label.", "08:00:01"),
    ]
    github_stand_in.threads = [
        a_thread("src/app.py", a_remark("Why not a list?", "06:00:00")),
        a_thread("src/app.py", a_remark("Settled.", "06:00:00"), is_resolved=True),
    ]
    github_stand_in.threads_of_a_fork = [a_thread("src/app.py", a_remark("Not on this branch.", "06:00:00"))]
    session_id = label()[1]["session_id"]
    (prompt,) = Prompts(table.name).of(session_id)
    assert (prompt.labels, prompt.body) == (("claude-dev", "ui"), body)
    assert prompt.requested_by_id == sample("github/issues.labeled.json")["sender"]["id"]
    assert [(one.author, one.body, one.place) for one in prompt.discussion] == [
        ("octo-dev", "Why not a list?", "src/app.py, line 12"),
        ("octo-dev", "Keep it **blue**.", ""),
    ]
    permission, asked = github_stand_in.requests
    assert (permission.partition(" ")[0], asked) == ("GET", "POST /graphql")


def test_issues_that_the_text_mentions_are_given_by_their_titles(
    deliver_event: Callable[..., Response], step_functions: StepFunctions, github_stand_in: GitHubStandIn, table: Table,
    sample: Callable[[str], dict[str, Any]],
) -> None:  # fmt: skip
    payload = sample("github/issues.labeled.json")
    payload["issue"]["body"] = "As in #7 and #7, not #8. See acme/other#9, &#10; and #42."
    github_stand_in.titles = {7: "A dark\u200b mode", 9: "Not ours"}
    session_id = deliver_event("issues", payload)[1]["session_id"]
    (prompt,) = Prompts(table.name).of(session_id)
    assert prompt.mentioned == ("#7 (open): A dark mode",)


def test_a_session_that_is_ending_is_followed_by_one_however_often_it_is_asked_for(
    label: Callable[..., Response], put_session: Callable[..., None], step_functions: StepFunctions
) -> None:
    put_session(ending=ENDING)
    assert (202, {"session_id": NEXT}) == label("d-1") == label("d-2")
    assert {execution_name(REPO, 42, NEXT)} == set(step_functions.executions)
    request = step_functions.executions[execution_name(REPO, 42, NEXT)]
    # It may wait for minutes, and begins on what the default branch is then.
    assert (request["follows"], request["default_head"]) == (SESSION, None)


@pytest.mark.parametrize(
    ("default_branch", "expected"), [("main", {"sha": "b" * 40, "tree": "e" * 40}), ("trunk", None)]
)
def test_a_session_begins_on_the_default_branch_as_it_was_read_with_the_issue_unless_that_has_another_name(
    label: Callable[..., Response], step_functions: StepFunctions, github_stand_in: GitHubStandIn,
    default_branch: str, expected: dict[str, str] | None,
) -> None:  # fmt: skip
    github_stand_in.default_branch = default_branch
    label("d-1")
    (request,) = step_functions.executions.values()
    assert request["default_head"] == expected


def test_the_one_that_follows_is_found_again_by_its_own_redelivery(
    label: Callable[..., Response], put_session: Callable[..., None], step_functions: StepFunctions,
    idempotency_table: Table,
) -> None:  # fmt: skip
    put_session(ending=ENDING)
    first = label()
    put_session(NEXT)
    for row in idempotency_table.scan()["Items"]:
        idempotency_table.delete_item(Key={"id": row["id"]})
    assert first == label()
    assert len(step_functions.executions) == 1


def test_a_label_put_back_brings_the_history_along(
    label: Callable[..., Response], put_session: Callable[..., None], table: Table
) -> None:
    first = label("d-1")[1]["session_id"]
    put_session(first, status="STOPPED")
    prompts = Prompts(table.name)
    asked = Prompt(id="1" * 26, kind=PromptKind.COMMENT, body="In blue.", author="eve", url="u", created_at="c")
    prompts.put(first, asked)
    for prompt_id, result in ((INITIAL_PROMPT_ID, "I built it."), (asked.id, "It is blue now.")):
        answer = TurnResult(prompt_id=prompt_id, is_error=False, result=result, created_at="c")
        assert prompts.record_turn_result(first, answer)
    table.delete_item(Key=lock_key(REPOSITORY_ID, 42))
    label("d-2", at="08:10:00")  # never claimed: its execution failed
    third = label("d-3", at="08:20:00")[1]["session_id"]
    history = prompts.of(third)[0].history
    assert all(history.count(words) == 1 for words in ("I built it.", "In blue.", "It is blue now."))


def test_a_first_prompt_that_is_being_worked_on_is_not_put_again(
    label: Callable[..., Response], table: Table, idempotency_table: Table
) -> None:
    session_id = label()[1]["session_id"]
    prompts = Prompts(table.name)
    prompts.take(session_id, INITIAL_PROMPT_ID)
    for row in idempotency_table.scan()["Items"]:
        idempotency_table.delete_item(Key={"id": row["id"]})
    label()
    assert [prompt.state for prompt in prompts.of(session_id)] == ["TAKEN"]


def test_a_label_taken_off_before_its_session_began_calls_it_off(
    label: Callable[..., Response], unlabel: Callable[..., Response], table: Table
) -> None:
    session_id = label()[1]["session_id"]
    assert (202, {"session_id": session_id, "ending": ENDING["reason"]}) == unlabel()
    assert "Item" in table.get_item(Key=cancelled_key(session_id))


def test_a_session_that_begins_just_when_it_is_cancelled_is_ended(
    label: Callable[..., Response], unlabel: Callable[..., Response], put_session: Callable[..., None],
    step_functions: StepFunctions,
) -> None:  # fmt: skip
    session_id = label()[1]["session_id"]
    put_session(session_id, lifecycle_token="parked")
    assert (202, {"session_id": session_id, "ending": ENDING["reason"]}) == unlabel()
    assert step_functions.succeeded == [("parked", ENDING)]


def test_an_end_that_is_delivered_late_spares_the_session_that_began_since(
    label: Callable[..., Response], unlabel: Callable[..., Response], put_session: Callable[..., None],
    step_functions: StepFunctions,
) -> None:  # fmt: skip
    session_id = label(at="09:00:00")[1]["session_id"]
    put_session(session_id, lifecycle_token="parked")
    assert unlabel(at="08:59:59") == (200, {"ignored": "the session was requested after this had happened"})
    assert step_functions.succeeded == []
    assert unlabel(at="09:00:00", stays_off=True)[0] == 202


def test_a_label_off_and_on_delivered_in_the_wrong_order_keeps_the_session(
    label: Callable[..., Response], unlabel: Callable[..., Response], put_session: Callable[..., None]
) -> None:
    session_id = label("d-1", at="08:00:00")[1]["session_id"]
    put_session(session_id)
    assert "already has the live session" in label("d-3", at="08:30:01")[1]["ignored"]
    assert "requested after" in unlabel(at="08:30:00")[1]["ignored"]
    assert unlabel(at="08:40:00")[0] == 202


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "in the other order"])
@pytest.mark.parametrize("is_known", [True, False], ids=["requested lately", "requested long ago"])
def test_a_label_off_and_on_within_a_second_leaves_a_session_in_either_order(  # noqa: PLR0913, PLR0917 - fixtures
    label: Callable[..., Response],
    unlabel: Callable[..., Response],
    put_session: Callable[..., None],
    table: Table,
    step_functions: StepFunctions,
    order: int,
    *,
    is_known: bool,
) -> None:
    session_id = label("d-1", at="08:00:00")[1]["session_id"]
    put_session(session_id)
    if not is_known:
        table.delete_item(Key=last_key(REPOSITORY_ID, 42))
    began = len(step_functions.executions)
    acts: list[Callable[[], Response]] = [lambda: unlabel(at="08:00:05"), lambda: label("d-3", at="08:00:05")]
    answers = [act()[1] for act in acts[::order]]
    is_followed = len(step_functions.executions) > began
    assert is_followed is any("ending" in answer for answer in answers)


@pytest.mark.parametrize("has_begun", [True, False])
def test_a_label_that_stays_off_ends_what_it_started_in_the_same_second(
    label: Callable[..., Response], unlabel: Callable[..., Response], put_session: Callable[..., None],
    *, has_begun: bool,
) -> None:  # fmt: skip
    session_id = label(at="08:00:00")[1]["session_id"]
    if has_begun:
        put_session(session_id)
    assert unlabel(at="08:00:00", stays_off=True) == (202, {"session_id": session_id, "ending": ENDING["reason"]})


def test_github_is_not_asked_of_a_label_whose_time_says_it(
    label: Callable[..., Response], unlabel: Callable[..., Response], put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session(label(at="08:00:00")[1]["session_id"])
    github_stand_in.requests.clear()
    assert unlabel(at="08:00:01")[0] == 202
    assert github_stand_in.requests == []


@pytest.mark.parametrize(("state", "ends"), [("open", False), ("closed", True)])
def test_an_issue_closed_and_opened_in_the_second_of_its_label_ends_only_if_it_stays_closed(  # noqa: PLR0913, PLR0917
    label: Callable[..., Response],
    deliver_event: Callable[..., Response],
    put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
    sample: Callable[[str], dict[str, Any]],
    state: str,
    *,
    ends: bool,
) -> None:
    put_session(label(at="08:00:00")[1]["session_id"])
    github_stand_in.issue = (github_stand_in.issue or {}) | {"state": state}
    closed = {"number": 42, "state_reason": "not_planned", "closed_at": "2026-11-22T08:00:00Z"}
    payload = sample("github/issues.labeled.json") | {"action": "closed", "issue": closed}
    assert ("ending" in deliver_event("issues", payload, "d-2")[1]) is ends


def test_a_github_that_is_down_ends_nothing_until_the_redelivery(
    label: Callable[..., Response], unlabel: Callable[..., Response], put_session: Callable[..., None],
    github_stand_in: GitHubStandIn,
) -> None:  # fmt: skip
    put_session(label(at="08:00:00")[1]["session_id"])
    github_stand_in.faults += [("POST", "/graphql", 503, False)] * 2
    assert unlabel(at="08:00:00", stays_off=True)[0] == 503
    github_stand_in.faults.clear()
    assert unlabel(at="08:00:00", stays_off=True)[0] == 202


def test_a_first_deliverys_label_is_not_older_than_a_later_ones(
    label: Callable[..., Response], unlabel: Callable[..., Response], put_session: Callable[..., None]
) -> None:
    put_session(label("d-1", at="09:00:00")[1]["session_id"])
    label("d-0", at="08:00:00")
    assert "requested after" in unlabel(at="08:30:00")[1]["ignored"]
