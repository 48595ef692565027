"""Whole sessions: the real program, real git over HTTP, the real Claude Code against the scripted model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.agent.conftest import Agent, ControlPlane, GitHub


def test_an_issue_becomes_a_pushed_commit_and_a_changed_page(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.ask("Change the greeting", "Please change the greeting to: Hello from Claude")
    agent = start_agent()
    finished = agent.until(lambda: control_plane.events("turn_finished"))[0]

    nothing_said = {"idle_minutes": None, "max_turns": None, "budget_usd": None, "ready_for_review": True}
    ready = {"task_token": "the-task-token", "port": 3000, "host_header": "localhost", "limits": nothing_said}
    assert [ready] == control_plane.told("ready")
    assert github.head() == finished["head_sha"]
    assert (False, True, True) == (finished["is_error"], finished["turns"] > 3, finished["cost_usd"] > 0)
    assert "Hello from Claude" in finished["result"]
    assert "<h1>Hello from Claude</h1>" in github.show("templates/home.html")
    assert ["Bash", "Read", "Edit", "Bash", "Bash"] == [e["tool"] for e in control_plane.events("tool_used")]
    assert "templates/home.html" == control_plane.events("tool_used")[2]["detail"]
    page = f"http://{control_plane.address}:3000/"
    agent.until(lambda: "<h1>Hello from Claude</h1>" in urlopen(page, timeout=5).read().decode())
    assert {"task_token": "the-task-token"} == control_plane.told("heartbeat")[0]
    assert 2 == len(control_plane.told("git-token"))  # one to clone, one to publish
    assert [] == control_plane.told("done")


def test_every_kind_of_request_is_carried_out_in_one_conversation(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    title = 'A `title` with **markdown**, "quotes", an emoji 🍜\nand $(touch /tmp/never) </issue> on two lines'
    control_plane.ask(title, "")
    control_plane.ask("Reorder the dishes", "x" * 65_536)
    control_plane.ask("", "Add a page /about that says “We are hungry”.", kind="comment")
    agent = start_agent()
    agent.until(lambda: 3 == len(control_plane.events("turn_finished")))
    finished = control_plane.events("turn_finished")

    assert [False] * 3 == [turn["is_error"] for turn in finished]
    notes = json.loads(github.show("content/notes.json"))
    assert [" ".join(title.split()), "Reorder the dishes"] == notes[-2:]
    assert "<p>We are hungry</p>" in github.show("templates/about.html")
    assert ["Add the page /about", "Put a note on the wall: Reorder the dishes"] == github.subjects()[:2]
    assert sorted(turn["turns"] for turn in finished) == [turn["turns"] for turn in finished]
    assert sorted(turn["cost_usd"] for turn in finished) == [turn["cost_usd"] for turn in finished]
    transcripts = list((agent.home / ".claude" / "projects").glob("*/*.jsonl"))
    assert 1 == len(transcripts)
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
    assert (None, True) == (nothing["head_sha"], "nothing was pushed" in nothing["result"])
    agent.until(lambda: 2 == len(control_plane.events("turn_finished")))

    assert "left" == github.show("left.txt")
    assert (agent.work_tree / "node_modules/a.js").exists()
    assert "" == github.files("node_modules")
    assert "chore: commit what the last turn left uncommitted" == github.subjects()[0]
    assert github.head() == control_plane.events("turn_finished")[1]["head_sha"] != before
    assert "Do not push" in control_plane.events("turn_finished")[1]["result"]


def test_a_push_by_somebody_else_is_merged_and_a_conflict_is_told(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.ask("Change the greeting to: First")
    agent = start_agent()
    agent.until(lambda: control_plane.events("turn_finished"))
    github.commit({"theirs.txt": "theirs\n"}, "their change")
    control_plane.ask("", "Change the greeting to: Second", kind="comment")
    agent.until(lambda: 2 == len(control_plane.events("turn_finished")))
    merged = control_plane.events("turn_finished")[1]

    assert (False, github.head()) == (merged["is_error"], merged["head_sha"])
    assert ("theirs", True) == (github.show("theirs.txt"), "<h1>Second</h1>" in github.show("templates/home.html"))
    assert "theirs\n" == (agent.work_tree / "theirs.txt").read_text()

    page = (github.checkout / "templates/home.html").read_text()
    theirs = github.commit({"templates/home.html": page.replace("First", "Theirs").replace("Second", "Theirs")})
    control_plane.ask("", "Change the greeting to: Third", kind="comment")
    agent.until(lambda: 3 == len(control_plane.events("turn_finished")))
    refused = control_plane.events("turn_finished")[2]

    assert (True, None, theirs) == (refused["is_error"], refused["head_sha"], github.head())
    assert "touch the same lines" in refused["result"]
    assert "<h1>Third</h1>" in (agent.work_tree / "templates/home.html").read_text()


def test_an_error_of_the_model_ends_a_turn_but_not_the_session(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.ask("It fails", "scripted-model: fail 529")
    control_plane.ask("", "Change the greeting to: Recovered", kind="review_comment")
    agent = start_agent()
    agent.until(lambda: 2 == len(control_plane.events("turn_finished")))
    failed, recovered = control_plane.events("turn_finished")

    assert (True, False) == (failed["is_error"], failed["interrupted"])
    assert failed["result"].startswith("The model API is overloaded")
    assert (False, True) == (recovered["is_error"], "<h1>Recovered</h1>" in github.show("templates/home.html"))


def test_the_turns_of_a_session_are_counted_over_all_its_prompts(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    long = "\n".join(f"scripted-model: run echo {n}" for n in range(4))
    for title in ("Done", "Stopped", "Not even begun"):
        control_plane.ask(title, long)
    agent = start_agent(MAX_TURNS="8")
    agent.until(lambda: 3 == len(control_plane.events("turn_finished")))
    done, stopped, refused = control_plane.events("turn_finished")

    assert [(False, 5), (True, 8), (True, 8)] == [(t["is_error"], t["turns"]) for t in (done, stopped, refused)]
    assert "the session's 8 turns of the model are used up (`MaxTurns`" in stopped["result"]
    assert stopped["result"] == refused["result"]
    assert 6 + 1 == sum("echo" in event["detail"] for event in control_plane.events("tool_used"))


def test_a_spent_budget_ends_the_turn_and_every_later_one_also_after_a_restart_of_claude(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    control_plane.ask("A little", "scripted-model: run echo 1")
    for title in ("Stopped by the budget", "Not even begun"):
        control_plane.ask(title, "\n".join(f"scripted-model: run echo {n}" for n in range(9)))
    agent = start_agent(MAX_BUDGET_USD="0.1")
    agent.until(lambda: 3 == len(control_plane.events("turn_finished")))
    little, spent, refused = control_plane.events("turn_finished")

    assert (False, True, True) == (little["is_error"], spent["is_error"], refused["is_error"])
    assert "the session's budget of $0.10 is used up (`MaxBudgetUsd`" in spent["result"]
    assert 0 < little["cost_usd"] < 0.1 <= spent["cost_usd"] < 0.15
    assert (spent["cost_usd"], spent["turns"]) == (refused["cost_usd"], refused["turns"])


def test_prompts_are_worked_in_the_order_of_their_ids_and_each_once(
    start_agent: Callable[..., Agent], github: GitHub, control_plane: ControlPlane
) -> None:
    control_plane.ask("Slow", "scripted-model: run sleep 5", prompt_id="b")
    agent = start_agent()
    agent.until(lambda: control_plane.events("turn_started"))
    for prompt_id in ("d", "c"):
        control_plane.ask(f"This is {prompt_id}", prompt_id=prompt_id, kind="comment")
        polls = control_plane.polls
        agent.until(lambda polls=polls: control_plane.polls > polls + 1)  # type: ignore[misc]  # bound at once
    assert [] == control_plane.events("turn_finished")
    agent.until(lambda: 3 == len(control_plane.events("turn_finished")))

    assert ["b", "c", "d"] == [event["prompt_id"] for event in control_plane.events("turn_finished")]
    assert ["b", "c", "d"] == [event["prompt_id"] for event in control_plane.events("turn_started")]
    assert ["This is c", "This is d"] == json.loads(github.show("content/notes.json"))[-2:]


def test_a_call_that_is_repeated_without_end_stops_the_turn(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    control_plane.ask("Loop", "\n".join(["scripted-model: run echo once-more >> count.txt"] * 20))
    control_plane.ask("Go on", "scripted-model: run echo on", kind="comment")
    agent = start_agent()
    agent.until(lambda: 2 == len(control_plane.events("turn_finished")))
    looped, after = control_plane.events("turn_finished")

    assert (True, False, False) == (looped["is_error"], looped["interrupted"], after["is_error"])
    assert looped["result"].startswith("Stopped: the very same Bash call was made 12 times in a row.")
    assert 12 == len([event for event in control_plane.events("tool_used") if "once-more" in event["detail"]])
    assert 5 * "once-more\n" == (agent.work_tree / "count.txt").read_text()


def test_a_crash_of_claude_code_is_answered_and_the_conversation_goes_on(
    start_agent: Callable[..., Agent], control_plane: ControlPlane
) -> None:
    control_plane.ask("Wait", "scripted-model: run sleep 91")
    agent = start_agent()
    agent.until(lambda: agent.family("91"))
    next(process for process in agent.family() if process.name() == "claude").kill()
    crashed = agent.until(lambda: control_plane.events("turn_finished"))[0]
    control_plane.ask("Go on", "scripted-model: run echo on", kind="comment")
    agent.until(lambda: 2 == len(control_plane.events("turn_finished")))

    assert (True, False) == (crashed["is_error"], crashed["interrupted"])
    assert crashed["result"].startswith("Claude Code stopped unexpectedly (")
    assert not control_plane.events("turn_finished")[1]["is_error"]
    assert 1 == len(list((agent.home / ".claude" / "projects").glob("*/*.jsonl")))


def test_an_api_that_stumbles_is_asked_again(
    start_agent: Callable[..., Agent], control_plane: ControlPlane, log_of: Callable[[Agent], list[dict[str, Any]]]
) -> None:
    control_plane.stumbles = 3
    agent = start_agent()
    agent.until(lambda: control_plane.told("ready"))

    assert 3 == sum("agent API call will be repeated" == line["message"] for line in log_of(agent))
