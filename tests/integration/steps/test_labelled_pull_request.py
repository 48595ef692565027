"""A session that was requested on somebody's pull request adds to it, and leaves alone what's theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind
from cloud_agent.domain.conversation.turn_results import TurnResult

if TYPE_CHECKING:
    from tests.integration.steps.github import GitHub, Json
    from tests.integration.steps.handlers import Steps

    from cloud_agent.domain.session.session_request import RequestedSession

BRANCH, AT = "feature/menu@2", "2026-11-22T10:00:00.000Z"
THEIRS = "It has a menu.\n\nThe footer is still missing."


class Labelled:
    """A draft of a person's with one commit of theirs, and the session that was requested on it."""

    def __init__(self, steps: Steps, github: GitHub, repo: str) -> None:
        self.steps, self.github, self.repo = steps, github, repo
        main = github.branches(repo)["main"]
        github.call("POST", f"/repos/{repo}/git/refs", ref=f"refs/heads/{BRANCH}", sha=main)
        self.head = github.add_commit(repo, BRANCH, "Show the menu")
        pull = {"title": "Show the menu", "head": BRANCH, "base": "main", "body": THEIRS, "draft": True}
        self.number: int = github.call("POST", f"/repos/{repo}/pulls", **pull)["number"]
        self.session = self.request()
        steps.put_row(self.session)

    def request(self, previous: RequestedSession | None = None) -> RequestedSession:
        """The next session on the pull request."""
        session = self.steps.claim(self.repo)
        ours = {
            "issue_number": self.number,
            "issue_key": str(self.number),
            "pull_number": self.number,
            "branch": BRANCH,
        }
        url = f"{self.github.url}/{self.repo}/pull/{self.number}"
        before = previous.session_id if previous else None
        return session.model_copy(update={**ours, "issue_url": url, "previous_session_id": before})

    def begin(self) -> None:
        self.steps.run("create_branch", self.session)
        self.steps.run("open_draft_pull_request", self.session)

    def answer(self, head_sha: str) -> None:
        """Have the first turn end, with this commit pushed."""
        prompts, url = Prompts("sessions"), self.session.issue_url
        first = Prompt(
            id=INITIAL_PROMPT_ID, kind=PromptKind.PULL_REQUEST, body=THEIRS, author="octo-dev", url=url, created_at=AT
        )
        prompts.put(self.session.session_id, first)
        made = {"is_error": False, "result": "Here it is.", "description": "All of it is Claude's.", "created_at": AT}
        turn = TurnResult(prompt_id=INITIAL_PROMPT_ID, head_sha=head_sha, **made)
        prompts.record_turn_result(self.session.session_id, turn)
        self.steps.change(self.session, reported_head_sha=head_sha)
        self.steps.publish(self.session, "SESSION", f"TURN_RESULT#{INITIAL_PROMPT_ID}")

    @property
    def pull(self) -> Json:
        found: Json = self.github.get(f"/repos/{self.repo}/pulls/{self.number}")
        return found

    @property
    def row(self) -> Json:
        return self.steps.row(self.session) or {}

    def comments(self) -> list[str]:
        return self.github.comments(self.repo, self.number)


@pytest.fixture
def labelled(steps: Steps, github: GitHub, repo: str) -> Labelled:
    return Labelled(steps, github, repo)


def test_it_works_on_the_branch_as_it_is_and_opens_nothing(labelled: Labelled) -> None:
    steps, session = labelled.steps, labelled.session
    for _ in range(2):
        assert steps.run("create_branch", session) == {"branch": BRANCH, "base_sha": labelled.head}
    for _ in range(2):
        assert steps.run("open_draft_pull_request", session)["pull_number"] == labelled.number

    assert labelled.github.branches(labelled.repo)[BRANCH] == labelled.head
    assert len(labelled.github.get(f"/repos/{labelled.repo}/pulls?state=all")) == 1
    row = labelled.row
    assert (row["base_sha"], row["initial_sha"], row["pull_number"]) == (labelled.head, None, labelled.number)
    (status,) = labelled.comments()
    assert "Show the menu" not in status  # no commit of theirs is the session's


def test_its_reply_lists_what_it_added_and_neither_text_nor_draft_are_touched(labelled: Labelled) -> None:
    labelled.begin()
    added = labelled.github.add_commit(labelled.repo, BRANCH, "Show the footer")

    labelled.answer(added)

    status, reply = labelled.comments()
    assert f"Reply to [the pull request]({labelled.session.issue_url}):" in reply
    assert "**Pushed** 1 commit to `feature/menu@2`" in reply
    assert "Show the footer" in reply
    assert "Show the menu" not in reply + status
    assert (labelled.pull["body"], labelled.pull["draft"]) == (THEIRS, True)


def test_after_a_persons_rebase_no_commit_of_main_is_listed(labelled: Labelled) -> None:
    labelled.begin()
    github, repo = labelled.github, labelled.repo
    github.add_commit(repo, "main", "Meanwhile on main")
    main = github.branches(repo)["main"]
    github.call("PATCH", f"/repos/{repo}/git/refs/heads/{BRANCH}", sha=main, force=True)
    rebased = github.add_commit(repo, BRANCH, "Show the menu, rebased")

    labelled.answer(github.add_commit(repo, BRANCH, "Show the footer"))

    reply = labelled.comments()[-1]
    assert "Show the footer" in reply
    assert "Meanwhile on main" not in reply
    assert rebased in {commit["sha"] for commit in github.get(f"/repos/{repo}/pulls/{labelled.number}/commits")}


def test_the_next_session_goes_on_from_where_the_first_began(labelled: Labelled) -> None:
    labelled.begin()
    labelled.github.add_commit(labelled.repo, BRANCH, "Show the footer")
    again = labelled.request(labelled.session)
    labelled.steps.put_row(again)

    assert labelled.steps.run("create_branch", again)["base_sha"] == labelled.head
    labelled.steps.run("open_draft_pull_request", again)
    assert labelled.pull["state"] == "open"
    assert (labelled.steps.row(again) or {})["pull_number"] == labelled.number


def test_its_end_leaves_their_description_as_it_is(labelled: Labelled) -> None:
    labelled.begin()
    labelled.steps.run("close_session", labelled.session, status="STOPPED", reason="Stopped by octo-dev.")
    labelled.steps.publish(labelled.session)
    assert labelled.pull["body"] == THEIRS
    assert "comment `/restart`, or remove and re-add the label `claude-dev` here" in labelled.comments()[0]
