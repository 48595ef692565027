"""What a start costs: requests of GitHub, whose limits all sessions share, and transitions, which AWS counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import Session, System

GITHUB_REQUESTS = 11  # and the token that the real agent clones with
TRANSITIONS = 14
# Not a session's: the reconciler looks for lost deliveries each minute. Git's own traffic counts against no limit.
_LIVE = "/repos/{owner}/{repo}/deployments/{deployment_id:int}/statuses"
_NOT_OURS = ("/hook/", ".git/")


def test_from_label_to_url_it_takes_twelve_requests_and_fourteen_transitions(stage: System) -> None:
    known = _requests(stage)
    session = stage.start("What a start costs", "agent: silent")
    wait_for(lambda: stage.row(session.id), lambda row: "lifecycle_token" in row)

    routes = [one["route"] for one in _requests(stage)[len(known) :]]
    requests = Counter(routes[: routes.index(_LIVE) + 1])  # what Claude's first turn leads to comes on top
    assert requests.total() <= GITHUB_REQUESTS, requests
    assert requests["/app/installations/{installation_id:int}/access_tokens"] <= 2  # the system's and the agent's
    states = _entered(stage, session)
    assert len(states[: states.index("Announce Session") + 1]) <= TRANSITIONS, states


def _requests(stage: System) -> list[dict[str, str]]:
    log = stage.github.call("GET", "/admin/requests?since=0")["requests"]
    ours = [one for one in log if one["actor"] and one["actor"]["type"] in {"App", "Installation"}]
    return [one for one in ours if not any(part in one["path"] for part in _NOT_OURS)]


def _entered(stage: System, session: Session) -> list[str]:
    pages = stage.executions.client.get_paginator("get_execution_history").paginate(
        executionArn=session.execution_arn, includeExecutionData=False
    )
    events = [event for page in pages for event in page["events"]]
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
