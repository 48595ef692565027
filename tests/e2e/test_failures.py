"""Every failure that a person may meet: what they read, what they can do about it, and that nothing is left behind."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.failures import ALWAYS, is_told, protect, repository
from tests.e2e.system import wait_for

from cloud_agent_local import deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.system import Session, System

REFUSED = {"method": "POST", "actor": "app", "count": ALWAYS}


@pytest.fixture
def hurried(stage: System) -> Iterator[System]:
    """The stage, whose workflow tries three times at most, without a pause."""
    with stage.without_pauses(retries=2):
        yield stage


def start_while(system: System, change: Callable[[], object]) -> Session:
    """Start a session and change GitHub while it waits for its first commit."""
    late = {"kind": "timeout", "seconds": 2, "method": "POST", "actor": "app"}
    with system.faults({**late, "path": f"/repos/{system.repository}/git/commits"}):
        session = system.start("Change under its feet", "Please.")
        system.wait_for_row(session, bool)
        change()
        system.wait_for_end(session)
    return session


# ------------------------------------------------------------ GitHub

FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "GitHub is down": ({"kind": "status", "status": 503}, "GitHub didn't respond", "githubstatus.com"),
    "GitHub drops connections": ({"kind": "drop"}, "GitHub didn't respond", "githubstatus.com"),
    "the rate limit is used up": ({"kind": "rate_limit"}, "has reached its rate limit", "an hour at most"),
    "the secondary rate limit is met": (
        {"kind": "rate_limit", "retry_after": 60},
        "has reached its rate limit",
        "secondary rate limit",
    ),
}


@pytest.mark.parametrize("path", ["/git/refs", "/pulls"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_github_that_stays_at_fault_is_named_with_what_to_do(hurried: System, fault: str, path: str) -> None:
    """On the issue, for there is no pull request yet."""
    system = repository(hurried, "at-fault")
    how, *words = FAULTS[fault]
    with system.faults({**how, **REFUSED, "path": f"/repos/{system.repository}{path}"}):
        session = system.start("Try", "Please.")
        is_told(system, session, *words)
    assert "pull_number" not in system.row(session.id)


def test_a_github_that_fails_once_there_is_a_pull_request_is_told_of_there(hurried: System) -> None:
    system = repository(hurried, "at-fault-late")
    path = f"/repos/{system.repository}/deployments"
    with system.faults({"kind": "status", "status": 502, **REFUSED, "path": path}):
        session = system.start("Try", "Please.")
        assert system.wait_for_end(session) == "FAILED"
    row = system.wait_until_over(session)
    (told,) = [c["body"] for c in system.comments(int(row["pull_number"])) if "session failed" in c["body"]]
    assert "GitHub didn't respond" in told
    assert "❌ Failed" in system.status_comment(session)


def test_a_github_that_nobody_reaches_to_the_end_leaves_plain_words_on_the_row(hurried: System) -> None:
    """The comment cannot be written, so that nobody is given a link: the row says it, and no page to strangers."""
    system = repository(hurried, "down")
    path = f"/repos/{system.repository}/.*"
    with system.faults({"kind": "status", "status": 503, **REFUSED, "path": path}):
        session = system.start("Try", "Please.")
        assert system.wait_for_end(session) == "FAILED"
    row = system.wait_until_over(session)
    assert "GitHub didn't respond after several retries" in row["end_reason"]
    page = system.stranger(session).fetch()
    assert page.status == 401
    assert "after several retries" not in page.text


def test_a_rule_that_protects_branches_is_named(hurried: System) -> None:
    system = repository(hurried, "protected")
    protect(system, "creation")
    session = system.start("Try", "Please.")
    is_told(system, session, "A repository rule prevents", "Settings → Rules", "`claude/*`")


def test_an_empty_repository_asks_for_a_first_commit(hurried: System) -> None:
    name = f"empty-{uuid.uuid4().hex[:6]}"
    owner = hurried.github.credentials.owner
    hurried.github.call("POST", f"/orgs/{owner}/repos", {"name": name})
    system = hurried.at(f"{owner}/{name}")
    session = system.start("Try", "Please.")
    is_told(system, session, "The repository is empty", "Push a first commit to the default branch")


def test_a_default_branch_that_was_renamed_is_named(hurried: System) -> None:
    system = repository(hurried, "renamed")
    path = f"/repos/{system.repository}"

    def rename() -> None:
        sha = system.github.call("GET", f"{path}/git/ref/heads/main")["object"]["sha"]
        system.github.call("POST", f"{path}/git/refs", {"ref": "refs/heads/trunk", "sha": sha})
        system.github.call("PATCH", path, {"default_branch": "trunk"})
        system.github.call("DELETE", f"{path}/git/refs/heads/main")

    session = start_while(system, rename)
    is_told(system, session, "default branch doesn't exist", "Settings → General → Default branch", "branch main")


def test_an_archived_repository_is_named_where_nobody_can_comment(hurried: System) -> None:
    system = repository(hurried, "archived")
    path = f"/repos/{system.repository}"

    session = start_while(system, lambda: system.github.call("PATCH", path, {"archived": True}))

    row = system.wait_until_over(session)
    assert (row["status"], row["end_reason"].partition(",")[0]) == ("FAILED", "The repository is archived")
    assert system.comments(session.issue_number) == []


# ------------------------------------------------------------ The App


@contextmanager
def suspended(system: System) -> Iterator[None]:
    """The App's installation is suspended until the block is left."""
    installation = system.github.call("GET", f"/repos/{system.repository}/installation", as_app=True)
    path = f"/app/installations/{installation['id']}/suspended"
    system.github.call("PUT", path, as_app=True)
    try:
        yield
    finally:
        system.github.call("DELETE", path, as_app=True)


def test_a_suspended_app_is_told_to_whoever_looks_at_the_delivery(stage: System) -> None:
    """Nobody can comment then: GitHub shows the answer to the delivery, in the App's settings."""
    system = repository(stage, "suspended")
    payload = labelled(system)
    with suspended(system):
        answer = system.deliver("issues", payload)
    assert (answer.status_code, "suspended" in answer.json()["message"]) == (502, True), answer.text
    assert system.executions_here(payload["issue"]["number"]) == []


def test_an_app_that_is_not_installed_is_told_to_whoever_looks_at_the_delivery(stage: System) -> None:
    system = repository(stage, "foreign")
    payload = labelled(system)
    answer = system.deliver("issues", {**payload, "installation": {"id": 999_999}})
    assert (answer.status_code, "Not Found" in answer.json()["message"]) == (502, True), answer.text
    assert system.executions_here(payload["issue"]["number"]) == []


def test_an_app_that_is_suspended_while_a_session_begins_leaves_plain_words_on_the_row(hurried: System) -> None:
    system = repository(hurried, "suspended-late")
    path = f"/repos/{system.repository}/git/refs"
    with system.faults({"kind": "timeout", "seconds": 2, "method": "POST", "path": path}):
        session = system.start("Change under its feet", "Please.")
        system.wait_for_row(session, bool)
        with suspended(system):
            assert system.wait_for_end(session) == "FAILED"
    row = system.wait_until_over(session)
    assert "The GitHub App isn't installed on this repository, or its installation is suspended" in row["end_reason"]


def labelled(system: System) -> dict[str, Any]:
    """The payload of a delivery that would start a session, were it not for another label that came in its place."""
    issue = system.open_issue("Try", "Please.")
    before = {delivery["id"] for delivery in system.deliveries()}
    path = f"/repos/{system.repository}/issues/{issue}/labels"
    system.github.call("POST", path, {"labels": ["bug"]})
    (delivery,) = wait_for(
        lambda: [d for d in system.deliveries() if d["id"] not in before and d["action"] == "labeled"], bool
    )
    payload = system.delivery(delivery["id"])["request"]["payload"]
    return {**payload, "label": {**payload["label"], "name": "claude-dev"}}


# ------------------------------------------------------------ AWS


@contextmanager
def aws_at_fault(system: System, **fault: Any) -> Iterator[None]:  # noqa: ANN401 - JSON
    """The embedded AWS at fault until the block is left."""
    url = f"{system.installation.aws_endpoint}/_local/faults"
    system.github.call("POST", url, fault)
    try:
        yield
    finally:
        system.github.call("DELETE", url)


@contextmanager
def another_image(system: System, image: str) -> Iterator[None]:
    """The workflow runs another image, and may, until the block is left."""
    ecs, iam = system.client("ecs"), system.client("iam")
    machine = system.executions.client.describe_state_machine(
        stateMachineArn=system.installation.outputs["StateMachineArn"]
    )
    current = ecs.describe_task_definition(taskDefinition=f"{deployment.STACK}-agent")
    kept = ("family", "taskRoleArn", "executionRoleArn", "networkMode", "cpu", "memory", "requiresCompatibilities")
    definition = {name: current["taskDefinition"][name] for name in kept}
    containers = [{**one, "image": image} for one in current["taskDefinition"]["containerDefinitions"]]
    arn = ecs.register_task_definition(**definition, containerDefinitions=containers)["taskDefinition"][
        "taskDefinitionArn"
    ]
    allowed = {"RoleName": machine["roleArn"].rpartition("/")[2], "PolicyName": "another-image"}
    statement = {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": arn}
    iam.put_role_policy(**allowed, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    def run_it(machine: dict[str, Any]) -> None:
        machine["States"]["Run Agent"]["Arguments"]["TaskDefinition"] = arn

    try:
        with system.changed_workflow(run_it):
            yield
    finally:
        iam.delete_role_policy(**allowed)
        ecs.deregister_task_definition(taskDefinition=arn)


def test_an_image_that_cannot_be_pulled_is_named(stage: System) -> None:
    with another_image(stage, "nobody/has-this:1"):
        session = stage.start("Try", "Please.")
        is_told(stage, session, "image couldn't be pulled", "nobody/has-this:1", "may be pulled")


def test_a_session_without_capacity_waits_in_the_queue_and_says_why(hurried: System) -> None:
    with aws_at_fault(hurried, kind="no_capacity", count=ALWAYS):
        session = hurried.start("Try", "Please.")
        wait_for(lambda: "AWS Fargate has no room" in hurried.status_comment(session), bool, 30)
        assert hurried.row(session.id)["status"] == "QUEUED"
        assert hurried.slots() == (set(), [session.id])
    assert "not_before" in hurried.item("SLOTS", "SLOTS")["waiting"]["M"][session.id]["M"]


def test_a_refusal_for_good_is_named_with_what_to_do(hurried: System) -> None:
    with aws_at_fault(hurried, kind="no_capacity", reason="MISSING", count=ALWAYS):
        session = hurried.start("Try", "Please.")
        is_told(hurried, session, "couldn't be started", "image exists", "MISSING")


def test_a_moment_without_capacity_is_waited_for(hurried: System) -> None:
    with aws_at_fault(hurried, kind="no_capacity", count=2):
        session = hurried.start("Try", "Please.")
        hurried.wait_for_row(session, lambda row: "lifecycle_token" in row)


def test_a_task_that_fails_to_start_is_told_in_ecs_own_words(stage: System) -> None:
    with aws_at_fault(stage, kind="fails_to_start"):
        session = stage.start("Try", "Please.")
        is_told(stage, session, "couldn't be started", "network interface provisioning")
