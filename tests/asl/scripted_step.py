"""The Lambda function behind each state: it fails or waits as the test has asked, and then does its work.

Take Slot, Register IP and Close Session do their real work; the states that speak to GitHub answer as if they had.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from typing import Any

import boto3

STEP = os.environ["STEP"]
ANSWERS: dict[str, dict[str, Any]] = {
    "create_branch": {"base_sha": "1" * 40},
    "open_draft_pull_request": {
        "pull_number": 7,
        "pull_url": "https://github.example.com/acme/app/pull/7",
        "base_branch": "release",
    },
    "announce_session": {"session_url": "https://00000000.uat.example.com", "comment_id": 1},
    "report_failure": {"reason": "It failed, in plain words."},
}
_DEADLINE_SECONDS = 20

tables = boto3.resource("dynamodb")
scripts, sessions = tables.Table(os.environ["SCRIPTS_TABLE"]), tables.Table(os.environ["SESSIONS_TABLE"])


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Do as the script of this session and step says."""
    session_id = event["session"]["session_id"]
    script: dict[str, Any] = scripts.update_item(
        Key={"pk": session_id, "sk": STEP},
        UpdateExpression="ADD calls :one SET event = :event",
        ExpressionAttributeValues={":one": 1, ":event": json.dumps(event)},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    if attribute := script.get("wait_for"):
        _wait_for(session_id, str(attribute))
    if STEP == "create_branch" and _row(session_id)["execution_arn"] != event["execution_arn"]:
        raise type("SessionNotFoundError", (Exception,), {})("the row is another execution's")
    errors, call = script.get("errors", []), int(script["calls"])
    if call <= len(errors):
        raise type(errors[call - 1], (Exception,), {})(f"{STEP} fails as asked")
    if STEP == "create_branch":
        ANSWERS[STEP]["branch"] = script.get("branch", event["session"]["branch"])
    answer = ANSWERS.get(STEP) or importlib.import_module(f"cloud_agent.workflow.{STEP}").handler(event, context)
    scripts.update_item(
        Key={"pk": session_id, "sk": STEP},
        UpdateExpression="SET answer = :answer",
        ExpressionAttributeValues={":answer": json.dumps(answer)},
    )
    return dict(answer)


def _row(session_id: str) -> dict[str, Any]:
    key = {"pk": f"SESSION#{session_id}", "sk": "SESSION"}
    return dict(sessions.get_item(Key=key, ConsistentRead=True)["Item"])


def _wait_for(session_id: str, attribute: str) -> None:
    """Return once the session's row has the attribute."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while attribute not in _row(session_id):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the row never got {attribute}")
        time.sleep(0.05)
