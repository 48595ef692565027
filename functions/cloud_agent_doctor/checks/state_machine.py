"""Is the deployed workflow the one this version was built with?

Checks the deployed state machine: it exists, is a standard one, uses the stack's role, logs every step without inputs
and outputs (they hold the sessions' tokens), and traces. Then compares the definition, state by state and field by
field, with the one this program carries. What the template substitutes, such as the table's name and the functions'
ARNs, must be the stack's own. The workflow references the agents' task definitions by family, of which ECS runs the
latest revision: that one must be the stack's own, too.

A difference means that somebody edited the workflow in the console, or that this program and the stack are different
versions: run the doctor of the deployed version, or deploy this one. The fix is a deployment, never an edit.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers import task_definitions
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.stack.definition_diff import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack

    Document = dict[str, Any]

_SHOWN = 5  # differences; more don't help


def run(context: CheckContext) -> Iterator[Finding]:
    """Find a workflow that's gone, or isn't what this version deploys."""
    stack = context.stack
    arn = stack.physical_id("SessionStateMachine")
    machine = task_definitions.state_machine(context)
    if machine is None:
        faults = ["it is gone"]
    else:
        faults = [*_definition_faults(machine["definition"], stack), *_setting_faults(machine, stack)]
    if faults:
        yield Finding(
            resource=arn or f"{stack.name}-session",
            problem=f"The workflow isn't what this version deploys: {'; '.join(faults)}.",
            impact="No session can start."
            if machine is None
            else "Sessions take a path that isn't documented or tested.",
            remediation=f"{revert_drift(stack)} If you want another version, `sam deploy` it.",
            confirm=f"aws stepfunctions describe-state-machine --state-machine-arn {arn}",
            logical_ids=("SessionStateMachine",),
        )
    yield from _other_revisions(context)


def repository_definition() -> str:
    """Return the text of statemachine/session.asl.json, as this package carries it."""
    return files("cloud_agent_doctor").joinpath("session.asl.json").read_text(encoding="utf-8")


def known_substitutions(stack: Stack) -> dict[str, str]:
    """Return what the template substitutes for a `${Name}`, as far as the stack has it under that name."""
    functions = stack.of_type("AWS::Lambda::Function")
    function_arn = f"arn:{stack.partition}:lambda:{stack.region}:{stack.account}:function:"
    own = {
        **stack.of_type("AWS::DynamoDB::Table"),
        "ClusterArn": stack.outputs.get("ClusterArn", ""),
        **{f"{name}Arn": function_arn + physical_id for name, physical_id in functions.items()},
        **{
            f"{name}Family": task_definitions.family_of(arn)
            for name, arn in stack.of_type("AWS::ECS::TaskDefinition").items()
        },
        **{f"{name}Id": physical_id for name, physical_id in stack.of_type("AWS::EC2::SecurityGroup").items()},
    }
    return {**stack.parameters, **{name: value for name, value in own.items() if value}}


def _definition_faults(deployed: str, stack: Stack) -> list[str]:
    try:
        found = differences(repository_definition(), deployed, known_substitutions(stack))
    except ValueError:
        return ["its definition isn't JSON"]
    faults = [one.text for one in found[:_SHOWN]]
    return [*faults, f"and {len(found) - _SHOWN} more differences"] if len(found) > _SHOWN else faults


def _other_revisions(context: CheckContext) -> Iterator[Finding]:
    for name in task_definitions.agent_task_definitions(context):
        definition = task_definitions.task_definition(context, name)
        logical_id, own = task_definitions.stacks_own(context.stack, name)
        runs = definition["taskDefinitionArn"] if definition else own  # a missing one is reported by `environment`
        if own and runs != own:
            yield Finding(
                resource=runs,
                problem=f"The workflow starts agents from {runs}, the family's latest revision, and not from the "
                f"stack's own, {own}.",
                impact="New sessions run a revision that was registered manually.",
                remediation=f"Put what's needed of it into the template, then `aws ecs deregister-task-definition "
                f"--task-definition {runs}`: the stack's own is the latest again.",
                confirm=f"aws ecs describe-task-definition --task-definition {task_definitions.family_of(name)} "
                "--query taskDefinition.taskDefinitionArn",
                logical_ids=(logical_id,),
            )


def _setting_faults(machine: Document, stack: Stack) -> Iterator[str]:
    if machine.get("type") != "STANDARD":
        yield f"its type is {machine.get('type')}, not STANDARD: it can't wait for hours"
    if machine.get("status", "ACTIVE") != "ACTIVE":
        yield f"its status is {machine['status']}, not ACTIVE"
    role = machine.get("roleArn", "").rpartition("/")[2]
    own = stack.physical_id("SessionStateMachineRole")
    if own and role != own:
        yield f"its role is {role or 'none'}, not {own}"
    logging = machine.get("loggingConfiguration", {})
    if logging.get("level") != "ALL" or not logging.get("destinations"):
        yield f"it logs at level {logging.get('level', 'OFF')}, not ALL"
    if logging.get("includeExecutionData"):
        yield "it logs inputs and outputs, which hold the sessions' tokens"
    if not machine.get("tracingConfiguration", {}).get("enabled"):
        yield "it doesn't trace"


CHECK = Check(
    name="state-machine",
    question="Is the deployed workflow the one this version was built with?",
    run=run,
    actions=(*task_definitions.AGENT_ACTIONS, *task_definitions.DEFINITION_ACTIONS),
)
