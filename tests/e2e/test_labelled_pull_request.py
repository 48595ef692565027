"""The label on somebody's pull request: the session goes on there, and ends when the label is taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.failures import repository

if TYPE_CHECKING:
    from tests.e2e.system import System

BRANCH = "feature/menu#2"


def test_a_session_works_on_its_branch_until_the_label_is_taken_away(stage: System) -> None:
    there = repository(stage, "labelled", {"menu.md": "soup\n"})
    path = f"/repos/{there.repository}"
    main = there.github.call("GET", f"{path}/git/ref/heads/main")["object"]["sha"]
    there.github.call("POST", f"{path}/git/refs", {"ref": f"refs/heads/{BRANCH}", "sha": main})
    there.push_file(BRANCH, "menu.md", "soup\nstew\n")
    mine = {"title": "A menu", "head": BRANCH, "base": "main", "body": "Please."}
    pull = there.github.call("POST", f"{path}/pulls", {**mine, "draft": True})
    there.label(pull["number"])

    session = there.session_of(pull["number"])
    row = there.wait_for_row(session, lambda row: row.get("turns") == "1")
    assert (row["branch"], int(row["pull_number"])) == (BRANCH, pull["number"])
    assert "Done: Please." in there.wait_for_comment(pull["number"], "claude-cloud-agent:turn:")
    assert there.visitor(session).fetch().status == 200
    (now,) = there.github.call("GET", f"{path}/pulls")
    assert (now["body"], now["draft"]) == (mine["body"], True)

    there.unlabel(pull["number"])
    assert there.wait_for_end(session) == "SUCCEEDED"
    assert there.row(session.id)["end_reason"] == "The label claude-dev was removed from the pull request."
