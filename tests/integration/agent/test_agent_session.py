"""Whole sessions: the real program, real git over HTTP, the real Claude Code against the scripted model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.integration.agent.conftest import BRANCH, git, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub


def test_an_issue_becomes_a_pushed_commit_and_a_changed_page(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.ask("Change the greeting", "Please change the greeting to: Hello from Claude")
    agent = start_agent()
    finished = agent.until(lambda: control_plane.events("turn_finished"))[0]

    nothing_said = {
        "idle_minutes": None,
        "max_turns": None,
        "budget_usd": None,
        "ready_for_review": True,
        "comment_trigger": None,
    }
    ready = {"port": 3000, "host_header": "localhost", "limits": nothing_said, "has_workspace_user": False}
    ready |= {"model": "claude-sonnet-5", "effort": None}
    assert [ready | {"task_token": "the-task-token"}] == control_plane.told("ready")
    assert github.head() == finished["head_sha"]
    assert (finished["is_error"], finished["turns"] > 3, finished["cost_usd"] > 0) == (False, True, True)
    assert "Hello from Claude" in finished["result"]
    assert "<h1>Hello from Claude</h1>" in github.show("templates/home.html")
    assert control_plane.events("tool_used")[0]["tool"] == "Bash"
    page = f"http://{control_plane.address}:3000/"
    agent.until(lambda: "<h1>Hello from Claude</h1>" in shown(page))
    assert control_plane.told("heartbeat")[0] == {"task_token": "the-task-token"}
    assert len(control_plane.told("git-read-token")) == 2  # to clone, and to bring the turn up to date
    assert len(control_plane.told("git-token")) == 1
    assert control_plane.told("done") == []
    recorded = agent.until(lambda: _recorded_turn(control_plane))
    assert [call["tool"] for call in recorded["tool_call"]] == ["Bash", "Read", "Edit", "Bash", "Bash"]
    assert recorded["tool_call"][2]["input"]["file_path"] == "templates/home.html"
    missing = [line for line in agent.log.read_text().splitlines() if '"message": "walls missing"' in line]
    assert ["as the supervisor's own user" in line for line in missing] == [True]
    assert {"session", "prompt", "turn_started", "tool_call", "tool_result", "file_change", "preview"} <= set(recorded)
    assert recorded["commit"][-1]["sha"] == finished["head_sha"]
    assert recorded["total_diff"][-1]["files"] >= 1
    (change,) = recorded["file_change"]
    assert change["path"] == "templates/home.html"
    assert "+  <h1>Hello from Claude</h1>" in change["diff"] or "+<h1>Hello from Claude</h1>" in change["diff"]
    assert change["prompt_id"] == finished["prompt_id"]
    assert {event["id"] for event in recorded["tool_call"]} == {event["id"] for event in recorded["tool_result"]}


def _recorded_turn(control_plane: ControlPlane) -> dict[str, list[dict[str, Any]]]:
    """The events up to the turn's end, by kind; nothing before that."""
    found: dict[str, list[dict[str, Any]]] = {}
    for event in list(control_plane.transcript):
        found.setdefault(event["kind"], []).append(event)
    return found if "turn_finished" in found else {}


def test_every_kind_of_request_is_carried_out_in_one_conversation(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    title = 'A `title` with **markdown**, "quotes", an emoji 🍜\nand $(touch /tmp/never) </issue> on two lines'
    control_plane.ask(title, "")
    control_plane.ask("Reorder the dishes", "x" * 65_536)
    control_plane.ask("", "Add a page /about that says “We are hungry”.", kind="comment")
    agent = start_agent()
    agent.until(lambda: len(control_plane.events("turn_finished")) == 3)
    finished = control_plane.events("turn_finished")

    assert [turn["is_error"] for turn in finished] == [False] * 3
    notes = json.loads(github.show("content/notes.json"))
    assert [" ".join(title.split()), "Reorder the dishes"] == notes[-2:]
    assert "<p>We are hungry</p>" in github.show("templates/about.html")
    assert github.subjects()[:2] == ["Add the page /about", "Put a note on the wall: Reorder the dishes"]
    assert sorted(turn["turns"] for turn in finished) == [turn["turns"] for turn in finished]
    assert sorted(turn["cost_usd"] for turn in finished) == [turn["cost_usd"] for turn in finished]
    transcripts = list((agent.home / ".claude" / "projects").glob("*/*.jsonl"))
    assert len(transcripts) == 1
    assert all(said in transcripts[0].read_text() for said in ("Reorder the dishes", "Add a page /about"))


def test_work_left_uncommitted_is_committed_and_a_turn_without_work_says_so(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    install = "install: mkdir node_modules && touch node_modules/a.js\n"
    before = github.commit({".github/claude-cloud-agent.yml": f"{install}dev: python3 dev.py\n"})
    control_plane.ask("Look only", "scripted-model: run git status")
    control_plane.ask("Leave it lying", "scripted-model: run echo left > left.txt\nscripted-model: run git push x y")
    agent = start_agent()
    nothing = agent.until(lambda: control_plane.events("turn_finished"))[0]
    assert (nothing["head_sha"], "nothing was pushed" in nothing["result"]) == (None, True)
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2)

    assert github.show("left.txt") == "left"
    assert (agent.work_tree / "node_modules/a.js").exists()
    assert github.files("node_modules") == ""
    assert github.subjects()[0] == "chore: commit changes that the last turn left uncommitted"
    assert github.head() == control_plane.events("turn_finished")[1]["head_sha"] != before
    assert "Do not push" in control_plane.events("turn_finished")[1]["result"]


def test_a_turn_begins_with_what_somebody_else_pushed_and_a_force_push_is_said(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.ask("Change the greeting to: First")
    agent = start_agent()
    agent.until(lambda: control_plane.events("turn_finished"))
    github.commit({"theirs.txt": "theirs\n"}, "their change")
    control_plane.ask("", "scripted-model: run cat theirs.txt", kind="comment")
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2)
    seen = control_plane.events("turn_finished")[1]
    assert (seen["is_error"], seen["head_sha"]) == (False, None)
    assert "theirs" in seen["result"].replace("theirs.txt", "")

    git("reset", "--quiet", "--hard", "HEAD~2", at=github.checkout)
    git("push", "--quiet", "--force", "origin", BRANCH, at=github.checkout)
    control_plane.ask("", "scripted-model: run git status", kind="comment")
    agent.until(lambda: len(control_plane.events("turn_finished")) == 3)
    rewritten = control_plane.events("turn_finished")[2]
    assert f"{BRANCH} was rewritten on GitHub: 2 commits removed, 0 new." in rewritten["result"]
    assert github.subjects() == ["start"]
    assert not (agent.work_tree / "theirs.txt").exists()


def test_an_error_of_the_model_ends_a_turn_but_not_the_session(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.ask("It fails", "scripted-model: fail 529")
    control_plane.ask("", "Change the greeting to: Recovered", kind="review_comment")
    agent = start_agent()
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2)
    failed, recovered = control_plane.events("turn_finished")

    assert (failed["is_error"], failed["interrupted"]) == (True, False)
    assert failed["result"].startswith("The model API is overloaded")
    assert (recovered["is_error"], "<h1>Recovered</h1>" in github.show("templates/home.html")) == (False, True)


def test_the_turns_of_a_session_are_counted_over_all_its_prompts(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    long = "\n".join(f"scripted-model: run echo {n}" for n in range(4))
    for title in ("Done", "Stopped", "Not even begun"):
        control_plane.ask(title, long)
    agent = start_agent(MAX_TURNS="8")
    agent.until(lambda: len(control_plane.events("turn_finished")) == 3)
    done, stopped, refused = control_plane.events("turn_finished")

    assert [(t["is_error"], t["turns"]) for t in (done, stopped, refused)] == [(False, 5), (True, 8), (True, 8)]
    assert "the session has used all of its 8 model turns (the deployment's `MaxTurns`" in stopped["result"]
    assert stopped["result"] == refused["result"]
    calls = agent.until(lambda: control_plane.recorded("tool_call"))
    assert sum("echo" in call["input"]["command"] for call in calls) == 6 + 1


def test_a_spent_budget_ends_the_turn_and_every_later_one_also_after_a_restart_of_claude(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    control_plane.ask("A little", "scripted-model: run echo 1")
    for title in ("Stopped by the budget", "Not even begun"):
        control_plane.ask(title, "\n".join(f"scripted-model: run echo {n}" for n in range(9)))
    agent = start_agent(MAX_BUDGET_USD="0.15")
    agent.until(lambda: len(control_plane.events("turn_finished")) == 3)
    little, spent, refused = control_plane.events("turn_finished")

    assert (little["is_error"], spent["is_error"], refused["is_error"]) == (False, True, True)
    assert "the session has used up its budget of $0.15 (" in spent["result"]
    assert 0 < little["cost_usd"] < 0.15 <= spent["cost_usd"] < 0.2
    assert (spent["cost_usd"], spent["turns"]) == (refused["cost_usd"], refused["turns"])


def test_prompts_are_worked_in_the_order_of_their_ids_and_each_once(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    b, c, d = (letter.rjust(26, "0") for letter in "BCD")
    control_plane.ask("Slow", "scripted-model: run sleep 5", prompt_id=b)
    agent = start_agent()
    agent.until(lambda: control_plane.events("turn_started"))
    for prompt_id in (d, c):
        control_plane.ask(f"This is {prompt_id[-1]}", prompt_id=prompt_id, kind="comment")
        polls = control_plane.polls
        agent.until(lambda polls=polls: control_plane.polls > polls + 1)  # type: ignore[misc]  # bound at once
    assert control_plane.events("turn_finished") == []
    agent.until(lambda: len(control_plane.events("turn_finished")) == 3)

    assert [event["prompt_id"] for event in control_plane.events("turn_finished")] == [b, c, d]
    assert [event["prompt_id"] for event in control_plane.events("turn_started")] == [b, c, d]
    assert json.loads(github.show("content/notes.json"))[-2:] == ["This is C", "This is D"]


def test_a_call_that_is_repeated_without_end_stops_the_turn(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    control_plane.ask("Loop", "\n".join(["scripted-model: run echo once-more >> count.txt"] * 20))
    control_plane.ask("Go on", "scripted-model: run echo on", kind="comment")
    agent = start_agent()
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2)
    looped, after = control_plane.events("turn_finished")

    assert (looped["is_error"], looped["interrupted"], after["is_error"]) == (True, False, False)
    assert looped["result"].startswith("Stopped: the very same Bash call was made 12 times in a row.")
    calls = agent.until(lambda: control_plane.recorded("tool_call"))
    assert len([call for call in calls if "once-more" in call["input"]["command"]]) == 12
    assert (agent.work_tree / "count.txt").read_text() == 5 * "once-more\n"


def test_a_crash_of_claude_code_is_answered_and_the_conversation_goes_on(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    control_plane.ask("Wait", "scripted-model: run sleep 91")
    agent = start_agent()
    agent.until(lambda: agent.family("91"))
    next(process for process in agent.family() if process.name() == "claude").kill()
    crashed = agent.until(lambda: control_plane.events("turn_finished"))[0]
    control_plane.ask("Go on", "scripted-model: run echo on", kind="comment")
    agent.until(lambda: len(control_plane.events("turn_finished")) == 2)

    assert (crashed["is_error"], crashed["interrupted"]) == (True, False)
    assert crashed["result"].startswith("Claude Code stopped unexpectedly (")
    assert not control_plane.events("turn_finished")[1]["is_error"]
    assert len(list((agent.home / ".claude" / "projects").glob("*/*.jsonl"))) == 1


def test_an_api_that_stumbles_is_asked_again(
    start_agent: Callable[..., Agent], control_plane: ControlPlane, log_of: Callable[[Agent], list[dict[str, Any]]]
) -> None:
    control_plane.stumbles = 3
    agent = start_agent()
    agent.until(lambda: control_plane.told("ready"))

    assert sum(line["message"] == "agent API call will be repeated" for line in log_of(agent)) == 3
