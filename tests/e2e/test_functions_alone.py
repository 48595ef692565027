"""Each step's function by itself, in the deployed stack and under its own role: it does what its state promises.

Quick, and with nobody else who could make good what it cannot do: these are tests that a permission taken away breaks
(docs/permissions.md).
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.rows import LIVE, WAITING, sample_event
from tests.e2e.system import wait_for
from tests.kit.http_server import Response, serve_http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.rows import Rows
    from tests.e2e.system import System
    from tests.kit.http_server import HttpServer

NO_WAIT = "a-token-of-no-wait"  # Step Functions has never given it out; IAM is asked all the same


def is_woken(stage: System, execution_arn: str) -> None:
    """The execution's wait has been answered."""
    describe = stage.executions.client.describe_execution
    wait_for(lambda: describe(executionArn=execution_arn)["status"], lambda status: status == "SUCCEEDED", 5)


def deployment(stage: System, rows: Rows) -> int:
    """A Deployment of the pull request that says that it is live; returns its id."""
    path = f"/repos/{stage.repository}/deployments"
    asked = {"ref": rows.pull.branch, "environment": "uat/rows", "auto_merge": False, "required_contexts": []}
    made = stage.github.call("POST", path, asked)
    stage.github.call("POST", f"{path}/{made['id']}/statuses", {"state": "success"})
    return int(made["id"])


def deployment_state(stage: System, deployment_id: int) -> str:
    """What the Deployment says now."""
    path = f"/repos/{stage.repository}/deployments/{deployment_id}/statuses"
    return str(stage.github.call("GET", path)[0]["state"])


# ------------------------------------------------------------ The workflow's steps


def test_create_branch_makes_the_branch_and_claims_its_first_commit(stage: System, rows: Rows) -> None:
    session = rows.session("QUEUED", branch=f"claude/alone-{secrets.token_hex(4)}", base_sha=None, pull_number=None)

    made = stage.invoke("CreateBranchFunction", session.step())

    ref = stage.github.call("GET", f"/repos/{stage.repository}/git/ref/heads/{session.row['branch']}")
    row = stage.row(session.id)
    assert (made["base_sha"], ref["object"]["sha"]) == (row["base_sha"], row["initial_sha"])
    assert stage.item(f"COMMIT#{stage.repository_id}#{row['initial_sha']}", "BRANCH")


def test_open_draft_pull_request_ties_it_to_the_session_with_comment_and_deployment(stage: System, rows: Rows) -> None:
    session = rows.session("QUEUED", pull_number=None)
    rows.forget_commit()

    opened = stage.invoke("OpenDraftPullRequestFunction", session.step())

    assert rows.pull.number == opened["pull_number"]
    assert "🚀 Starting" in stage.status_comment(session.session)
    assert rows.commit_is_known()
    assert "deployment_id" in stage.row(session.id)


def test_take_slot_gives_the_free_slot_to_who_waits(stage: System, rows: Rows) -> None:
    session = rows.session("QUEUED")
    rows.place(session, WAITING)

    assert stage.invoke("TakeSlotFunction", session.step()) == {"taken": True, "place": None}
    assert rows.status(session) == "STARTING"


def test_take_slot_wakes_the_execution_that_waits(stage: System, rows: Rows) -> None:
    session = rows.session("QUEUED")
    waiting = rows.park(session, "start_token")
    rows.place(session, WAITING)

    stage.invoke("TakeSlotFunction", session.step())

    is_woken(stage, waiting)


def test_register_ip_takes_the_tasks_address_from_ecs(stage: System, rows: Rows) -> None:
    session = rows.session("STARTING")
    task = rows.run_agent(session)

    registered = stage.invoke("RegisterIpFunction", session.step(port=3000))

    assert task["taskArn"] == registered["task_arn"]
    assert ("RUNNING", registered["ip"]) == (rows.status(session), stage.row(session.id)["ip"])


def test_register_ip_finds_a_task_that_no_event_has_named(stage: System, rows: Rows) -> None:
    session = rows.session("QUEUED")  # whose row has no task
    task = rows.run_agent(session)
    rows.changed(session, status="STARTING")

    registered = stage.invoke("RegisterIpFunction", session.step(port=3000))

    assert task["taskArn"] == registered["task_arn"]


def test_announce_session_shows_the_link_in_comment_and_deployment(stage: System, rows: Rows) -> None:
    session = rows.session()

    announced = stage.invoke("AnnounceSessionFunction", session.step(pull_number=rows.pull.number))

    assert f"//{session.id}." in announced["session_url"]
    assert "/.uat/enter?token=" in stage.status_comment(session.session)
    assert deployment_state(stage, int(stage.row(session.id)["deployment_id"])) == "success"


def test_close_session_ends_the_row_frees_slot_and_lock_and_takes_the_live_address_back(
    stage: System, rows: Rows
) -> None:
    shown = deployment(stage, rows)
    session = rows.session(deployment_id=shown)
    rows.place(session, LIVE)
    rows.forget_commit()

    stage.invoke("CloseSessionFunction", session.step(status="STOPPED", reason="By a test."))

    assert rows.status(session) == "STOPPED"
    assert session.id not in stage.slots()[0]
    assert stage.item(f"ISSUE#{stage.repository_id}#{session.row['issue_number']}", "LOCK") == {}
    assert rows.commit_is_known()
    assert deployment_state(stage, shown) == "inactive"


def test_close_session_wakes_the_execution_that_waits(stage: System, rows: Rows) -> None:
    closing, waits = rows.session(pull_number=None), rows.session("QUEUED")
    waiting = rows.park(waits, "start_token")
    rows.place(closing, LIVE)
    rows.place(waits, WAITING)

    stage.invoke("CloseSessionFunction", closing.step(status="STOPPED", reason="By a test."))

    is_woken(stage, waiting)


def test_report_failure_tells_people_on_the_pull_request(stage: System, rows: Rows) -> None:
    session = rows.session()
    failure = {"state": "Run Agent", "error": "AgentTaskStoppedError", "cause": "Pulled by a test."}

    told = stage.invoke("ReportFailureFunction", session.step(**failure))

    body = next(c["body"] for c in stage.comments(rows.pull.number) if c["id"] == told["comment_id"])
    assert "Pulled by a test." in body


# ------------------------------------------------------------ The others


def test_publish_session_brings_what_changed_onto_the_comment(stage: System, rows: Rows) -> None:
    comment = stage.comment(rows.pull.number, "To be edited")
    rows.forget_commit()
    session = rows.session(
        comment_id=comment["id"], reported_head_sha=rows.pull.head_sha, lifecycle_token="a-token-of-no-wait"
    )
    keys = {"pk": {"S": f"SESSION#{session.id}"}, "sk": {"S": "SESSION"}}

    stage.invoke("PublisherFunction", {"Records": [{"eventName": "MODIFY", "dynamodb": {"Keys": keys}}]})

    assert rows.commit_is_known()
    assert "🟢 Running" in stage.status_comment(session.session)


@pytest.fixture
def chat(stage: System) -> Iterator[HttpServer]:
    """A chat whose webhook is the deployment's."""
    arn, client = stage.installation.outputs["ChatWebhooksSecretArn"], stage.client("secretsmanager")
    with serve_http(Response()) as server:
        client.put_secret_value(SecretId=arn, SecretString=json.dumps({"slack": f"{server.url}/hook"}))
        yield server
        client.put_secret_value(SecretId=arn, SecretString="{}")


@pytest.fixture
def subscriber(stage: System) -> Iterator[Callable[[], list[str]]]:
    """A queue that is subscribed to the deployment's topic: what it has received."""
    queues, topics = stage.client("sqs"), stage.client("sns")
    url = queues.create_queue(QueueName=f"subscriber-{secrets.token_hex(4)}")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = stage.installation.outputs["NotificationsTopicArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    statement = {**allowed, "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscription = topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    yield lambda: [one["Body"] for one in queues.receive_message(QueueUrl=url).get("Messages", [])]
    topics.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    queues.delete_queue(QueueUrl=url)


def test_publish_session_tells_the_topic_and_the_chat_that_a_session_has_ended(
    stage: System, rows: Rows, chat: HttpServer, subscriber: Callable[[], list[str]]
) -> None:
    session = rows.session("STOPPED", end_reason="By a test.", pull_number=None)
    keys = {"pk": {"S": f"SESSION#{session.id}"}, "sk": {"S": "SESSION"}}
    sent = wait_for(lambda: stage.item(keys["pk"]["S"], "PUBLISHED").get("notified"), bool, 20)  # by the table's stream

    stage.invoke("PublisherFunction", {"Records": [{"eventName": "MODIFY", "dynamodb": {"Keys": keys}}]})

    (message,) = chat.requests
    assert sent == {"SS": ["ended"]}
    assert "The session has ended" in message.json()["text"]
    assert any(session.id in received for received in subscriber())


def test_publish_session_records_statuses_behind_what_an_earlier_try_left(stage: System, rows: Rows) -> None:
    session, bucket = rows.session("QUEUED", pull_number=None), stage.client("s3")
    name, prefix = stage.physical_id("ArtifactsBucket"), f"transcripts/{session.id}/workflow"

    def recorded(batches: int) -> None:
        key = f"SESSION#{session.id}", "TRANSCRIPT"
        wait_for(lambda: stage.item(*key).get("workflow_batches"), lambda found: found == {"N": str(batches)}, 20)

    recorded(1)  # by the table's stream
    left = {"v": 1, "seq": 2, "at": "2026-11-22T08:00:00.000Z", "kind": "status", "prompt_id": None}
    left |= {"status": "STARTING", "reason": ""}
    bucket.put_object(Bucket=name, Key=f"{prefix}/0000000002.jsonl", Body=json.dumps(left).encode() + b"\n")
    rows.changed(session, status="STOPPED", end_reason="By a test.")
    recorded(3)

    keys = [f"{prefix}/000000000{batch}.jsonl" for batch in (1, 2, 3)]
    kept = [json.loads(bucket.get_object(Bucket=name, Key=key)["Body"].read()) for key in keys]
    assert [(one["seq"], one["status"]) for one in kept] == [(1, "QUEUED"), (2, "STARTING"), (3, "STOPPED")]


def test_task_stopped_notes_it_and_fails_the_waits(stage: System, rows: Rows) -> None:
    session = rows.session(lifecycle_token=NO_WAIT)
    event = sample_event("task_events/container_exited")
    event["detail"]["group"] = f"session:{session.id}"
    event["detail"]["overrides"]["containerOverrides"][0]["environment"] = [{"name": "TASK_TOKEN", "value": NO_WAIT}]

    assert stage.invoke("TaskEventsFunction", event) == {"failed_waits": 0}
    assert "OutOfMemory" in stage.row(session.id)["task_stopped_reason"]


def test_a_reconciliation_closes_what_an_aborted_execution_left_and_repeats_an_end(stage: System, rows: Rows) -> None:
    ago = (datetime.now(UTC) - timedelta(minutes=5)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    ending = {"status": "STOPPED", "reason": "By a test."}
    asked = rows.session(lifecycle_token=NO_WAIT, start_token=NO_WAIT, ending=ending)
    abandoned, left_alone = rows.session("STARTING", created_at=ago), rows.session()
    for session in (abandoned, left_alone):
        rows.run_agent(session)
    rows.forget_commit()
    for session in (abandoned, asked):
        rows.place(session, LIVE)

    done: dict[str, Any] = stage.reconcile()

    assert "RepairFailed" not in done
    assert (rows.status(abandoned), rows.status(asked)) == ("FAILED", "RUNNING")
    assert abandoned.id not in stage.slots()[0]
    assert stage.item(f"ISSUE#{stage.repository_id}#{abandoned.row['issue_number']}", "LOCK") == {}
    assert rows.commit_is_known()
    assert [len(stage.running_tasks(one.session)) for one in (abandoned, left_alone)] == [0, 1]
