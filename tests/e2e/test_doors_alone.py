"""The system's doors by themselves, in the deployed stack: GitHub's deliveries, the agents' API, the visitors' proxy.

Against sessions made of rows, as in test_functions_alone.py and for the same reason.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
from tests.e2e.system import wait_for

from cloud_agent.domain.session.entry_link import entry_link
from cloud_agent.domain.session.session import Session, session_url
from cloud_agent_local.deployment import STACK

if TYPE_CHECKING:
    from tests.e2e.rows import Rows, RowSession
    from tests.e2e.system import System

NO_WAIT = "a-token-of-no-wait"  # Step Functions has never given it out; IAM is asked all the same


# ------------------------------------------------------------ GitHub's deliveries


def says(stage: System, rows: Rows, body: str, comment_id: int | None = None) -> httpx.Response:
    """What the webhook answers to somebody's comment on the pull request."""
    event = json.loads(json.dumps(rows.pull.comment_event))
    event["comment"] |= {"id": comment_id or 1_000_000 + secrets.randbelow(1_000_000_000), "body": body}
    return stage.deliver("issue_comment", event)


def test_a_comment_is_a_prompt_once_however_often_it_is_delivered(stage: System, rows: Rows) -> None:
    session, comment_id = rows.session(), 1_000_000 + secrets.randbelow(1_000_000_000)

    answers = [says(stage, rows, "A prompt", comment_id) for _ in range(2)]

    taken = (202, {"session_id": session.id, "accepted": "prompt"})
    assert [taken, taken] == [(answer.status_code, answer.json()) for answer in answers]
    assert [item["body"]["S"] for item in rows.items(session, "PROMPT#")].count("A prompt") == 1


def test_a_comment_that_github_could_not_be_asked_about_is_forgotten(stage: System, rows: Rows) -> None:
    rows.session()
    path = f"/repos/{stage.repository}/collaborators/.*"
    with stage.faults({"kind": "status", "status": 502, "path": path, "actor": "app", "count": 10}):
        assert says(stage, rows, "A prompt").status_code == 503


def test_a_question_is_answered_from_the_sessions_rows(stage: System, rows: Rows) -> None:
    session = rows.session()

    answer = says(stage, rows, "/status")

    assert (202, {"session_id": session.id, "accepted": "/status"}) == (answer.status_code, answer.json())


def test_an_end_is_told_to_whichever_wait_the_execution_is_in(stage: System, rows: Rows) -> None:
    session = rows.session(lifecycle_token=NO_WAIT, start_token=NO_WAIT)

    answer = says(stage, rows, "/stop")

    assert (202, {"session_id": session.id, "accepted": "/stop"}) == (answer.status_code, answer.json())
    assert "ending" in stage.item(f"SESSION#{session.id}", "SESSION")


def test_a_restart_starts_an_execution(stage: System, rows: Rows) -> None:
    issue = stage.open_issue("Again", "Please.")
    rows.session("STOPPED", issue_number=issue)

    def do_nothing(definition: dict[str, Any]) -> None:
        definition.clear()
        definition |= {"StartAt": "Nothing", "States": {"Nothing": {"Type": "Succeed"}}}

    with stage.changed_workflow(do_nothing):
        assert says(stage, rows, "/restart").status_code == 202
        # It reads its definition as it begins: until then the changed one has to stay.
        wait_for(
            lambda: [execution["status"] for execution in stage.executions_here(issue)],
            lambda statuses: statuses == ["SUCCEEDED"],
        )


# ------------------------------------------------------------ The agents' API


def agent(stage: System, session: RowSession, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the session's container is answered; a GET where there is nothing to say."""
    answer = httpx.request(
        "GET" if body is None else "POST",
        f"{stage.installation.outputs['HttpApiUrl']}/agent/{path}",
        json=body,
        headers={"Authorization": f"Bearer {session.token}"},
        timeout=30,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_agent_is_told_what_it_is_asked(stage: System, rows: Rows) -> None:
    session = rows.session()
    prompt_id = rows.prompt(session)

    assert [prompt_id] == [prompt["id"] for prompt in agent(stage, session, "prompts")["prompts"]]


def test_the_agents_turn_is_noted_and_its_answer_kept(stage: System, rows: Rows) -> None:
    session = rows.session(pull_number=None)
    prompt_id = rows.prompt(session)

    agent(stage, session, "progress", {"event": "turn_started", "prompt_id": prompt_id})
    finished = {"is_error": False, "result": "Done.", "turns": 1, "cost_usd": 0.01, "head_sha": None}
    agent(stage, session, "progress", {"event": "turn_finished", "prompt_id": prompt_id, **finished})

    assert [item["state"]["S"] for item in rows.items(session, "PROMPT#")] == ["ANSWERED"]
    assert [item["result"]["S"] for item in rows.items(session, "TURN_RESULT#")] == ["Done."]


def test_the_agent_is_given_a_git_token(stage: System, rows: Rows) -> None:
    assert agent(stage, rows.session(), "git-token", {})["token"]


def test_a_repositorys_dependencies_are_kept_for_its_next_session(stage: System, rows: Rows) -> None:
    content = secrets.token_bytes(1_000)
    digest = hashlib.sha256(content)
    key, sha = hashlib.sha256(content + b"key").hexdigest(), secrets.token_hex(20)
    archive = {"key": key, "size_bytes": len(content), "sha256": digest.hexdigest(), "head_sha": sha}

    first = rows.session(initial_sha=sha)
    given = agent(stage, first, "save-dependencies", archive | {"before_claude": True})
    assert httpx.put(given["url"], content=content, headers=given["headers"], trust_env=False).status_code == 200

    urls = agent(stage, rows.session(), "restore-dependencies", {"key": key})["urls"]
    assert content == httpx.get(urls[0], trust_env=False).content
    assert httpx.get(urls[1], trust_env=False).status_code in {403, 404}  # nothing is the branch's own


def test_commits_that_are_not_on_github_are_kept_for_the_next_session_of_the_branch(stage: System, rows: Rows) -> None:
    content = secrets.token_bytes(1_000)
    bundle = {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    first = rows.session()
    given = agent(stage, first, "save-unpublished", bundle)
    assert httpx.put(given["url"], content=content, headers=given["headers"], trust_env=False).status_code == 200

    second = rows.session()
    url = agent(stage, second, "restore-unpublished", {})["url"]
    assert content == httpx.get(url, trust_env=False).content

    assert agent(stage, second, "report-unpublished", {"commits": 0, "state": "published"}) == {}
    assert agent(stage, second, "restore-unpublished", {}) == {"url": None}


def test_the_agents_events_are_kept_behind_what_an_earlier_agent_left(stage: System, rows: Rows) -> None:
    session, bucket = rows.session(), stage.client("s3")
    name = stage.physical_id("ArtifactsBucket")
    event = {"kind": "notice", "at": "2026-11-22T08:00:00.000Z", "prompt_id": None, "text": "Hello."}
    left = json.dumps({"v": 1, "seq": 1, **event, "text": "Left behind."}).encode() + b"\n"
    first, second = (f"transcripts/{session.id}/agent/000000000{batch}.jsonl" for batch in (1, 2))
    bucket.put_object(Bucket=name, Key=first, Body=left)

    states = [agent(stage, session, "transcript", {"batch": batch, "events": [event]}) for batch in (1, 2)]

    assert [(state["accepted"], state["next_batch"]) for state in states] == [(False, 2), (True, 3)]
    kept = [bucket.get_object(Bucket=name, Key=key)["Body"].read() for key in (first, second)]
    assert [json.loads(content)["text"] for content in kept] == ["Left behind.", "Hello."]


def test_the_agent_is_given_its_repositorys_environment(stage: System, rows: Rows) -> None:
    secret = f"{STACK}/env/{stage.repository}/DATABASE_URL"
    manager = stage.client("secretsmanager")
    manager.create_secret(Name=secret, SecretString="sqlite://")
    try:
        given = agent(stage, rows.session(), "environment", {"names": ["DATABASE_URL"]})
    finally:
        manager.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)

    assert given == {"values": {"DATABASE_URL": "sqlite://"}}


def test_the_agents_heartbeat_is_passed_on_to_its_wait(stage: System, rows: Rows) -> None:
    session = rows.session()
    alive: dict[str, Any] = {
        "app": None,
        "session_url": f"http://{session.id}.{stage.installation.uat_domain}:{stage.installation.ports.proxy}",
        "status": "RUNNING",
        "prompts": [],
        "interrupt": None,
        "branch_sha": None,
        "base_branch": "main",
        "model": None,
        "effort": None,
        "is_watched": False,
    }
    assert agent(stage, session, "heartbeat", {"task_token": NO_WAIT}) == alive


def test_an_agent_that_is_done_ends_its_wait_well(stage: System, rows: Rows) -> None:
    session = rows.session(lifecycle_token=NO_WAIT)
    done = {"task_token": NO_WAIT, "outcome": "completed", "error": "", "message": "Done."}
    assert agent(stage, session, "done", done) == {}


def test_an_agent_that_gives_up_fails_its_wait(stage: System, rows: Rows) -> None:
    session = rows.session(lifecycle_token=NO_WAIT)
    failed = {"task_token": NO_WAIT, "outcome": "failed", "error": "AgentError", "message": "No."}
    assert agent(stage, session, "done", failed) == {}


# ------------------------------------------------------------ The visitors' proxy


def serving(rows: Rows) -> RowSession:
    """A running session with a dev server."""
    starting = rows.session("STARTING")
    task = rows.run_agent(starting)
    details = {d["name"]: d["value"] for attachment in task["attachments"] for d in attachment["details"]}
    running = {"status": "RUNNING", "ip": details["privateIPv4Address"], "port": 3000, "task_arn": task["taskArn"]}
    return rows.changed(starting, **running)


def link(stage: System, session: RowSession) -> str:
    """What the session's comment would link."""
    secret = stage.client("secretsmanager").get_secret_value(
        SecretId=stage.installation.outputs["UatAccessKeysSecretArn"]
    )["SecretString"]
    url = session_url(stage.installation.uat_url, session.id)
    return entry_link(url, Session.model_validate(session.row), json.loads(secret)["signing_key"])


def test_the_proxy_shows_a_session_until_its_row_says_that_it_is_over(stage: System, rows: Rows) -> None:
    session = serving(rows)
    visitor = stage.stranger(session.session)
    visitor.enter(link(stage, session))

    assert wait_for(visitor.fetch, lambda page: page.status == 200, 15).text == "hello"
    rows.changed(session, status="STOPPED", end_reason="By a test.")
    wait_for(visitor.fetch, lambda page: page.status == 410, 10)


def test_the_proxy_shows_what_claude_did_in_a_session(stage: System, rows: Rows) -> None:
    session = rows.session("STARTING")
    resource = {"StackName": STACK, "LogicalResourceId": "ArtifactsBucket"}
    bucket = stage.client("cloudformation").describe_stack_resource(**resource)["StackResourceDetail"]
    said = {"v": 1, "seq": 1, "at": "2026-11-22T08:00:00.000Z", "kind": "message", "text": "I **begin**."}
    stage.client("s3").put_object(
        Bucket=bucket["PhysicalResourceId"],
        Key=f"transcripts/{session.id}/agent/0000000001.jsonl",
        Body=json.dumps(said).encode() + b"\n",
    )
    rows.put({"pk": f"SESSION#{session.id}", "sk": "TRANSCRIPT", "agent_batches": 1})
    visitor = stage.stranger(session.session)
    visitor.enter(link(stage, session))

    wait_for(lambda: visitor.fetch("/.uat/"), lambda page: "I <strong>begin</strong>." in page.text, 15)


def test_the_proxy_notes_on_the_row_that_somebody_watches(stage: System, rows: Rows) -> None:
    session = rows.session()
    visitor = stage.stranger(session.session)
    visitor.enter(link(stage, session))

    def watch() -> dict[str, Any]:
        with suppress(httpx.ReadTimeout):  # the stream goes on
            visitor.fetch("/.uat/events?after=0", seconds=3)
        return stage.row(session.id)

    wait_for(watch, lambda row: "last_watched_at" in row, 30)


def test_the_proxy_lists_the_sessions_of_this_machine(stage: System, rows: Rows) -> None:
    session = rows.session()
    host, port = f"sign-in.{stage.installation.uat_domain}", stage.installation.ports.proxy

    def listed() -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": f"{host}:{port}"}, trust_env=False)

    page = wait_for(listed, lambda page: session.id in page.text, 15)
    assert stage.repository in page.text


def test_the_proxy_notes_a_visit_on_the_row(stage: System, rows: Rows) -> None:
    session = serving(rows)
    visitor = stage.stranger(session.session)
    visitor.enter(link(stage, session))

    wait_for(visitor.fetch, lambda page: page.status == 200, 15)

    stage.wait_for_row(session.session, lambda row: "last_visited_at" in row, 15)
