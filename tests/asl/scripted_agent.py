"""The program of the agent's container: the repository's name says how it behaves.

It answers the waits itself, without the Agent API between; each call is one HTTP request, so that it starts fast.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

BEHAVIOUR = os.environ["REPOSITORY"].partition("/")[2]
TASK_TOKEN = os.environ["TASK_TOKEN"]
_HEARTBEAT_SECONDS = 0.2


def call(target: str, body: dict[str, Any]) -> dict[str, Any]:
    """Call AWS; an answer that comes too late for its wait is no error."""
    service = "dynamodb" if target.startswith("Dynamo") else "states"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": target,
    }
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(body).encode(), headers)  # noqa: S310 - the platform's own endpoint
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            document: dict[str, Any] = json.load(answer)
            return document
    except urllib.error.HTTPError as error:
        if error.code == 400:
            return {}
        raise


def row() -> dict[str, Any]:
    """The session's row, in DynamoDB's own form."""
    key = {"pk": {"S": f"SESSION#{os.environ['SESSION_ID']}"}, "sk": {"S": "SESSION"}}
    document = {"TableName": os.environ["SESSIONS_TABLE"], "Key": key, "ConsistentRead": True}
    item: dict[str, Any] = call("DynamoDB_20120810.GetItem", document)["Item"]
    return item


def beat_until(reached: Callable[[dict[str, Any]], bool]) -> None:
    """Send heartbeats until the row is as wanted."""
    while not reached(now := row()):
        token = now.get("lifecycle_token", {}).get("S", TASK_TOKEN)
        call("AWSStepFunctions.SendTaskHeartbeat", {"taskToken": token})
        time.sleep(_HEARTBEAT_SECONDS)


def be_ready() -> None:
    """Say that the dev server answers."""
    call("AWSStepFunctions.SendTaskSuccess", {"taskToken": TASK_TOKEN, "output": '{"port": 3000}'})


def fail() -> None:
    """Say that the session cannot be started."""
    call(
        "AWSStepFunctions.SendTaskFailure",
        {"taskToken": TASK_TOKEN, "error": "RepositoryConfigError", "cause": "npm ERR! code ERESOLVE"},
    )


def is_running(now: dict[str, Any]) -> bool:
    return bool(now["status"]["S"] == "RUNNING")


def is_supervised(now: dict[str, Any]) -> bool:
    return "lifecycle_token" in now


def never(_: dict[str, Any]) -> bool:
    return False


def main() -> None:
    """Behave as told; what does not end by itself is ended by StopTask."""
    if BEHAVIOUR == "exits-before-ready":
        sys.exit(3)
    if BEHAVIOUR == "is-silent":
        time.sleep(600)
    if BEHAVIOUR == "is-never-ready":
        beat_until(never)
    if BEHAVIOUR == "fails-before-ready":
        fail()
        time.sleep(600)
    be_ready()
    if BEHAVIOUR == "exits-once-ready":
        sys.exit(3)
    if BEHAVIOUR == "exits-once-registered":
        beat_until(is_running)
        sys.exit(3)
    if BEHAVIOUR == "exits-once-supervised":
        beat_until(is_supervised)
        sys.exit(3)
    if BEHAVIOUR == "falls-silent":
        beat_until(is_supervised)
        time.sleep(600)
    beat_until(never)


main()
