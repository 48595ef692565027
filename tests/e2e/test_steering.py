"""People write on the pull request: each comment is answered once, in order, and commands act at once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.system import wait_for

if TYPE_CHECKING:
    from tests.e2e.system import Session, System


def running(stage: System, body: str = "Please.") -> tuple[Session, str]:
    """A session that has answered its issue, and its pull request's number."""
    session = stage.start("Steer me", body)
    row = stage.wait_for_row(session, lambda row: "lifecycle_token" in row and row.get("turns") == "1")
    return session, row["pull_number"]


def replies(stage: System, pull: str) -> list[str]:
    """The scripted agent's answers on the pull request, in order, as it gave them."""
    bodies = [comment["body"] for comment in stage.comments(int(pull)) if "claude-cloud-agent:turn:" in comment["body"]]
    return [line for body in bodies for line in body.splitlines() if line.startswith("Done: ")]


def eyes(stage: System, comment: dict[str, Any]) -> int:
    """How many pairs of eyes are on a comment."""
    return int(
        stage.github.call("GET", f"/repos/{stage.repository}/issues/comments/{comment['id']}")["reactions"]["eyes"]
    )


def test_comments_are_answered_once_each_in_the_order_people_wrote_them(stage: System) -> None:
    _, pull = running(stage, "First of all.")

    def write(body: str) -> dict[str, Any]:
        """Write one that has come: a delivery may overtake the one before it, and the agent waits for neither."""
        comment = stage.comment(pull, body)
        wait_for(lambda: eyes(stage, comment), bool)
        return comment

    written = [write(f"Prompt {n}") for n in (1, 2, 3)]

    expected = ["Done: First of all.", "Done: Prompt 1", "Done: Prompt 2", "Done: Prompt 3"]
    wait_for(lambda: replies(stage, pull), lambda seen: expected == seen, 30)
    assert [eyes(stage, comment) for comment in written] == [1, 1, 1]


def test_a_redelivered_comment_is_not_a_second_prompt(stage: System) -> None:
    _, pull = running(stage, "First of all.")
    stage.comment(pull, "Only once")
    wait_for(lambda: replies(stage, pull), lambda seen: "Done: Only once" in seen, 30)
    delivered = next(d for d in stage.deliveries() if (d["event"], d["status_code"]) == ("issue_comment", 202))
    payload = stage.delivery(delivered["id"])["request"]["payload"]

    stage.github.call("POST", f"/app/hook/deliveries/{delivered['id']}/attempts", as_app=True)
    assert stage.deliver("issue_comment", payload).is_success  # the same comment under another delivery's id
    stage.comment(pull, "And then this")

    expected = ["Done: First of all.", "Done: Only once", "Done: And then this"]
    wait_for(lambda: replies(stage, pull), lambda seen: "Done: And then this" in seen, 30)
    assert expected == replies(stage, pull)


def test_follow_ups_queue_while_claude_works_and_an_interrupt_acts_at_once(stage: System) -> None:
    session, pull = running(stage)
    stage.comment(pull, "A long job\nagent: wait")
    stage.wait_for_row(session, lambda row: "turn_started" in row["activity"])
    stage.comment(pull, "Next prompt")
    stage.comment(pull, "Prompt after that")

    stage.wait_for_status(session, "2 follow-ups queued")
    stage.comment(pull, "/interrupt")

    expected = ["Done: Please.", "Done: A long job", "Done: Next prompt", "Done: Prompt after that"]
    wait_for(lambda: replies(stage, pull), lambda seen: expected == seen, 30)
    assert "interrupted" in stage.wait_for_comment(pull, "Done: A long job").lower()


def test_an_interrupt_and_a_new_prompt_fit_in_one_comment(stage: System) -> None:
    session, pull = running(stage)
    stage.comment(pull, "A long job\nagent: wait")
    stage.wait_for_row(session, lambda row: "turn_started" in row["activity"])

    stage.comment(pull, "/interrupt\nDo this instead")

    expected = ["Done: Please.", "Done: A long job", "Done: Do this instead"]
    wait_for(lambda: replies(stage, pull), lambda seen: expected == seen, 30)


def test_people_without_write_permission_are_told_so_once_and_not_obeyed(stage: System) -> None:
    session, pull = running(stage)
    stranger = stage.person("stranger")

    for words in ("Do my bidding", "/stop", "Please!"):
        stage.comment(pull, words, stranger)
    explanation = stage.wait_for_comment(pull, "write access")
    stage.comment(pull, "Somebody may")

    wait_for(lambda: replies(stage, pull), lambda seen: seen == ["Done: Please.", "Done: Somebody may"], 30)
    assert "stranger" in explanation
    assert len([c for c in stage.comments(int(pull)) if c["body"] == explanation]) == 1
    assert stage.row(session.id)["status"] == "RUNNING"


def test_a_label_by_somebody_without_write_permission_starts_nothing_and_says_why(stage: System) -> None:
    """Triage lets people label and no more."""
    issue = stage.open_issue("Label me", "Please.")
    helper = stage.person("triager")
    path = f"/repos/{stage.repository}/collaborators/triager"
    stage.github.call("PUT", path, {"permission": "triage"})
    helper.call("POST", f"/repos/{stage.repository}/issues/{issue}/labels", {"labels": ["claude-dev"]})

    explanation = stage.wait_for_comment(issue, "write access")
    assert "triager" in explanation
    assert stage.executions_of(issue) == []
    stage.github.call("PUT", path, {"permission": "push"})
    helper.call("DELETE", f"/repos/{stage.repository}/issues/{issue}/labels/claude-dev")
    helper.call("POST", f"/repos/{stage.repository}/issues/{issue}/labels", {"labels": ["claude-dev"]})
    wait_for(lambda: stage.executions_of(issue), lambda names: len(names) == 1)


def test_a_redelivered_event_and_a_second_label_start_nothing_new(stage: System) -> None:
    session = stage.start("Only once", "Please.")
    stage.wait_for_row(session, lambda row: row.get("status") == "RUNNING")
    labelled = next(
        delivery
        for delivery in stage.deliveries()
        if delivery["action"] == "labeled"
        and delivery["status_code"] == 202
        and session.id in stage.delivery(delivery["id"])["response"]["payload"]
    )

    stage.github.call("POST", f"/app/hook/deliveries/{labelled['id']}/attempts", as_app=True)
    again = wait_for(lambda: [d for d in stage.deliveries() if d["guid"] == labelled["guid"] and d["redelivery"]], bool)
    original = stage.delivery(labelled["id"])["request"]["payload"]
    second = stage.deliver("issues", original)
    other = stage.deliver("issues", {**original, "label": {**original["label"], "name": "bug"}})

    assert again[0]["status_code"] == 202
    assert session.id in stage.delivery(again[0]["id"])["response"]["payload"]
    ignored = {"ignored": f"#{session.issue_number} already has the live session {session.id}"}
    assert (200, ignored) == (second.status_code, second.json())
    neither = {"ignored": "the label is neither 'claude-dev' nor 'claude-dev-staging'"}
    assert (200, neither) == (other.status_code, other.json())
    assert len(stage.executions_of(session.issue_number)) == 1
    row = stage.wait_for_row(session, lambda row: row.get("turns") == "1")
    wait_for(lambda: replies(stage, row["pull_number"]), lambda seen: seen == ["Done: Please."])
    assert len(stage.comments(int(row["pull_number"]))) == 2  # the status and the answer


def test_a_review_with_its_comments_is_one_turn_and_is_answered_where_they_stand(stage: System) -> None:
    session, pull = running(stage)
    head = stage.github.call("GET", f"/repos/{stage.repository}/pulls/{pull}")["head"]["ref"]
    stage.push_file(head, "note.txt", "A note.\n")
    review = {
        "event": "REQUEST_CHANGES",
        "body": "The whole of it",
        "comments": [{"path": "note.txt", "line": 1, "side": "RIGHT", "body": "This line"}],
    }
    stage.github.call("POST", f"/repos/{stage.repository}/pulls/{pull}/reviews", review)

    wait_for(lambda: replies(stage, pull), lambda seen: "Done: The review requests changes." in seen, 30)
    threads = wait_for(
        lambda: stage.github.call("GET", f"/repos/{stage.repository}/pulls/{pull}/comments"),
        lambda seen: len(seen) == 2,
        30,
    )
    assert threads[0]["id"] == threads[1]["in_reply_to_id"]
    assert threads[1]["body"].endswith("Done, too\n")
    assert replies(stage, pull) == ["Done: Please.", "Done: The review requests changes."]
    assert stage.row(session.id)["turns"] == "2"


@pytest.mark.parametrize(("command", "words"), [("/status", "Waiting for the next comment"), ("/help", "/interrupt")])
def test_a_question_about_the_session_has_one_answer(stage: System, command: str, words: str) -> None:
    _, pull = running(stage)
    wait_for(lambda: replies(stage, pull), lambda seen: len(seen) == 1)
    before = {comment["id"] for comment in stage.comments(int(pull))}

    asked = stage.comment(pull, command)

    (answer,) = wait_for(
        lambda: [c for c in stage.comments(int(pull)) if c["id"] not in before | {asked["id"]}], bool, 20
    )
    assert words.lower() in answer["body"].lower()
    stage.comment(pull, "And now work")
    wait_for(lambda: replies(stage, pull), lambda seen: "Done: And now work" in seen, 20)
    assert replies(stage, pull) == ["Done: Please.", "Done: And now work"]


def test_stop_then_restart_goes_on_with_what_was_left_on_the_same_branch(stage: System) -> None:
    session, pull = running(stage)
    stage.comment(pull, "A long job\nagent: wait")
    stage.wait_for_row(session, lambda row: "turn_started" in row["activity"])
    stage.comment(pull, "Left over")
    stage.wait_for_status(session, "1 follow-up queued")
    stage.comment(pull, "/stop")

    assert stage.wait_for_end(session) == "SUCCEEDED"
    ended = stage.row(session.id)
    assert (ended["status"], ended["end_reason"]) == ("STOPPED", "Stopped by octo-dev.")
    assert "/restart" in stage.wait_for_status(session, "Stopped")
    stage.comment(pull, "Is anybody there?")
    stage.comment(pull, "Hello?")
    assert "/restart" in stage.wait_for_comment(pull, "This session has ended")
    stage.comment(pull, "/restart")

    following = wait_for(
        lambda: [name for name in stage.executions_of(session.issue_number) if session.id not in name], bool
    )
    second = stage.session_of(session.issue_number)
    assert len(following) == 1
    row = stage.wait_for_row(second, lambda row: row.get("status") == "RUNNING")
    assert (ended["branch"], pull, session.id) == (row["branch"], row["pull_number"], row["previous_session_id"])
    stage.wait_for_row(second, lambda row: row.get("turns") == "1" and "turn_started" in row["activity"])
    stage.comment(pull, "/interrupt")  # the long job was left over, too
    wait_for(lambda: replies(stage, pull), lambda seen: "Done: Left over" in seen, 30)
    answers = replies(stage, pull)
    assert answers[-2:] == ["Done: A long job", "Done: Left over"]
    assert "Done: Is anybody there?" not in answers


def test_restart_of_a_live_session_ends_it_and_starts_one_that_takes_over(stage: System) -> None:
    session, pull = running(stage)

    stage.comment(pull, "/restart\nAnd do this")
    impatient = stage.comment(pull, "/restart")

    assert stage.wait_for_end(session) == "SUCCEEDED"
    second = wait_for(lambda: stage.session_of(session.issue_number), lambda found: session.id != found.id)
    stage.wait_for_row(second, lambda row: row.get("status") == "RUNNING")
    wait_for(lambda: replies(stage, pull), lambda seen: "Done: And do this" in seen, 30)
    _, took_over, *more = sorted(stage.executions_here(session.issue_number), key=lambda one: one["startDate"])
    # Impatience starts no third one, unless the machine is so slow that it's a command to the second.
    assert not more or datetime.fromisoformat(impatient["created_at"]) > took_over["startDate"]
    assert replies(stage, pull).count("Done: And do this") == 1
