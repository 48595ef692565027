"""A push to the branch of a live session: its agent is told, and brings the preview up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.sessions import REPOSITORY_ID

from cloud_agent.adapters.table.keys import branch_key, session_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table

    PutSession = Callable[..., None]
    Deliver = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]

SESSION = "6020583d"
BRANCH = "claude/42"
SHA = "f8cc4961bcfee683e35427d2ebcb5b725440fc9b"
PUSH: dict[str, Any] = {
    "ref": f"refs/heads/{BRANCH}",
    "after": SHA,
    "deleted": False,
    "repository": {"id": REPOSITORY_ID, "full_name": "acme/storefront", "default_branch": "main"},
}


@pytest.fixture
def own_branch(table: Table) -> None:
    table.put_item(Item=branch_key(REPOSITORY_ID, BRANCH) | {"issue_number": 42})


@pytest.mark.usefixtures("own_branch")
def test_a_push_to_a_live_sessions_branch_is_noted_for_its_agent(
    deliver_event: Deliver, put_session: PutSession, table: Table
) -> None:
    put_session(SESSION, branch=BRANCH)
    assert deliver_event("push", PUSH) == (202, {"session_id": SESSION, "branch_sha": SHA})
    assert table.get_item(Key=session_key(SESSION))["Item"]["branch_sha"] == SHA


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ref": "refs/heads/main"}, "no live session works on main"),
        ({"ref": "refs/tags/claude/42"}, "a session follows its branch, and this is no branch"),
        ({"deleted": True, "after": "0" * 40}, "the branch was deleted; a session goes on with what it has"),
        ({"repository": PUSH["repository"] | {"id": 2}}, f"no live session works on {BRANCH}"),
    ],
)
@pytest.mark.usefixtures("own_branch")
def test_any_other_push_is_ignored_with_a_reason(
    deliver_event: Deliver, put_session: PutSession, table: Table, changes: dict[str, Any], reason: str
) -> None:
    put_session(SESSION, branch=BRANCH)
    assert deliver_event("push", PUSH | changes) == (200, {"ignored": reason})
    assert "branch_sha" not in table.get_item(Key=session_key(SESSION))["Item"]


@pytest.mark.parametrize("attributes", [{"status": "COMPLETED"}, {"branch": "claude/42-1"}])
@pytest.mark.usefixtures("own_branch")
def test_a_branch_that_no_live_session_works_on_any_more_is_nobodys(
    deliver_event: Deliver, put_session: PutSession, attributes: dict[str, str]
) -> None:
    put_session(SESSION, **{"branch": BRANCH} | attributes)
    assert deliver_event("push", PUSH) == (200, {"ignored": f"no live session works on {BRANCH}"})
