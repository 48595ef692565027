"""A session as tests need one: what is requested, its row in the table, and the row as the functions read it.

A test names only what it is about. Keys come from `cloud_agent.adapters.table.keys`, as the functions' own do.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer

from cloud_agent.adapters.table.keys import session_key
from cloud_agent.domain.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY_ID, REPO, ISSUE = 1, "acme/storefront", 42
# Whose agent sends the samples in events/agent_api, with this token.
SAMPLED_SESSION = "6020583d"
SAMPLED_TOKEN = f"{SAMPLED_SESSION}.3f0c1d6e-8f0b-4d5e-9a77-0c6f1c1f9b52-5b1f7a0e-2f4c-4d3b-8a34-9d0c7f6b1e20"
# What CreateTable needs besides the table's name.
TABLE: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "created_at")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "SessionsByStart",
            "KeySchema": [
                {"AttributeName": "sk", "KeyType": "HASH"},
                {"AttributeName": "created_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


def a_request(issue_number: int = ISSUE, repo: str = REPO, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any member
    """The members of a SessionRequest."""
    return {
        "repository_id": REPOSITORY_ID,
        "repo": repo,
        "issue_number": issue_number,
        "issue_key": str(issue_number),
        "issue_title": "Show the menu",
        "issue_url": f"https://github.com/{repo}/issues/{issue_number}",
        "branch": f"claude/{issue_number}",
        "default_branch": "main",
        "installation_id": 99,
        "requested_by": "octo-dev",
        "triggered_by": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "triggered_at": "2026-11-22T10:00:00.000Z",
    } | changes


def a_row(session_id: str = "09e22a8b", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any attribute
    """The row of a running session, with no more than every row has."""
    return {
        **session_key(session_id),
        "session_id": session_id,
        "status": "RUNNING",
        "repository_id": REPOSITORY_ID,
        "repo": REPO,
        "issue_number": ISSUE,
        "issue_key": str(ISSUE),
        "branch": f"claude/{ISSUE}",
        "token_hash": "",
        "execution_arn": f"arn:aws:states:us-east-1:123456789012:execution:session:{session_id}",
        "created_at": "2026-11-22T07:00:00.000Z",
    } | changes


def a_sampled_row(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any attribute
    """The row of the session that the samples' token opens."""
    return a_row(SAMPLED_SESSION, token_hash=hashlib.sha256(SAMPLED_TOKEN.encode()).hexdigest(), **changes)


def a_session(**changes: Any) -> Session:  # noqa: ANN401 - any attribute of a row
    """The same as the functions read it."""
    return Session.model_validate(a_row(**changes))


def serialized(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item or a key as DynamoDB's own API has it."""
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}
