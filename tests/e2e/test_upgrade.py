"""Another version is deployed, and the former one again: sessions that run and sessions that wait go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.upgrade import STATE, upgraded

if TYPE_CHECKING:
    from tests.e2e.system import Session, System

SLOTS = 3  # of the stage


def version(stage: System) -> dict[str, str]:
    """What a deployment changes, as AWS names it."""
    client, outputs = stage.client("ecs"), stage.installation.outputs
    workflow = stage.executions.client.describe_state_machine(stateMachineArn=outputs["StateMachineArn"])
    (service,) = client.describe_services(cluster=outputs["ClusterArn"], services=[outputs["ProxyServiceArn"]])[
        "services"
    ]
    function = stage.client("lambda").get_function_configuration(FunctionName=stage.physical_id("AgentApiFunction"))
    return {
        "functions": function["CodeSha256"],
        "workflow": workflow["definition"],
        "agent": stage.physical_id("AgentTaskDefinition"),
        "proxy": service["taskDefinition"],
    }


def answered(stage: System, session: Session, reply: str) -> None:
    """Wait until the session's agent has given this reply on the pull request."""
    stage.wait_for_comment(stage.wait_for_row(session, lambda row: "pull_number" in row)["pull_number"], reply)


def stop(stage: System, session: Session) -> None:
    """Stop a session, and see it end as one that a person stopped."""
    stage.comment(stage.row(session.id)["pull_number"], "/stop")
    assert stage.wait_until_over(session)["status"] == "STOPPED"
    assert stage.wait_for_end(session) == "SUCCEEDED"


def passed(stage: System, session: Session) -> set[str]:
    """The states that the session's execution has entered."""
    return {state.name for state in stage.executions.states(session.execution_arn)}


def test_sessions_that_run_and_sessions_that_wait_go_on_over_an_upgrade_and_the_way_back(stage: System) -> None:
    running = [stage.start(f"Before the upgrade {n}", "Please.") for n in range(SLOTS)]
    for session in running:
        stage.wait_for_row(session, lambda row: "lifecycle_token" in row and row.get("turns") == "1")
    waiting = stage.start("Across the upgrade", "Please.")
    stage.wait_for_status(waiting, "next in line")
    former, table = version(stage), stage.physical_id("SessionsTable")
    old_agent = stage.task_definition(running[0])

    with upgraded(stage):
        now = version(stage)
        assert [what for what in former if former[what] == now[what]] == []
        assert [len(stage.running_tasks(session)) for session in running] == [1] * SLOTS
        stage.comment(stage.row(running[0].id)["pull_number"], "Go on after the upgrade")
        answered(stage, running[0], "Done: Go on after the upgrade")
        assert stage.visitor(running[0]).fetch().status == 200
        described = stage.client("ecs").describe_task_definition(taskDefinition=old_agent)["taskDefinition"]
        assert described["status"] == "INACTIVE"
        stop(stage, running[0])

        assert stage.wait_for_row(waiting, lambda row: row["status"] in {"RUNNING", "FAILED"})["status"] == "RUNNING"
        assert stage.task_definition(waiting) == now["agent"]
        answered(stage, waiting, "Tried out: Please.")
        newer = stage.start("Of the new version", "Please.")
        stage.wait_for_status(newer, "next in line")

    again = version(stage)
    assert (former["functions"], former["workflow"]) == (again["functions"], again["workflow"])
    for session, says in ((running[1], "Done"), (waiting, "Tried out")):
        stage.comment(stage.row(session.id)["pull_number"], "Go on after the way back")
        answered(stage, session, f"{says}: Go on after the way back")
    assert stage.visitor(waiting).fetch().status == 200
    stop(stage, running[1])
    answered(stage, newer, "Done: Please.")
    assert [STATE in passed(stage, session) for session in (waiting, newer)] == [False, True]
    assert ({session.id for session in (running[2], waiting, newer)}, []) == stage.slots()
    assert table == stage.physical_id("SessionsTable")
