"""From the label to the live URL, on real input."""

from __future__ import annotations

import pytest
from tests.e2e.system import System, wait_for


def test_two_issues_at_once_get_two_urls_and_nothing_crosses(system: System) -> None:
    first_issue = system.open_issue("Greet in the morning", 'Change the greeting to "Good morning".')
    second_issue = system.open_issue("Greet in the evening", 'Change the greeting to "Good evening".')
    system.label(first_issue)
    system.label(second_issue)
    first, second = system.session_of(first_issue), system.session_of(second_issue)

    assert "Good morning" == system.visitor(first).wait_for("Good morning", 120).heading
    assert "Good evening" == system.visitor(second).wait_for("Good evening", 120).heading

    rows = [system.wait_for_turn(session) for session in (first, second)]
    assert rows[0]["ip"] != rows[1]["ip"]
    assert rows[0]["branch"] != rows[1]["branch"]
    for row, own, other in zip(rows, ("morning", "evening"), ("evening", "morning"), strict=True):
        commits = " ".join(system.commits(row["pull_number"]))
        assert own in commits
        assert other not in commits
        bodies = system.wait_for_announcement(row["pull_number"])
        assert [True] == [f"//{row['session_id']}." in body for body in bodies]


def test_a_redelivered_event_and_a_second_label_start_nothing_new(system: System) -> None:
    session = system.start("Only once", 'Change the greeting to "Once".')
    system.wait_for_row(session, lambda row: "RUNNING" == row.get("status"))
    labelled = next(
        delivery
        for delivery in system.deliveries()
        if "labeled" == delivery["action"]
        and 202 == delivery["status_code"]
        and session.id in system.delivery(delivery["id"])["response"]["payload"]
    )

    system.github.call("POST", f"/app/hook/deliveries/{labelled['id']}/attempts", as_app=True)
    again = wait_for(
        lambda: [d for d in system.deliveries() if d["guid"] == labelled["guid"] and d["redelivery"]], bool
    )
    original = system.delivery(labelled["id"])["request"]["payload"]
    second = system.deliver("issues", original)
    other = system.deliver("issues", {**original, "label": {**original["label"], "name": "bug"}})

    assert 202 == again[0]["status_code"]
    assert session.id in system.delivery(again[0]["id"])["response"]["payload"]
    ignored = {"ignored": f"issue #{session.issue_number} already has the live session {session.id}"}
    assert (200, ignored) == (second.status_code, second.json())
    assert (200, {"ignored": "the label is not 'claude-dev'"}) == (other.status_code, other.json())
    assert 1 == len(system.executions_of(session.issue_number))
    row = system.wait_for_turn(session)
    assert 1 == len(system.wait_for_announcement(row["pull_number"]))


MARKDOWN_TITLE = (
    "Fix **bold** `code` \"quotes\" 'single' <b>html</b> [link](http://x) 🍜 émoji\nsecond line @octo-dev #1"
)


@pytest.mark.parametrize(
    ("title", "body"),
    [
        pytest.param("Tidy the empty request", "", id="an empty body"),
        pytest.param("Tidy the long request", "Lorem ipsum dolor 🍜\n" * 3276 + "x" * 16, id="65,536 characters"),
        pytest.param(MARKDOWN_TITLE, "See the title.", id="a title full of markup"),
    ],
)
def test_hard_texts_work_end_to_end(system: System, title: str, body: str) -> None:
    assert len(body) <= 65_536
    session = system.start(title, body)

    row = system.wait_for_turn(session)

    pull = system.github.call("GET", f"/repos/{system.repository}/pulls/{row['pull_number']}")
    assert " ".join(title.split()) == pull["title"]
    assert f"Closes #{session.issue_number}" in pull["body"]
    assert 2 <= len(system.commits(row["pull_number"]))
    assert 200 == system.visitor(session).fetch().status
    assert row["reported_head_sha"] == pull["head"]["sha"]


def test_a_container_that_dies_is_told_on_the_pull_request_and_leaves_nothing_behind(system: System) -> None:
    session = system.start("Die in the middle", 'Change the greeting to "Farewell".')
    row = system.wait_for_turn(session)
    ecs = system.client("ecs")

    ecs.stop_task(cluster=system.installation.outputs["ClusterArn"], task=row["task_arn"], reason="pulled the plug")

    assert "FAILED" == system.wait_for_end(session)
    ended = system.row(session.id)
    bodies = [comment["body"] for comment in system.comments(int(row["pull_number"]))]
    assert "The agent's container stopped" in ended["end_reason"]
    assert ["session has ended", "session failed"] == [
        words for body in bodies for words in ("session has ended", "session failed") if words in body
    ]
    assert "pulled the plug" in bodies[1]
    assert 410 == wait_for(system.visitor(session).fetch, lambda page: 410 == page.status, 10).status
    system.unlabel(session.issue_number)
    system.label(session.issue_number)
    wait_for(lambda: system.executions_of(session.issue_number), lambda names: 2 == len(names))


def test_a_repository_without_a_dev_server_says_what_to_write(system: System) -> None:
    full_name = system.create_repository("no-dev-server", {"README.md": "# Nothing to serve\n"})
    issue = system.github.call("POST", f"/repos/{full_name}/issues", {"title": "Try", "body": "Please."})["number"]
    system.github.call("POST", f"/repos/{full_name}/issues/{issue}/labels", {"labels": ["claude-dev"]})

    execution = wait_for(lambda: [e for e in system.executions_of(issue) if "no-dev-server" in e], bool)[0]
    row = wait_for(lambda: system.row(execution.rpartition("-")[2]), lambda row: "FAILED" == row.get("status"))

    comments = system.github.call("GET", f"/repos/{full_name}/issues/{row['pull_number']}/comments")
    assert "No dev server was found in this repository" in comments[0]["body"]
    assert ".github/claude-cloud-agent.yml" in comments[0]["body"]
    assert 1 == len(comments)
