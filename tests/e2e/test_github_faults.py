"""GitHub fails once at every step, in every way, before and after it has done what it was asked: nothing is doubled."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.system import System

UNAVAILABLE = {"kind": "status", "status": 500}
BAD_GATEWAY = {"kind": "status", "status": 502}
RATE_LIMIT = {"kind": "rate_limit", "reset_after": 1}
SECONDARY_RATE_LIMIT = {"kind": "rate_limit", "retry_after": 1}
LATE = {"kind": "timeout", "seconds": 0.3}
DROPPED = {"kind": "drop"}
BEFORE, AFTER = {"when": "before"}, {"when": "after"}
# Three at once, as many as the stage has slots. One stream serves all, and pauses for a rate limit: those go together.
WAVES: dict[str, list[dict[str, Any]]] = {
    "rate limits": [RATE_LIMIT | BEFORE, RATE_LIMIT | AFTER, SECONDARY_RATE_LIMIT | BEFORE],
    "a rate limit, lost connections": [SECONDARY_RATE_LIMIT | AFTER, DROPPED | BEFORE, DROPPED | AFTER],
    "errors": [UNAVAILABLE | BEFORE, UNAVAILABLE | AFTER, BAD_GATEWAY | BEFORE],
    "an error, late answers": [BAD_GATEWAY | AFTER, LATE | BEFORE, LATE | AFTER],
}


STARTING = (
    *(("POST", "/git/commits"), ("POST", "/git/refs"), ("POST", "/pulls"), ("POST", "/issues/.*/comments")),
    *(("POST", "/deployments"), ("POST", "/deployments/.*/statuses")),
)
EDIT, END_OF_DEPLOYMENT = ("PATCH", "/issues/comments/.*"), ("POST", "/deployments/.*/statuses")


@dataclass(frozen=True)
class Ordeal:
    """An issue in a repository of its own, and the fault that its session meets once at each step."""

    system: System
    issue: int
    fault: dict[str, Any]

    @property
    def path(self) -> str:
        """Where GitHub's API has the repository."""
        return f"/repos/{self.system.repository}"

    @property
    def pull(self) -> int:
        """The pull request, which comes right after the issue."""
        return self.issue + 1

    def meets(self, *requests: tuple[str, str]) -> None:
        """Let each of these requests of the App meet the fault once: a method, and a path inside the repository."""
        for method, path in requests:
            where = {"method": method, "actor": "app", "path": self.path + path}
            self.system.github.call("POST", "/admin/faults", self.fault | where)

    def answers(self) -> Counter[str]:
        """The scripted agent's answers on the pull request, each with how often it stands there."""
        bodies = [comment["body"] for comment in self.system.comments(self.pull)]
        return Counter(line for body in bodies for line in body.splitlines() if line.startswith("Done: "))

    def wait_for_answers(self, *answers: str) -> None:
        """Wait until these answers, and no others, are there."""
        wait_for(lambda: set(self.answers()) if self.exists() else set(), lambda seen: set(answers) == seen, 90)

    def exists(self) -> bool:
        """Whether the pull request does."""
        return self.system.github.exists(f"{self.path}/pulls/{self.pull}")

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """What GitHub has there, in the repository."""
        return self.system.github.call("GET", self.path + path)


@pytest.fixture
def hurried(stage: System) -> Iterator[System]:
    """The stage, whose workflow does not pause between two tries."""
    with stage.without_pauses():
        yield stage


@pytest.mark.parametrize("wave", WAVES)
def test_a_fault_at_every_step_doubles_nothing_and_loses_nothing(hurried: System, wave: str) -> None:
    ordeals = [begin(hurried, fault) for fault in WAVES[wave]]
    for ordeal in ordeals:
        ordeal.wait_for_answers("Done: Begin.")
    for ordeal in ordeals:
        # Eyes are added to the comment first; then the end of the turn is read, and written.
        graphql = {"method": "POST", "actor": "app", "path": "/graphql", "skip": 2}
        hurried.github.call("POST", "/admin/faults", ordeal.fault | graphql)
        ordeal.system.comment(ordeal.pull, f"Go on.\nagent: pushed {push(ordeal)}")
        ordeal.wait_for_answers("Done: Begin.", "Done: Go on.")
        wait_for(lambda one=ordeal: one.get(f"/pulls/{one.pull}")["draft"], lambda draft: not draft)  # type: ignore[misc]  # one is an Ordeal
    limited = [ordeal for ordeal in ordeals if ordeal.fault["kind"] == "rate_limit"]
    for ordeal in ordeals:
        # The stream edits the comment as well, and would pause once more for a rate limit.
        ordeal.meets(END_OF_DEPLOYMENT, *([] if ordeal in limited else [EDIT]))
        hurried.github.call("PATCH", f"{ordeal.path}/pulls/{ordeal.pull}", {"state": "closed"})

    for ordeal in ordeals:
        is_whole(ordeal)
    faults = hurried.github.call("GET", "/admin/faults")["faults"]
    assert [fault for fault in faults if fault["remaining"]] == [], "a fault that nothing met proves nothing"


def begin(stage: System, fault: dict[str, Any]) -> Ordeal:
    """Start a session of a new repository, with the fault at each step up to its first comment and Deployment."""
    name = f"ordeal-{uuid.uuid4().hex[:6]}"
    system = stage.at(stage.create_repository(name, {"README.md": "# Ordeal\n"}))
    ordeal = Ordeal(system, system.open_issue("Endure", "Begin."), fault)
    ordeal.meets(*STARTING)
    system.label(ordeal.issue)
    return ordeal


def push(ordeal: Ordeal) -> str:
    """Put a commit on the session's branch, as the scripted agent does not; returns its sha."""
    branch = ordeal.get(f"/pulls/{ordeal.pull}")["head"]["ref"]
    ordeal.system.push_file(branch, "work.txt", "Done.\n")
    return str(ordeal.get(f"/pulls/{ordeal.pull}")["head"]["sha"])


def is_whole(ordeal: Ordeal) -> None:
    """The session ended well, and there is one of everything."""
    session = ordeal.system.session_of(ordeal.issue)
    assert ordeal.system.wait_for_end(session) == "SUCCEEDED", ordeal.fault
    row = ordeal.system.wait_until_over(session)
    assert (row["status"], row["end_reason"]) == ("STOPPED", "The pull request was closed."), ordeal.fault
    branches = [branch["name"] for branch in ordeal.get("/branches")]
    pulls = [pull["number"] for pull in ordeal.get("/pulls?state=all")]
    assert (["claude/1", "main"], [ordeal.pull]) == (sorted(branches), pulls), ordeal.fault
    assert ordeal.system.commits(row["pull_number"]) == [
        "chore: initialize Claude agent session for #1",
        "docs: add work.txt",
    ]
    assert ordeal.answers() == {"Done: Begin.": 1, "Done: Go on.": 1}, ordeal.fault
    ordeal.system.wait_for_status(session, "Stopped")
    # The status comment, two answers, and the comment that asked for the second.
    assert tuple(len(ordeal.system.comments(number)) for number in (ordeal.pull, ordeal.issue)) == (4, 0), ordeal.fault
    (deployment,) = ordeal.get("/deployments")
    assert ordeal.get(f"/deployments/{deployment['id']}/statuses")[0]["state"] == "inactive"
