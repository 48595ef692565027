"""Sessions made of rows alone: no execution and no container, so that one function at a time can be asked to work.

The functions, their roles, the table and GitHub are the deployed ones. What a test makes here is taken away after it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer
from tests.e2e.system import Session, wait_for
from tests.kit.stack_template import ROOT

from cloud_agent_local.deployment import STACK

if TYPE_CHECKING:
    from tests.e2e.system import System

    Json = dict[str, Any]

SESSION_ATTRIBUTES = (
    *("repository_id", "repo", "branch", "default_branch"),
    *("issue_number", "issue_key", "issue_title", "issue_url"),
)
SLOTS = {"pk": "SLOTS", "sk": "SLOTS"}
LIVE, WAITING = "live", "waiting"  # where a session stands on that row


@dataclass(frozen=True)
class PullRequest:
    """A pull request with one commit of its own, which a person has opened; and what GitHub says of a comment on it."""

    number: int
    url: str
    branch: str
    base_sha: str
    head_sha: str
    installation_id: int
    comment_event: Json


@dataclass(frozen=True)
class RowSession:
    """A session's row as it was written, and the token that opens it."""

    row: Json
    token: str

    @property
    def id(self) -> str:
        """The session's id."""
        return str(self.row["session_id"])

    @property
    def session(self) -> Session:
        """The session as others are known."""
        return Session(self.id, self.row["execution_arn"], self.row["issue_number"])

    def step(self, **members: object) -> Json:
        """What a state hands to its function."""
        request = {name: self.row[name] for name in SESSION_ATTRIBUTES}
        request |= {"session_id": self.id, "installation_id": self.row["installation_id"], "requested_by": "octo-dev"}
        now = self.row["created_at"]
        request |= {"triggered_by": "a-delivery", "triggered_at": now, "requested_at": now}
        return {"session": request, "execution_arn": self.row["execution_arn"], **members}


def sample_event(name: str) -> Json:
    """One of the repository's sample events."""
    return dict(json.loads((ROOT / f"events/{name}.json").read_text()))


def open_pull_request(stage: System) -> PullRequest:
    """A branch with a commit and a pull request of it; the webhook ignores a comment there, as it has no session."""
    path = f"/repos/{stage.repository}"
    branch = f"claude/rows-{secrets.token_hex(4)}"
    base_sha = stage.github.call("GET", f"{path}/git/ref/heads/main")["object"]["sha"]
    stage.github.call("POST", f"{path}/git/refs", {"ref": f"refs/heads/{branch}", "sha": base_sha})
    stage.push_file(branch, f"{branch.rpartition('/')[2]}.txt", "A colleague's file.\n")
    pull = stage.github.call("POST", f"{path}/pulls", {"title": "Rows", "head": branch, "base": "main", "draft": True})
    comment = stage.comment(pull["number"], "Is anybody there?")

    def delivered() -> list[Json]:
        found = [d for d in stage.deliveries() if (d["event"], d["action"]) == ("issue_comment", "created")]
        payloads = [stage.delivery(d["id"])["request"]["payload"] for d in found[:10]]
        return [payload for payload in payloads if payload["comment"]["id"] == comment["id"]]

    (event,) = wait_for(delivered, bool, 20)
    installation = stage.github.call("GET", f"{path}/installation", as_app=True)
    return PullRequest(
        pull["number"], pull["html_url"], branch, base_sha, pull["head"]["sha"], installation["id"], event
    )


class Rows:
    """The rows of one test."""

    def __init__(self, stage: System, pull: PullRequest) -> None:
        self.stage = stage
        self.pull = pull
        self._table = stage.installation.outputs["SessionsTable"]
        self._dynamodb = stage.client("dynamodb")
        self._written: list[Json] = []
        self._placed: list[str] = []
        self._tasks: list[str] = []
        self._machines: list[str] = []

    def session(self, status: str = "RUNNING", **attributes: Any) -> RowSession:  # noqa: ANN401 - as a row has them
        """A session on the pull request, which is tied to it, with its issue's lock."""
        session_id, issue_number = secrets.token_hex(4), 100_000 + secrets.randbelow(800_000)
        token = f"{session_id}.{uuid.uuid4()}"
        machine = self.stage.installation.outputs["StateMachineArn"]
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = {
            "pk": f"SESSION#{session_id}",
            "sk": "SESSION",
            "session_id": session_id,
            "status": status,
            "repository_id": self.stage.repository_id,
            "repo": self.stage.repository,
            "issue_number": issue_number,
            "issue_key": str(issue_number),
            "issue_title": "Rows",
            "issue_url": self.pull.url,
            "branch": self.pull.branch,
            "default_branch": "main",
            "requested_by": "octo-dev",
            "installation_id": self.pull.installation_id,
            "token_hash": hashlib.sha256(token.encode()).hexdigest(),
            "execution_arn": f"{machine.replace(':stateMachine:', ':execution:')}:rows-{issue_number}-{session_id}",
            "created_at": now,
            "last_active_at": now,
            "base_sha": self.pull.base_sha,
            "pull_number": self.pull.number,
            "pull_url": self.pull.url,
            **attributes,
        }
        row = {name: value for name, value in row.items() if value is not None}
        self.put(row)
        lock = {"pk": f"ISSUE#{self.stage.repository_id}#{row['issue_number']}", "sk": "LOCK"}
        self.put({**lock, "session_id": session_id, "expires_at": 4_000_000_000})
        pull = {"pk": f"PULL#{self.stage.repository_id}#{self.pull.number}", "sk": "SESSION"}
        self.put({**pull, "session_id": session_id})
        return RowSession(row, token)

    def put(self, item: Json) -> None:
        """Write an item, which is deleted after the test."""
        self._written.append({name: item[name] for name in ("pk", "sk")})
        self._dynamodb.put_item(TableName=self._table, Item=_serialized(item))

    def changed(self, session: RowSession, **attributes: Any) -> RowSession:  # noqa: ANN401 - as a row has them
        """The session with other attributes, on its row as well."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_serialized({"pk": f"SESSION#{session.id}", "sk": "SESSION"}),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues=_serialized({f":{name}": value for name, value in attributes.items()}),
        )
        return RowSession(session.row | attributes, session.token)

    def items(self, session: RowSession, kind: str) -> list[Json]:
        """The session's items of this kind, as DynamoDB has them."""
        return list(
            self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :kind)",
                ExpressionAttributeValues=_serialized({":pk": f"SESSION#{session.id}", ":kind": kind}),
                ConsistentRead=True,
            )["Items"]
        )

    def prompt(self, session: RowSession, prompt_id: str = "01JDA0000000000000000000AA") -> str:
        """Something that the session is asked; returns its id."""
        said = {"kind": "comment", "body": "Please.", "author": "octo-dev", "state": "PENDING", "comment_id": 1}
        when = {"url": self.pull.url, "title": "", "created_at": session.row["created_at"]}
        self.put({"pk": f"SESSION#{session.id}", "sk": f"PROMPT#{prompt_id}", **said, **when})
        return prompt_id

    def place(self, session: RowSession, where: str) -> None:
        """Give the session a slot, or a place in the queue."""
        repo = self.stage.repository
        entry: Any = {"repo": repo, "since": session.row["created_at"]} if where == WAITING else repo
        self._placed.append(session.id)
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_serialized(SLOTS),
            UpdateExpression="SET live = if_not_exists(live, :none), waiting = if_not_exists(waiting, :nobody),"
            " version = if_not_exists(version, :zero)",
            ExpressionAttributeValues=_serialized({":none": {}, ":nobody": {}, ":zero": 0}),
        )
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_serialized(SLOTS),
            UpdateExpression=f"SET {where}.#session = :entry",
            ExpressionAttributeNames={"#session": session.id},
            ExpressionAttributeValues=_serialized({":entry": entry}),
        )

    def forget_commit(self) -> None:
        """Nobody has seen the pull request's commit on any branch yet."""
        key = {"pk": f"COMMIT#{self.stage.repository_id}#{self.pull.head_sha}", "sk": "BRANCH"}
        self._dynamodb.delete_item(TableName=self._table, Key=_serialized(key))

    def commit_is_known(self) -> bool:
        """Whether the commit is noted as seen on its branch."""
        return bool(self.stage.item(f"COMMIT#{self.stage.repository_id}#{self.pull.head_sha}", "BRANCH"))

    def status(self, session: RowSession) -> str:
        """What the row says now."""
        return str(self.stage.item(f"SESSION#{session.id}", "SESSION")["status"]["S"])

    def run_agent(self, session: RowSession) -> Json:
        """A running task of the session, which does nothing but live and serve its page."""
        ecs, cluster = self.stage.client("ecs"), self.stage.installation.outputs["ClusterArn"]
        (definition,) = ecs.list_task_definitions(familyPrefix=f"{STACK}-agent", sort="DESC", maxResults=1)[
            "taskDefinitionArns"
        ]
        variables = {
            "SESSION_ID": session.id,
            "SESSION_TOKEN": session.token,
            "TASK_TOKEN": "a-token-of-no-wait",
            "REPOSITORY": self.stage.repository,
            "BRANCH": "mute",
        }
        environment = [{"name": name, "value": value} for name, value in variables.items()]
        (task,) = ecs.run_task(
            cluster=cluster,
            taskDefinition=definition,
            launchType="FARGATE",
            group=f"session:{session.id}",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            overrides={"containerOverrides": [{"name": "agent", "environment": environment}]},
        )["tasks"]
        self._tasks.append(task["taskArn"])
        return dict(
            wait_for(
                lambda: ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"][0],
                lambda seen: seen["lastStatus"] == "RUNNING",
                20,
            )
        )

    def park(self, session: RowSession, attribute: str) -> str:
        """An execution that waits, as the workflow's do, with its token in this attribute of the row; returns its ARN.

        Of a workflow and a role of its own, so that the deployed one's permissions play no part.
        """
        iam, states = self.stage.client("iam"), self.stage.executions.client
        name = f"rows-{session.id}"
        trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        allowed = {"Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": "*"}
        iam.put_role_policy(RoleName=name, PolicyName="park", PolicyDocument=_policy(allowed))
        park = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
            "Arguments": {
                "TableName": self._table,
                "Key": _serialized({"pk": f"SESSION#{session.id}", "sk": "SESSION"}),
                "UpdateExpression": f"SET {attribute} = :token",
                "ExpressionAttributeValues": {":token": {"S": "{% $states.context.Task.Token %}"}},
            },
            "TimeoutSeconds": 60,
            "End": True,
        }
        definition = {"QueryLanguage": "JSONata", "StartAt": "Park", "States": {"Park": park}}
        machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
        self._machines.append(machine["stateMachineArn"])
        arn = str(states.start_execution(stateMachineArn=machine["stateMachineArn"], name=name)["executionArn"])
        wait_for(lambda: self.stage.item(f"SESSION#{session.id}", "SESSION"), lambda row: attribute in row, 20)
        return arn

    def take_away(self) -> None:
        """Delete, stop and free whatever the test has made."""
        ecs, cluster = self.stage.client("ecs"), self.stage.installation.outputs["ClusterArn"]
        for task in self._tasks:
            ecs.stop_task(cluster=cluster, task=task, reason="the test is over")
        for machine in self._machines:
            self.stage.executions.client.delete_state_machine(stateMachineArn=machine)
            name = machine.rpartition(":")[2]
            self.stage.client("iam").delete_role_policy(RoleName=name, PolicyName="park")
            self.stage.client("iam").delete_role(RoleName=name)
        for session_id in self._placed:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_serialized(SLOTS),
                UpdateExpression="REMOVE live.#session, waiting.#session",
                ExpressionAttributeNames={"#session": session_id},
            )
        for key in self._written:
            self._dynamodb.delete_item(TableName=self._table, Key=_serialized(key))


def _serialized(item: Json) -> Json:
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


def _policy(statement: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
