"""Random sequences of what people, GitHub and machines do to sessions, on the real workflow; what must hold, holds.

`pytest tests/e2e/test_session_model.py --hypothesis-profile=explore` tries many more sequences, new ones each time.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from tests.e2e.system import Session, wait_for

from cloud_agent_local.errors import PartFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.e2e.system import System

LIVE = {"QUEUED", "STARTING", "RUNNING"}
ISSUES = 2
# A sequence takes half a minute of real processes: it is not shrunk, and the usual run takes the same few each time.
settings.register_profile(
    "few", max_examples=4, stateful_step_count=12, derandomize=True, deadline=None, phases=[Phase.generate]
)
settings.register_profile("explore", max_examples=60, stateful_step_count=15, deadline=None, phases=[Phase.generate])


class SessionLife(RuleBasedStateMachine):
    """Two issues and whatever befalls their sessions."""

    stage: System  # set by the test
    numbers = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.issues: list[int] = []
        self.comments: list[str] = []
        self.patience = 0.0

    @initialize()
    def people_open_issues(self) -> None:
        self.issues = [self.stage.open_issue(f"Model {next(self.numbers)}", "Please.") for _ in range(ISSUES)]
        for issue in self.issues:
            self.stage.label(issue)
        # What people do is of interest once there is something to do it to.
        wait_for(lambda: self._pull(0), bool, 90)

    @rule(which=st.integers(0, ISSUES - 1))
    def label(self, which: int) -> None:
        self.stage.label(self.issues[which])

    @rule(which=st.integers(0, ISSUES - 1))
    def take_the_label_off(self, which: int) -> None:
        self._try("DELETE", f"/issues/{self.issues[which]}/labels/claude-dev")

    @rule(which=st.integers(0, ISSUES - 1))
    def write(self, which: int) -> None:
        self._comment(which, "")

    @rule(which=st.integers(0, ISSUES - 1))
    def ask_for_something_that_takes_long(self, which: int) -> None:
        self._comment(which, "\nagent: wait")

    @rule(which=st.integers(0, ISSUES - 1))
    def change_their_mind(self, which: int) -> None:
        self._comment(which, "\n/interrupt")

    @rule(which=st.integers(0, ISSUES - 1))
    def ask_for_what_kills_the_agent(self, which: int) -> None:
        if pull := self._pull(which):
            self.stage.comment(pull, "agent: crash")

    @rule(which=st.integers(0, ISSUES - 1), command=st.sampled_from(["/stop", "/restart", "/restart", "/interrupt"]))
    def command(self, which: int, command: str) -> None:
        if pull := self._pull(which):
            self.stage.comment(pull, command)

    @rule(which=st.integers(0, ISSUES - 1), state=st.sampled_from(["closed", "open"]))
    def close_or_reopen_the_issue(self, which: int, state: str) -> None:
        self._try("PATCH", f"/issues/{self.issues[which]}", {"state": state})

    @rule(which=st.integers(0, ISSUES - 1), state=st.sampled_from(["closed", "open"]))
    def close_or_reopen_the_pull_request(self, which: int, state: str) -> None:
        if pull := self._pull(which):
            self._try("PATCH", f"/pulls/{pull}", {"state": state})

    @rule(which=st.integers(0, ISSUES - 1))
    def the_container_dies(self, which: int) -> None:
        ecs, cluster = self.stage.client("ecs"), self.stage.installation.outputs["ClusterArn"]
        for row in self._rows(which):
            for task in self.stage.running_tasks(Session(row["session_id"], row["execution_arn"], 0)):
                ecs.stop_task(cluster=cluster, task=task, reason="the machine under it died")

    @rule(back=st.integers(0, 5))
    def github_redelivers(self, back: int) -> None:
        deliveries = [d for d in self.stage.deliveries() if d["event"] in {"issues", "issue_comment", "pull_request"}]
        if back < len(deliveries):
            self.stage.github.call("POST", f"/app/hook/deliveries/{deliveries[back]['id']}/attempts", as_app=True)

    @rule()
    def the_reconciler_runs(self) -> None:
        self.stage.reconcile()

    @rule(seconds=st.sampled_from([0.5, 2, 5]))
    def time_passes(self, seconds: float) -> None:
        time.sleep(seconds)

    @rule()
    def everybody_waits(self) -> None:
        wait_for(self._impatiently, lambda wrong: wrong == [], 120)

    def _impatiently(self) -> list[str]:
        """What does not hold yet; a turn that lasts is interrupted now and then, as its person would."""
        wrong = self._wrong()
        if any("PROMPT#" in one for one in wrong) and time.monotonic() > self.patience:
            self.patience = time.monotonic() + 3
            for which in range(ISSUES):
                if pull := self._pull(which):
                    self.stage.comment(pull, "/interrupt")
        return wrong

    def teardown(self) -> None:
        for issue in self.issues:
            self._try("PATCH", f"/issues/{issue}", {"state": "closed"})
        self.stage.end_all()
        wait_for(self._wrong, lambda wrong: wrong == [], 120)
        assert [row for row in self._all_rows() if row["status"] in LIVE] == []

    def _wrong(self) -> list[str]:
        """What does not hold. Some of it passes while things go on; what is lost or doubled never does."""
        rows = self._all_rows()
        live = {row["session_id"]: row for row in rows if row["status"] in LIVE}
        wrong = [
            f"issue {n} has two live sessions"
            for n, of in Counter(r["issue_number"] for r in live.values()).items()
            if of > 1
        ]
        holding, waiting = self.stage.slots()
        wrong += [f"{one} is live or in the slots, not both" for one in live.keys() ^ (holding | set(waiting))]
        for row in rows:
            session = Session(row["session_id"], row["execution_arn"], 0)
            if len(self.stage.running_tasks(session)) != (row["status"] == "RUNNING"):
                wrong.append(f"tasks of {row['session_id']}, {row['status']}")
            self.stage.status_comment(session)  # one at most, or it fails at once
        answers = self._answers()
        wrong += [f"{comment} was answered twice" for comment in self.comments if answers[comment] > 1]
        return wrong + self._open_prompts(live.values()) + self._going_on(rows)

    def _going_on(self, rows: list[dict[str, str]]) -> list[str]:
        """Executions that will go on by themselves, and rows that say live without one."""
        by_arn = {row["execution_arn"]: row for row in rows}
        running = self.stage.executions.client.list_executions(
            stateMachineArn=self.stage.installation.outputs["StateMachineArn"], statusFilter="RUNNING"
        )["executions"]
        ours = {e["executionArn"] for e in running if any(f"-{issue}-" in e["name"] for issue in self.issues)}
        return [f"{arn} goes on" for arn in ours if not self._is_parked(by_arn.get(arn, {}))] + [
            f"{arn} is over, its row is not" for arn, row in by_arn.items() if row["status"] in LIVE and arn not in ours
        ]

    @staticmethod
    def _is_parked(row: dict[str, str]) -> bool:
        return "ending" not in row and (
            "lifecycle_token" in row or (row.get("status"), "start_token" in row) == ("QUEUED", True)
        )

    def _open_prompts(self, rows: Iterable[dict[str, str]]) -> list[str]:
        """Prompts of running sessions that have no answer yet."""
        table = self.stage.installation.outputs["SessionsTable"]
        found: list[str] = []
        for row in rows:
            if row["status"] == "RUNNING":
                items = self.stage.client("dynamodb").query(
                    TableName=table,
                    ConsistentRead=True,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :prompt)",
                    ExpressionAttributeValues={
                        ":pk": {"S": f"SESSION#{row['session_id']}"},
                        ":prompt": {"S": "PROMPT#"},
                    },
                )["Items"]
                found += [item["sk"]["S"] for item in items if item["state"]["S"] != "ANSWERED"]
        return found

    def _answers(self) -> Counter[str]:
        pulls = {row["pull_number"] for row in self._all_rows() if "pull_number" in row}
        bodies = [c["body"] for pull in pulls for c in self.stage.comments(int(pull))]
        lines = [line for body in bodies for line in body.splitlines() if line.startswith("Done: ")]
        return Counter(line.removeprefix("Done: ") for line in lines)

    def _all_rows(self) -> list[dict[str, str]]:
        return [row for which in range(len(self.issues)) for row in self._rows(which)]

    def _rows(self, which: int) -> list[dict[str, str]]:
        return [row for row in self.stage.rows() if row["issue_number"] == str(self.issues[which])]

    def _comment(self, which: int, rest: str) -> None:
        """A prompt whose first line the agent's answer will repeat."""
        if pull := self._pull(which):
            self.comments.append(f"prompt-{next(self.numbers)}.")
            self.stage.comment(pull, self.comments[-1] + rest)

    def _pull(self, which: int) -> str | None:
        rows = sorted(self._rows(which), key=lambda row: row["created_at"])
        return next((row["pull_number"] for row in reversed(rows) if "pull_number" in row), None)

    def _try(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """What GitHub may refuse: a label that is not there, a merged pull request."""
        try:
            self.stage.github.call(method, f"/repos/{self.stage.repository}{path}", body)
        except PartFailedError as error:
            assert " 4" in str(error), error  # noqa: PT017 - a refusal is fine, a fault of the local GitHub is not


def test_whatever_happens_every_session_ends_and_nothing_is_lost_or_doubled(stage: System) -> None:
    SessionLife.stage = stage
    profile = settings() if settings.get_current_profile_name() == "explore" else settings.get_profile("few")
    run_state_machine_as_test(SessionLife, settings=settings(profile, suppress_health_check=list(HealthCheck)))
