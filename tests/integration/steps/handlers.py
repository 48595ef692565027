"""The steps' handlers, called as their states call them."""

from __future__ import annotations

import importlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from tests.kit.sessions import a_request, serialized

from cloud_agent import worker
from cloud_agent.adapters.table.keys import SESSION, SLOTS_KEY, lock_key, session_key
from cloud_agent.domain.session.session_request import RequestedSession
from cloud_agent.publisher import handler as publisher
from cloud_agent.worker import Worker

if TYPE_CHECKING:
    from tests.integration.steps.github import GitHub

    Json = dict[str, Any]

ACCOUNT = "arn:aws:states:us-east-1:000000000000"
_numbers = itertools.count(1)

PARKED: dict[str, dict[str, object]] = {"QUEUED": {"start_token": "a-token"}, "RUNNING": {"lifecycle_token": "a-token"}}


@dataclass(frozen=True)
class LambdaContext:
    """What Powertools reads of an invocation."""

    function_name: str = "step"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:step"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


class Steps:
    """The handlers, each called as its state calls it, and the rows they work on."""

    def __init__(self, github: GitHub, endpoint_url: str) -> None:
        self._github = github
        make_resource: Any = boto3.resource  # whose stubs want a literal name
        self.table = make_resource("dynamodb", endpoint_url=endpoint_url).Table("sessions")
        self.ecs: Any = boto3.client("ecs", endpoint_url=endpoint_url)

    def claim(self, repo: str, *, title: str = "Show the menu", body: str = "", **changes: Any) -> RequestedSession:  # noqa: ANN401 - any member
        """A new issue's session, whose row is as the state Claim Session leaves it."""
        number = self._github.call("POST", f"/repos/{repo}/issues", title=title, body=body)["number"]
        members = a_request(number, repo, issue_title=title, issue_url=f"{self._github.url}/{repo}/issues/{number}")
        own = {
            "session_id": f"{next(_numbers):08x}",
            "repository_id": self._github.get(f"/repos/{repo}")["id"],
            "installation_id": self._github.credentials["installation_id"],
            "requested_at": "2026-11-22T10:00:00.250Z",
        }
        session = RequestedSession.model_validate(members | own | changes)
        self.put_row(session)
        return session

    def claim_gone(self, repo: str) -> RequestedSession:
        """A session on the pull request of a repository that has been deleted."""
        session = self.claim(repo).model_copy(update={"repo": "acme/gone"})
        self.put_row(session, pull_number=1)
        return session

    def put_row(self, session: RequestedSession, **more: int) -> None:
        row = {
            "status": "STARTING",
            "token_hash": "0" * 64,
            "execution_arn": self.execution(session),
            "created_at": "2026-11-22T10:00:00.000Z",
        }
        self.table.put_item(Item=self._key(session) | row | session.model_dump(mode="json", exclude_none=True) | more)
        lock = lock_key(session.repository_id, session.issue_number)
        self.table.put_item(Item=lock | {"session_id": session.session_id})
        self.table.update_item(
            Key=SLOTS_KEY,
            UpdateExpression="SET live.#session = :repo",
            ExpressionAttributeNames={"#session": session.session_id},
            ExpressionAttributeValues={":repo": session.repo},
        )

    def run(self, step: str, session: RequestedSession, **more: object) -> Json:
        """What the step answers."""
        handler = importlib.import_module(f"cloud_agent.workflow.{step}").handler
        worker.current = Worker()  # each state's function has workers of its own
        event = {"session": session.model_dump(), "execution_arn": self.execution(session), **more}
        answer: Json = handler(event, LambdaContext())
        return answer

    def publish(self, session: RequestedSession, *sort_keys: str, event: str = "MODIFY") -> None:
        """Hand the table's stream of these rows of the session to its function."""
        keys = [serialized(self._key(session) | {"sk": sort_key}) for sort_key in sort_keys or (SESSION,)]
        self.publish_keys(*keys, event=event)

    @staticmethod
    def publish_keys(*keys: Json, event: str = "MODIFY") -> Json:
        """What the function answers to a batch of records with these keys."""
        worker.current = Worker()  # as above
        records = [{"eventName": event, "dynamodb": {"Keys": key}} for key in keys]
        answer: Json = publisher.handler({"Records": records}, LambdaContext())
        return answer

    def change(self, session: RequestedSession, **attributes: object) -> None:
        """Write attributes of the session's row; with a status, the token of the state that parks such a session."""
        attributes = PARKED.get(str(attributes.get("status")), {}) | attributes
        self.table.update_item(
            Key=self._key(session),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
        )

    def run_up_to(self, step: str, session: RequestedSession) -> None:
        """All steps before this one that speak to GitHub."""
        if step in {"open_draft_pull_request", "announce_session", "close_session"}:
            self.run("create_branch", session)
        if step in {"announce_session", "close_session"}:
            self.run("open_draft_pull_request", session)
        if step == "close_session":
            self.run("announce_session", session, **self.more("announce_session", session))

    def more(self, step: str, session: RequestedSession) -> Json:
        """What the step's state passes beside the session."""
        if step == "announce_session":
            return {"pull_number": (self.row(session) or {}).get("pull_number", 1)}
        if step == "close_session":
            return {"status": "COMPLETED", "reason": "The pull request was merged."}
        if step == "report_failure":
            return {"state": "Create Branch", "error": "GitHubRequestError", "cause": "as asked"}
        return {}

    @staticmethod
    def execution(session: RequestedSession) -> str:
        name = re.sub(r"\W", "-", f"{session.repo}-{session.issue_number}-{session.session_id}")
        return f"{ACCOUNT}:execution:session:{name}"

    def row(self, session: RequestedSession) -> Json | None:
        row: Json | None = self.table.get_item(Key=self._key(session), ConsistentRead=True).get("Item")
        return row

    def forget(self, session: RequestedSession, *attributes: str) -> None:
        """Make the row as if the step had crashed before it wrote these."""
        self.table.update_item(Key=self._key(session), UpdateExpression="REMOVE " + ", ".join(attributes))

    def lock(self, session: RequestedSession) -> Json | None:
        key = lock_key(session.repository_id, session.issue_number)
        lock: Json | None = self.table.get_item(Key=key, ConsistentRead=True).get("Item")
        return lock

    def slots(self) -> set[str]:
        item = self.table.get_item(Key=SLOTS_KEY, ConsistentRead=True)["Item"]
        return set(item.get("live", ()))

    @staticmethod
    def _key(session: RequestedSession) -> dict[str, str]:
        return session_key(session.session_id)
