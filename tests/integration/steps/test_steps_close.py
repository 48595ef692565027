"""Close Session: whatever the start has left half-done, nothing claims a live URL and the next session can start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.steps.github import GitHub
    from tests.integration.steps.handlers import Steps

    from cloud_agent.domain.session.session_request import RequestedSession

URL_OF = "https://{}.uat.example.com"


def close(
    steps: Steps, session: RequestedSession, status: str = "COMPLETED", reason: str = "The pull request was merged."
) -> None:
    steps.run("close_session", session, status=status, reason=reason)


def test_closed_twice_the_first_ending_stands(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo)
    steps.run_up_to("close_session", session)
    close(steps, session)
    row = steps.row(session) or {}
    assert (row["status"], row["end_reason"]) == ("COMPLETED", "The pull request was merged.")
    assert steps.lock(session) is None
    assert session.session_id not in steps.slots()
    (comment,) = github.comments(repo, row["pull_number"])
    assert "### ✅ Completed" in comment
    assert "The pull request was merged." in comment
    assert URL_OF.format(session.session_id) not in comment
    (deployment,) = github.deployments(session)
    assert deployment["state"] == "inactive"

    close(steps, session, "FAILED", "Something else.")
    assert row == steps.row(session)
    assert [deployment["state"] for deployment in github.deployments(session)] == ["inactive"]
    assert len(github.comments(repo, row["pull_number"])) == 1


@pytest.mark.parametrize("forgotten", [("comment_id",), ("deployment_id",), ("comment_id", "deployment_id")])
def test_what_an_announcement_left_before_it_crashed_is_withdrawn(
    steps: Steps, github: GitHub, repo: str, forgotten: tuple[str, ...]
) -> None:
    session = steps.claim(repo)
    steps.run_up_to("close_session", session)
    steps.forget(session, *forgotten)
    close(steps, session, "FAILED", "It failed.")
    (comment,) = github.comments(repo, (steps.row(session) or {})["pull_number"])
    assert URL_OF.format(session.session_id) not in comment
    assert [deployment["state"] for deployment in github.deployments(session)] == ["error"]


def test_a_comment_that_somebody_deleted_does_not_keep_the_deployment_active(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo)
    steps.run_up_to("close_session", session)
    github.call("DELETE", f"/repos/{repo}/issues/comments/{(steps.row(session) or {})['comment_id']}")
    close(steps, session)
    assert [deployment["state"] for deployment in github.deployments(session)] == ["inactive"]
    assert (steps.row(session) or {})["status"] == "COMPLETED"


def test_a_session_without_a_pull_request_is_closed_without_github(
    steps: Steps, repo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = steps.claim(repo)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    close(steps, session, "FAILED", "It failed.")
    assert (steps.row(session) or {})["status"] == "FAILED"
    assert steps.lock(session) is None


def test_a_session_that_was_never_claimed_has_nothing_to_close(steps: Steps, repo: str) -> None:
    session = steps.claim(repo)
    stranger = session.model_copy(update={"session_id": "fffffff1"})
    close(steps, stranger, "FAILED", "It failed.")
    assert steps.row(stranger) is None
    assert session.session_id == (steps.lock(session) or {})["session_id"]
    assert session.session_id in steps.slots()


def test_the_lock_of_a_later_session_is_left_alone(steps: Steps, repo: str) -> None:
    session = steps.claim(repo)
    later = session.model_copy(update={"session_id": "fffffff2"})
    steps.put_row(later)
    close(steps, session)
    assert (steps.lock(session) or {})["session_id"] == "fffffff2"
    assert "fffffff2" in steps.slots()


def test_an_archived_repository_does_not_keep_a_session_open(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo)
    steps.run_up_to("close_session", session)
    github.call("PATCH", f"/repos/{repo}", archived=True)
    close(steps, session)
    assert (steps.row(session) or {})["status"] == "COMPLETED"
    assert steps.lock(session) is None


def test_a_failure_that_nobody_could_report_has_its_words_on_the_row(steps: Steps, repo: str) -> None:
    session = steps.claim(repo)
    close(steps, session, "FAILED", "RepositoryReadOnlyError")
    assert (steps.row(session) or {})[
        "end_reason"
    ] == "The repository is archived, or the GitHub App doesn't have write access"
