"""What the end-to-end tests do with a running system: what a person would do, and look at what a person would see."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import tempfile
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from cloud_agent_local import deployment, sample
from cloud_agent_local.executions import Executions
from cloud_agent_local.github_client import GitHubClient
from cloud_agent_local.session_on_github import live_link
from cloud_agent_local.sessions import sessions
from cloud_agent_local.up import webhook_url
from cloud_agent_local.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from cloud_agent_local.installation import Installation

T = TypeVar("T")
ENDED = {"COMPLETED", "STOPPED", "FAILED"}


@dataclass(frozen=True)
class Session:
    """A session as its execution names it."""

    id: str
    execution_arn: str
    issue_number: int


class System:
    """A whole installation and its sample repository."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.github = GitHubClient(installation)
        self.executions = Executions(installation)
        self.repository = installation.repository
        self._people: dict[str, GitHubClient] = {}
        self._clients: dict[str, Any] = {}

    @cached_property
    def repository_id(self) -> int:
        """The repository's number, by which rows are keyed."""
        return int(self.github.call("GET", f"/repos/{self.repository}")["id"])

    def at(self, repository: str) -> System:
        """The same installation, for what happens in another repository."""
        there = System(self.installation.model_copy(update={"repository": repository}))
        there._clients = self._clients
        return there

    def open_issue(self, title: str, body: str) -> int:
        """A new issue's number."""
        return int(
            self.github.call("POST", f"/repos/{self.repository}/issues", {"title": title, "body": body})["number"]
        )

    def label(self, issue_number: int, label: str = sample.LABEL) -> None:
        """Add the label that starts a session, or another."""
        path = f"/repos/{self.repository}/issues/{issue_number}/labels"
        self.github.call("POST", path, {"labels": [label]})

    def unlabel(self, issue_number: int, label: str = sample.LABEL) -> None:
        """Take it away again."""
        self.github.call("DELETE", f"/repos/{self.repository}/issues/{issue_number}/labels/{label}")

    def start(self, title: str, body: str, label: str = sample.LABEL) -> Session:
        """Open an issue and label it."""
        issue = self.open_issue(title, body)
        self.label(issue, label)
        return self.session_of(issue)

    def person(self, login: str) -> GitHubClient:
        """Somebody with an account and no access to the repository."""
        if login not in self._people:
            self.github.call("POST", "/admin/users", {"login": login})
            token = self.github.call("POST", f"/admin/users/{login}/authorizations", {"note": "tests"})["token"]
            self._people[login] = GitHubClient(self.installation, token)
        return self._people[login]

    def comment(self, pull_number: str | int, body: str, by: GitHubClient | None = None) -> dict[str, Any]:
        """Comment on a pull request."""
        path = f"/repos/{self.repository}/issues/{pull_number}/comments"
        return dict((by or self.github).call("POST", path, {"body": body}))

    def status_comment(self, session: Session) -> str:
        """The body of the session's one status comment, empty while there is none."""
        pull_number = self.row(session.id).get("pull_number")
        marker = f"<!-- claude-cloud-agent:session:{session.id} -->"
        bodies = [c["body"] for c in self.comments(int(pull_number or 0)) if marker in c["body"]] if pull_number else []
        assert len(bodies) < 2, bodies
        return bodies[0] if bodies else ""

    def wait_for_status(self, session: Session, words: str, seconds: float = 60) -> str:
        """The status comment once it says these words."""
        return wait_for(lambda: self.status_comment(session), lambda body: words in body, seconds)

    def wait_for_comment(self, number: str | int, words: str, seconds: float = 60) -> str:
        """The one comment that holds these words."""
        (body,) = wait_for(lambda: [c["body"] for c in self.comments(int(number)) if words in c["body"]], bool, seconds)
        return str(body)

    def reconcile(self) -> dict[str, Any]:
        """Have the reconciler run now, without waiting for its schedule."""
        return self.invoke("ReconcilerFunction")

    def invoke(self, logical_id: str, event: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """What one of the template's functions answers to an event."""
        function = self.physical_id(logical_id)
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(dict(event)))
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return dict(payload)

    def physical_id(self, logical_id: str) -> str:
        """What one of the template's resources is called in this stack."""
        described = self.client("cloudformation").describe_stack_resource(
            StackName=deployment.STACK, LogicalResourceId=logical_id
        )
        return str(described["StackResourceDetail"]["PhysicalResourceId"])

    @contextmanager
    def faults(self, *faults: dict[str, Any]) -> Iterator[None]:
        """GitHub at fault, until the block is left."""
        for fault in faults:
            self.github.call("POST", "/admin/faults", fault)
        try:
            yield
        finally:
            self.github.call("DELETE", "/admin/faults")

    @contextmanager
    def changed_workflow(self, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """A changed definition for the executions that begin before the block is left; `change` edits it in place."""
        client, arn = self.executions.client, self.installation.outputs["StateMachineArn"]
        definition = client.describe_state_machine(stateMachineArn=arn)["definition"]
        changed = json.loads(definition)
        change(changed)
        client.update_state_machine(stateMachineArn=arn, definition=json.dumps(changed))
        try:
            yield
        finally:
            client.update_state_machine(stateMachineArn=arn, definition=definition)

    @contextmanager
    def updated_stack(self, template: str | None = None, **parameters: str) -> Iterator[None]:
        """Another template, or the deployed one, with changed parameters until the block is left; the proxy goes along.

        Then the former template is deployed again, with the parameters that it had.
        """
        cloudformation = self.client("cloudformation")
        (stack,) = cloudformation.describe_stacks(StackName=deployment.STACK)["Stacks"]
        before = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}

        def update(template: Mapping[str, Any], values: dict[str, str]) -> None:
            cloudformation.update_stack(
                StackName=deployment.STACK,
                **template,
                Parameters=[{"ParameterKey": name, "ParameterValue": one} for name, one in (before | values).items()],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            )
            every = {"Delay": 0.2, "MaxAttempts": 300}
            cloudformation.get_waiter("stack_update_complete").wait(StackName=deployment.STACK, WaiterConfig=every)
            outputs = self.installation.outputs
            self.client("ecs").get_waiter("services_stable").wait(
                cluster=outputs["ClusterArn"], services=[outputs["ProxyServiceArn"]], WaiterConfig=every
            )

        same: Mapping[str, Any] = MappingProxyType({"UsePreviousTemplate": True})
        former = {"TemplateURL": self.upload("former.template", json.dumps(self.template()))} if template else same
        update({"TemplateURL": self.upload("changed.template", template)} if template else same, parameters)
        try:
            yield
        finally:
            update(former, {})

    def template(self) -> dict[str, Any]:
        """The deployed template, as SAM packaged it."""
        stack = {"StackName": deployment.STACK, "TemplateStage": "Original"}
        return dict(self.client("cloudformation").get_template(**stack)["TemplateBody"])

    def download(self, key: str) -> bytes:
        """An object that SAM has packaged."""
        return bytes(self.client("s3").get_object(Bucket=self._packages(), Key=key)["Body"].read())

    def upload(self, key: str, content: str | bytes) -> str:
        """Put an object beside what SAM has packaged; returns its URL."""
        self.client("s3").put_object(Bucket=self._packages(), Key=key, Body=content)
        return f"https://s3.us-east-1.amazonaws.com/{self._packages()}/{key}"

    def _packages(self) -> str:
        (bucket,) = [one["Name"] for one in self.client("s3").list_buckets()["Buckets"] if "samcli" in one["Name"]]
        return str(bucket)

    def without_pauses(self, retries: int = 100) -> AbstractContextManager[None]:
        """The workflow with next to no time between its retries, and at most so many of each kind."""

        def hurry(definition: dict[str, Any]) -> None:
            for state in definition["States"].values():
                for retry in state.get("Retry", []):
                    retry |= {"IntervalSeconds": 0.05, "BackoffRate": 1}
                    retry["MaxAttempts"] = min(retries, retry["MaxAttempts"])

        return self.changed_workflow(hurry)

    def wait_until_over(self, session: Session, seconds: float = 60) -> dict[str, str]:
        """The row of a session that has ended, once nothing of it is left: no slot, no issue lock, no task."""
        row = self.wait_for_row(session, lambda row: row.get("status") in ENDED, seconds)
        lock = f"ISSUE#{self.repository_id}#{session.issue_number}"
        wait_for(lambda: session.id in {one for ids in self.slots() for one in ids}, lambda held: not held, 20)
        wait_for(lambda: self.item(lock, "LOCK").get("session_id", {}).get("S"), lambda owner: owner != session.id, 20)
        wait_for(lambda: self.running_tasks(session), lambda tasks: tasks == [], 20)
        return row

    def item(self, pk: str, sk: str) -> dict[str, Any]:
        """One item of the table, empty while there is none."""
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        table = self.installation.outputs["SessionsTable"]
        answer = self.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)
        return dict(answer.get("Item", {}))

    def slots(self) -> tuple[set[str], list[str]]:
        """The sessions that hold a slot, and those that wait for one in the order in which they came."""
        slots = self.item("SLOTS", "SLOTS")
        waiting = slots.get("waiting", {}).get("M", {})
        return set(slots.get("live", {}).get("M", {})), sorted(waiting, key=lambda one: waiting[one]["M"]["since"]["S"])

    def write(self, session: Session, **attributes: str) -> None:
        """Change attributes of the session's row by hand, as no function would."""
        self.client("dynamodb").update_item(
            TableName=self.installation.outputs["SessionsTable"],
            Key={"pk": {"S": f"SESSION#{session.id}"}, "sk": {"S": "SESSION"}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in attributes.items()},
        )

    def end_all(self) -> None:
        """Close the issue of every live session, and of one that takes its slot meanwhile, until none is left."""
        closed: set[str] = set()

        def slots() -> tuple[set[str], list[str]]:
            live, waiting = self.slots()
            for session_id in {*live, *waiting} - closed:
                if row := self.row(session_id):
                    path = f"/repos/{row['repo']}/issues/{row['issue_number']}"
                    self.github.call("PATCH", path, {"state": "closed", "state_reason": "not_planned"})
                    closed.add(session_id)
            return live, waiting

        wait_for(slots, lambda left: (set(), []) == left)

    def running_tasks(self, session: Session) -> list[str]:
        """The session's tasks that nobody has stopped."""
        cluster = self.installation.outputs["ClusterArn"]
        arns = self.client("ecs").list_tasks(cluster=cluster, family=f"{deployment.STACK}-agent")["taskArns"]
        arns += self.client("ecs").list_tasks(cluster=cluster, family=f"{deployment.STACK}-staging-agent")["taskArns"]
        described = self.client("ecs").describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return [task["taskArn"] for task in described if task["group"] == f"session:{session.id}"]

    def task_definition(self, session: Session) -> str:
        """The ARN of the task definition that the session's one task is of."""
        (arn,) = self.running_tasks(session)
        cluster = self.installation.outputs["ClusterArn"]
        (task,) = self.client("ecs").describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
        return str(task["taskDefinitionArn"])

    def mark_ready(self, pull_number: int) -> None:
        """Make a draft ready for review, as the button does."""
        pull = self.github.call("GET", f"/repos/{self.repository}/pulls/{pull_number}")
        query = "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } }"
        url = f"{self.installation.github_url}/api/graphql"
        self.github.call("POST", url, {"query": query, "variables": {"id": pull["node_id"]}})

    def session_of(self, issue_number: int) -> Session:
        """The session that the label started last."""
        started = wait_for(lambda: self.executions_here(issue_number), bool, 30)
        newest = max(started, key=lambda execution: execution["startDate"])
        return Session(newest["name"].rpartition("-")[2], newest["executionArn"], issue_number)

    def executions_here(self, issue_number: int) -> list[dict[str, Any]]:
        """What was started for an issue of this repository, which others may number alike."""
        arn, prefix = self.installation.outputs["StateMachineArn"], self.repository.replace("/", "-")
        found = self.executions.client.list_executions(stateMachineArn=arn)["executions"]
        return [e for e in found if e["name"].rpartition("-")[0] == f"{prefix}-{issue_number}"]

    def executions_of(self, issue_number: int) -> list[str]:
        """The names of all executions that were started for an issue."""
        client = self.executions.client
        found = client.list_executions(stateMachineArn=self.installation.outputs["StateMachineArn"])["executions"]
        return [e["name"] for e in found if e["name"].split("-")[-2] == str(issue_number)]

    def rows(self) -> list[dict[str, str]]:
        """Every session's row."""
        return sessions(self.installation)

    def row(self, session_id: str) -> dict[str, str]:
        """The session's row, empty while there is none."""
        item = self.item(f"SESSION#{session_id}", "SESSION")
        return {name: str(next(iter(value.values()))) for name, value in item.items()}

    def wait_for_row(
        self, session: Session, condition: Callable[[dict[str, str]], bool], seconds: float = 60
    ) -> dict[str, str]:
        """The row once the condition holds."""
        return wait_for(lambda: self.row(session.id), condition, seconds)

    def wait_for_end(self, session: Session) -> str:
        """How the session's execution ended."""
        client = self.executions.client
        return wait_for(
            lambda: str(client.describe_execution(executionArn=session.execution_arn)["status"]),
            lambda status: status != "RUNNING",
        )

    def wait_for_turn(self, session: Session) -> dict[str, str]:
        """The row once Claude's turn is over and well."""
        row = self.wait_for_row(session, lambda row: row.get("activity", "").startswith("turn_f"), 120)
        assert row["activity"] == "turn_finished", row
        return row

    def link(self, session: Session, seconds: float = 120) -> str:
        """Where the session's URL leads in its status comment, as soon as it leads anywhere."""
        return str(wait_for(lambda: live_link(self.status_comment(session)), bool, seconds))

    def visitor(self, session: Session) -> Visitor:
        """Somebody who has clicked on the link in the session's comment."""
        visitor = self.stranger(session)
        visitor.enter(self.link(session))
        return visitor

    def stranger(self, session: Session) -> Visitor:
        """Somebody who knows the session's URL and nothing else."""
        return Visitor(self.installation, session.id)

    def comments(self, number: int) -> list[dict[str, Any]]:
        """The first hundred comments of an issue or pull request, as posted."""
        return list(self.github.call("GET", f"/repos/{self.repository}/issues/{number}/comments?per_page=100"))

    def commits(self, pull_number: str) -> list[str]:
        """First lines of the commit messages on a pull request."""
        commits = self.github.call("GET", f"/repos/{self.repository}/pulls/{pull_number}/commits")
        return [commit["commit"]["message"].splitlines()[0] for commit in commits]

    def push_file(self, branch: str, path: str, text: str) -> None:
        """Commit a file on top of a branch, as a colleague would."""
        url = f"{self.installation.github_url}/{self.repository}.git"
        token = f"http.extraHeader=Authorization: Bearer {self.github.credentials.token}"
        with tempfile.TemporaryDirectory() as folder:

            def git(*arguments: str) -> None:
                who = ["-c", "user.name=Octo Developer", "-c", "user.email=octo-dev@example.com"]
                subprocess.run(["git", "-C", folder, "-c", token, *who, *arguments], check=True, capture_output=True)

            git("clone", "--quiet", "--branch", branch, url, ".")
            Path(folder, path).write_text(text)
            git("add", path)
            git("commit", "--quiet", "--message", f"docs: add {path}")
            git("push", "--quiet", "origin", branch)

    def deliveries(self) -> list[dict[str, Any]]:
        """The webhook's deliveries, newest first."""
        return list(self.github.call("GET", "/app/hook/deliveries?per_page=100", as_app=True))

    def delivery(self, delivery_id: int) -> dict[str, Any]:
        """One delivery with its request and response."""
        return dict(self.github.call("GET", f"/app/hook/deliveries/{delivery_id}", as_app=True))

    def deliver(self, event: str, payload: dict[str, Any]) -> httpx.Response:
        """Send a signed delivery of our own, under a new id."""
        body = json.dumps(payload).encode()
        secret = deployment.webhook_secret(self.installation).encode()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
        }
        return httpx.post(webhook_url(self.installation), content=body, headers=headers, timeout=30, trust_env=False)

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """A client of the embedded AWS: the same each time, for to make one takes longer than most calls."""
        if service not in self._clients:
            self._clients[service] = deployment.client(self.installation, service)
        return self._clients[service]

    def create_repository(self, name: str, files: dict[str, str]) -> str:
        """A repository with one commit of these files; returns its full name."""
        full_name = f"{self.github.credentials.owner}/{name}"
        self.github.call("POST", f"/orgs/{self.github.credentials.owner}/repos", {"name": name})
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                file = Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            sample.push(Path(folder), f"{self.installation.github_url}/{full_name}.git", self.github.credentials.token)
        return full_name


def wait_for(look: Callable[[], T], condition: Callable[[T], bool], seconds: float = 60, every: float = 0.2) -> T:
    """What `look` returns once it meets the condition; fails with what it returned last."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if condition(seen):
            return seen
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {seen}"
        time.sleep(every)
