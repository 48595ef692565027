"""From the label to the live URL and to the end, on real input, with the real agent and the real Claude Code."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.failures import repository
from tests.e2e.system import System, wait_for

from cloud_agent_local import sample

if TYPE_CHECKING:
    from tests.e2e.system import Session


PIXEL = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"


def started(system: System, greeting: str) -> tuple[Session, dict[str, str]]:
    """A session whose first turn is over and that is supervised."""
    session = system.start("Greet", f'Change the greeting to "{greeting}".')
    system.wait_for_turn(session)
    return session, system.wait_for_row(session, lambda row: "lifecycle_token" in row)


def pull_request(system: System, row: dict[str, str]) -> dict[str, Any]:
    """The session's pull request."""
    return dict(system.github.call("GET", f"/repos/{system.repository}/pulls/{row['pull_number']}"))


def commits_of(system: System, row: dict[str, str]) -> list[str]:
    """What Claude has committed on the session's branch, oldest first: all but the commit that opened it."""
    return [commit["sha"] for commit in committed(system, row)]


def subjects(system: System, row: dict[str, str]) -> list[str]:
    """The first lines of those commits' messages."""
    return [commit["commit"]["message"].partition("\n")[0] for commit in committed(system, row)]


def committed(system: System, row: dict[str, str]) -> list[dict[str, Any]]:
    """Those commits, as GitHub has them."""
    return list(system.github.call("GET", f"/repos/{system.repository}/pulls/{row['pull_number']}/commits"))[1:]


def attach(system: System, name: str, content: bytes) -> str:
    """Attach a file as a person does; its address in a text."""
    given = {"name": name, "content": base64.b64encode(content).decode()}
    return str(system.github.call("POST", "/admin/attachments", given)["url"])


def listed(body: str) -> list[str]:
    """The commits that a comment links."""
    return re.findall(r"/commit/([0-9a-f]{40})\)", body)


def answers(system: System, row: dict[str, str], number: int) -> list[str]:
    """Claude's replies on the pull request, in order, once there are as many."""
    comments = wait_for(
        lambda: [c for c in system.comments(int(row["pull_number"])) if "claude-cloud-agent:turn:" in c["body"]],
        lambda found: len(found) >= number,
    )
    return [comment["body"] for comment in comments]


def lunch_boards(system: System) -> System:
    """A repository like the sample, in which no session has been: none that has ended is published there still."""
    caches = {"__pycache__", ".ruff_cache"}
    files = (path for path in sample.SOURCE.rglob("*") if path.is_file() and caches.isdisjoint(path.parts))
    return repository(system, "lunches", {str(path.relative_to(sample.SOURCE)): path.read_text() for path in files})


def requests(system: System) -> list[str]:
    """What sessions have asked of GitHub about a repository, by its API, by GraphQL and by git over HTTP.

    The reconciler's requests are its own.

    Left out is what time decides: a function that starts cold asks for a token of its own, and an activity line that
    lasts is a status comment's.
    """
    log = system.github.call("GET", "/admin/requests?since=0")["requests"]
    made = [one for one in log if one["actor"] and one["actor"]["type"] in {"App", "Installation"}]
    asked = [f"{one['method']} {one['path']}" for one in made]
    about = [one for one in asked if f"/{system.repository}" in one or one.endswith("/graphql")]
    return [one for one in about if not re.search(r"^PATCH .*/comments/", one)]


def test_two_issues_at_once_get_two_urls_and_nothing_crosses(system: System) -> None:
    attached = attach(system, "cart.gif", PIXEL)
    log = f"{system.installation.github_url}/user-attachments/files/1/server.log"
    first_issue = system.open_issue(
        "Greet in the morning", f'Change the greeting to "Good morning".\n\n![]({attached}) [server.log]({log})'
    )
    second_issue = system.open_issue("Greet in the evening", 'Change the greeting to "Good evening".')
    system.label(first_issue)
    system.label(second_issue)
    first, second = system.session_of(first_issue), system.session_of(second_issue)

    assert system.visitor(first).wait_for("Good morning", 120).heading == "Good morning"
    assert system.visitor(second).wait_for("Good evening", 120).heading == "Good evening"

    rows = [system.wait_for_turn(session) for session in (first, second)]
    assert rows[0]["ip"] != rows[1]["ip"]
    assert rows[0]["branch"] != rows[1]["branch"]
    (made,) = committed(system, rows[0])
    author, message = made["commit"]["author"]["name"], made["commit"]["message"]
    assert author.endswith("[bot]")
    assert re.search(rf"\n\nCo-authored-by: octo-dev <\d+\+octo-dev@.+>\nClaude-Session: .+//{first.id}\.", message), (
        message
    )
    first_answer, second_answer = (answers(system, row, 1)[0] for row in rows)
    assert "Images that came with it: image/gif." in first_answer
    assert f"Claude hasn't seen an attached file: [server.log]({log}) isn't an image." in first_answer
    assert "mage" not in second_answer
    for session, row, own, other in zip(
        (first, second), rows, ("morning", "evening"), ("evening", "morning"), strict=True
    ):
        (answer,) = answers(system, row, 1)
        (commit,) = commits_of(system, row)
        status = system.wait_for_status(session, f"/commit/{commit}")
        assert ([commit], [commit]) == (listed(status), listed(answer))
        assert own in status
        assert own in answer
        assert other not in status + answer
        assert f"//{session.id}." in status


def test_a_comment_changes_the_page_and_is_answered_once_with_what_was_pushed(system: System) -> None:
    system = lunch_boards(system)
    before = len(requests(system))
    session, row = started(system, "First course")

    comment = system.comment(row["pull_number"], 'Please change the greeting to "Second course".')

    assert system.visitor(session).wait_for("Second course", 60).heading == "Second course"
    _, answer = answers(system, row, 2)
    status = wait_for(lambda: system.status_comment(session), lambda body: len(listed(body)) == 2)
    remote = system.github.call("GET", f"/repos/{system.repository}/git/ref/heads/{row['branch']}")["object"]["sha"]
    assert comment["html_url"] in answer
    assert [remote] == listed(answer)
    assert [remote, *commits_of(system, row)[:1]] == listed(status)
    seen = system.github.call("GET", f"/repos/{system.repository}/issues/comments/{comment['id']}")["reactions"]
    assert seen["eyes"] == 1
    described = system.github.call("GET", f"/repos/{system.repository}/pulls/{row['pull_number']}")["body"]
    assert "Second course" in described
    assert f"\n\nCloses #{session.issue_number}\n" in described
    assert "pull-request>" not in described + answer
    asked = requests(system)[before:]
    git = sum(".git/" in one for one in asked)
    # docs/sessions.md's figures without tokens and updates of the status comment, one repeated, and a look at the
    # branch for each push event that comes once the session has pushed again
    assert (len(asked) - git <= 15 + 1, git <= 11 + 6 + 2 + 2 * 2) == (True, True), asked


@pytest.mark.parametrize(
    ("slow", "activity"), [("think 100", "turn_started"), ("run sleep 100", "sleep 100")], ids=["thinks", "works"]
)
def test_an_interrupt_ends_a_turn_at_once_whether_claude_thinks_or_works(
    system: System, slow: str, activity: str
) -> None:
    session, row = started(system, "Before")
    pull = row["pull_number"]
    system.comment(pull, f"Take your time.\n\nscripted-model: {slow}")
    system.wait_for_row(session, lambda row: activity in row["activity"])

    system.comment(pull, "/interrupt")
    system.comment(pull, 'Change the greeting to "After".')

    (interrupted,) = wait_for(lambda: interrupted_turns(system, pull), bool)
    assert listed(interrupted) == []
    assert system.visitor(session).wait_for("After", 60).heading == "After"


def interrupted_turns(system: System, pull: str) -> list[str]:
    """What the pull request says of turns that were interrupted."""
    return [one["body"] for one in system.comments(int(pull)) if "This turn was interrupted" in one["body"]]


MARKDOWN_TITLE = (
    "Fix **bold** `code` \"quotes\" 'single' <b>html</b> [link](http://x) 🍜 émoji\nsecond line @octo-dev #1"
)


@pytest.mark.parametrize(
    ("title", "body"),
    [
        pytest.param("Tidy the long request", "Lorem ipsum dolor 🍜\n" * 3276 + "x" * 16, id="65,536 characters"),
        pytest.param(MARKDOWN_TITLE, "", id="a title full of markup, an empty body"),
    ],
)
def test_hard_texts_work_end_to_end(system: System, title: str, body: str) -> None:
    assert len(body) <= 65_536
    session = system.start(title, body)

    row = system.wait_for_turn(session)

    pull = pull_request(system, row)
    assert " ".join(title.split()) == pull["title"]
    assert f"Closes #{session.issue_number}" in pull["body"]
    assert [row["reported_head_sha"]] == commits_of(system, row)
    assert row["reported_head_sha"] == pull["head"]["sha"]
    assert system.visitor(session).fetch().status == 200


def test_a_first_turn_with_commits_makes_the_draft_ready_and_its_merge_ends_the_session_and_its_url_says_so(
    system: System,
) -> None:
    other = system.open_issue("Something else", "")
    session = system.start("Review me", f'Change the greeting to "This fixes #{other}".')  # so says the commit, too
    row = system.wait_for_row(session, lambda row: "pull_number" in row)
    assert pull_request(system, row)["draft"]

    wait_for(lambda: pull_request(system, row), lambda pull: not pull["draft"], 120)
    assert len(commits_of(system, row)) == 1
    system.wait_for_row(session, lambda row: "lifecycle_token" in row)
    visitor = system.visitor(session)
    system.github.call("PUT", f"/repos/{system.repository}/pulls/{row['pull_number']}/merge", {})

    assert system.wait_for_end(session) == "SUCCEEDED"
    ended = system.row(session.id)
    assert (ended["status"], ended["end_reason"]) == ("COMPLETED", "The pull request was merged.")
    assert commits_of(system, row) == listed(system.wait_for_status(session, "Completed"))
    gone = wait_for(visitor.fetch, lambda page: page.status == 410, 10)
    assert "The pull request was merged." in gone.text
    wait_for(lambda: system.running_tasks(session), lambda tasks: tasks == [])
    issues = [
        system.github.call("GET", f"/repos/{system.repository}/issues/{n}") for n in (session.issue_number, other)
    ]
    assert [issue["state"] for issue in issues] == ["closed", "open"]


def test_claude_shares_its_branch_with_people_until_they_squash_it_and_begins_anew_from_there(system: System) -> None:
    there = repository(system, "shared", {"menu.md": "soup\n"})
    session = there.start("Write the menu", "scripted-model: run echo salad > menu.md && git commit -qam Menu")
    row = there.wait_for_turn(session)
    pull = row["pull_number"]

    there.comment(pull, "Better words.\n\nscripted-model: run git commit -q --amend -m 'Put salad on the menu'")
    amended = answers(there, row, 2)[1]
    assert listed(amended) == commits_of(there, row)
    assert subjects(there, row) == ["Put salad on the menu"]

    line = {"path": "menu.md", "line": 1, "side": "RIGHT", "body": "With what?"}
    says = "printf 'Thread 1:\\nWith bread.\\nOverall:\\nThere is bread now.\\n'"
    ordered = f"scripted-model: run echo bread >> menu.md && {says}"
    review = {"event": "REQUEST_CHANGES", "body": ordered, "comments": [line]}
    there.github.call("POST", f"/repos/{there.repository}/pulls/{pull}/reviews", review)
    reviewed = answers(there, row, 3)[2]
    assert listed(reviewed) == commits_of(there, row)[1:]
    asked, replied = wait_for(
        lambda: there.github.call("GET", f"/repos/{there.repository}/pulls/{pull}/comments"),
        lambda found: len(found) == 2,
    )
    assert asked["id"] == replied["in_reply_to_id"]
    assert ("With bread." in replied["body"], "There is bread now." in reviewed) == (True, True)

    there.push_file("main", "menu.md", "stew\n")
    resolve = "git checkout -q --ours menu.md && git add menu.md && git commit -q --no-edit"
    there.comment(pull, f"Merge main.\n\nscripted-model: run git merge -q github/main || ({resolve})")
    answers(there, row, 4)
    stew = there.github.call("GET", f"/repos/{there.repository}/git/ref/heads/main")["object"]["sha"]
    head = there.github.call("GET", f"/repos/{there.repository}/git/ref/heads/{row['branch']}")["object"]["sha"]
    merged = there.github.call("GET", f"/repos/{there.repository}/commits/{head}")
    assert stew in [parent["sha"] for parent in merged["parents"]]
    assert pull_request(there, row)["mergeable"]

    name = f"{there.repository.partition('/')[2]}-renamed"
    there = there.at(there.github.call("PATCH", f"/repos/{there.repository}", {"name": name})["full_name"])
    there.comment(pull, "scripted-model: run echo cheese >> menu.md")
    assert listed(answers(there, row, 5)[4]) == commits_of(there, row)[-1:]

    there.github.call("PUT", f"/repos/{there.repository}/pulls/{pull}/merge", {"merge_method": "squash"})
    assert there.wait_for_end(session) == "SUCCEEDED"
    there.github.call("PATCH", f"/repos/{there.repository}/issues/{session.issue_number}", {"state": "open"})
    there.unlabel(session.issue_number)
    there.label(session.issue_number)
    following = there.wait_for_turn(there.session_of(session.issue_number))
    assert following["pull_number"] != pull
    assert subjects(there, following) == ["Menu"]


def test_the_label_on_somebodys_pull_request_has_claude_go_on_there_until_it_is_taken_away(system: System) -> None:
    there = repository(system, "drafted", {"menu.md": "soup\n"})
    pulls, branch = f"/repos/{there.repository}/pulls", "feature/menu#2"
    main = there.github.call("GET", f"/repos/{there.repository}/git/ref/heads/main")["object"]["sha"]
    for name in ("develop", branch):
        there.github.call("POST", f"/repos/{there.repository}/git/refs", {"ref": f"refs/heads/{name}", "sha": main})
    there.push_file(branch, "menu.md", "soup\nstew\n")
    there.push_file("develop", "bread.md", "bread\n")
    orders = (
        "scripted-model: run echo salad >> menu.md && git commit -qam Salad && git merge -q --no-edit github/develop"
    )
    mine = {"title": "A menu", "head": branch, "base": "develop", "body": orders}
    pull = there.github.call("POST", pulls, {**mine, "draft": True})
    there.label(pull["number"])

    session = there.session_of(pull["number"])
    row = there.wait_for_turn(session)
    assert (row["branch"], int(row["pull_number"])) == (branch, pull["number"])
    assert there.commits(row["pull_number"])[0] == "docs: add menu.md"
    pushed = commits_of(there, row)
    assert subjects(there, row)[0] == "Salad"
    assert listed(answers(there, row, 1)[0]) == pushed[:0:-1] + pushed[:1]
    there.comment(pull["number"], "scripted-model: run echo cheese >> menu.md")
    assert listed(answers(there, row, 2)[1]) == commits_of(there, row)[2:]
    now = pull_request(there, row)
    assert (now["body"], now["draft"], len(there.github.call("GET", pulls))) == (mine["body"], True, 1)

    there.unlabel(pull["number"])
    assert there.wait_for_end(session) == "SUCCEEDED"
    assert there.row(session.id)["end_reason"] == "The label claude-dev was removed from the pull request."


def test_a_container_that_dies_is_told_and_the_label_starts_the_next_session_on_its_branch(system: System) -> None:
    first, row = started(system, "Farewell")
    visitor = system.visitor(first)
    cluster = system.installation.outputs["ClusterArn"]
    system.client("ecs").stop_task(cluster=cluster, task=row["task_arn"], reason="pulled the plug")

    assert system.wait_for_end(first) == "FAILED"
    failure = system.wait_for_comment(row["pull_number"], f"<!-- claude-cloud-agent:failure:{first.id} -->")
    assert "pulled the plug" in failure
    assert "The agent's container stopped" in system.wait_for_status(first, "Failed")
    assert wait_for(visitor.fetch, lambda page: page.status == 410, 10).status == 410
    system.unlabel(first.issue_number)
    system.label(first.issue_number)

    wait_for(lambda: system.executions_of(first.issue_number), lambda names: len(names) == 2)
    second = system.session_of(first.issue_number)
    following = system.wait_for_row(second, lambda row: row.get("status") == "RUNNING")
    assert (row["branch"], row["pull_number"]) == (following["branch"], following["pull_number"])
    assert system.visitor(second).wait_for("Farewell", 60).heading == "Farewell"


def test_a_repository_without_a_dev_server_is_a_session_without_a_preview(system: System) -> None:
    there = repository(system, "library", {"README.md": "# Nothing to serve\n"})
    session = there.start("Write it down", "scripted-model: run echo written > notes.txt")
    row = there.wait_for_turn(session)

    assert "**Preview:** None: " in there.wait_for_status(session, "None: ")
    assert "**Pushed** 1 commit" in there.wait_for_comment(row["pull_number"], "**Pushed**")
    page = there.visitor(session).fetch()
    assert (page.status, "This session has no preview" in page.text) == (404, True)
