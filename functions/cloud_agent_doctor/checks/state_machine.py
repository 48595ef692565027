"""Is the workflow that runs the one this version was made with?

Looks at the state machine as it is deployed: that it exists, is a standard one, uses the stack's role, logs every step
without the inputs and outputs (they hold the sessions' tokens) and traces. Then it compares the definition, state by
state and field by field, with the one that this program carries. What the template fills in, such as the table's name
and the functions' ARNs, must be the stack's own. The workflow names the agents' task definitions by family, of which
ECS runs the latest revision: that one must be the stack's own, too.

A difference means that somebody edited the workflow in the console, or that this program and the stack are of two
versions: run the doctor of the version that is deployed, or deploy this one. The mend is a deployment, never an edit.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers import workloads
from cloud_agent_doctor.engine import mends
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.stack.definitions import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination, Stack

    Document = dict[str, Any]

_SHOWN = 5  # differences; more say no more


def examine(examination: Examination) -> Iterator[Finding]:
    """Find a workflow that is gone, or is not what this version deploys."""
    stack = examination.stack
    arn = stack.physical_id("SessionStateMachine")
    machine = workloads.state_machine(examination)
    if machine is None:
        faults = ["it is gone"]
    else:
        faults = [*_definition_faults(machine["definition"], stack), *_setting_faults(machine, stack)]
    if faults:
        yield Finding(
            resource=arn or f"{stack.name}-session",
            problem=f"The workflow is not what this version deploys: {'; '.join(faults)}.",
            meaning="No session can start."
            if machine is None
            else "Sessions go another way than documented and tested.",
            mend=f"{mends.revert(stack)} Where another version is meant, `sam deploy` it.",
            confirm=f"aws stepfunctions describe-state-machine --state-machine-arn {arn}",
            logical_ids=("SessionStateMachine",),
        )
    yield from _other_revisions(examination)


def repository_definition() -> str:
    """Return the text of statemachine/session.asl.json, as this package carries it."""
    return files("cloud_agent_doctor").joinpath("session.asl.json").read_text(encoding="utf-8")


def known_substitutions(stack: Stack) -> dict[str, str]:
    """Return what the template puts in place of a `${Name}`, as far as the stack tells it by a name of its own."""
    functions = stack.of_type("AWS::Lambda::Function")
    function_arn = f"arn:{stack.partition}:lambda:{stack.region}:{stack.account}:function:"
    own = {
        **stack.of_type("AWS::DynamoDB::Table"),
        "ClusterArn": stack.outputs.get("ClusterArn", ""),
        **{f"{name}Arn": function_arn + physical_id for name, physical_id in functions.items()},
        **{
            f"{name}Family": workloads.family_of(arn) for name, arn in stack.of_type("AWS::ECS::TaskDefinition").items()
        },
        **{f"{name}Id": physical_id for name, physical_id in stack.of_type("AWS::EC2::SecurityGroup").items()},
    }
    return {**stack.parameters, **{name: value for name, value in own.items() if value}}


def _definition_faults(deployed: str, stack: Stack) -> list[str]:
    try:
        found = differences(repository_definition(), deployed, known_substitutions(stack))
    except ValueError:
        return ["its definition is no JSON"]
    faults = [one.words for one in found[:_SHOWN]]
    return [*faults, f"and {len(found) - _SHOWN} differences more"] if len(found) > _SHOWN else faults


def _other_revisions(examination: Examination) -> Iterator[Finding]:
    for name in workloads.agent_task_definitions(examination):
        definition = workloads.task_definition(examination, name)
        logical_id, own = workloads.stacks_own(examination.stack, name)
        runs = definition["taskDefinitionArn"] if definition else own  # one that is gone is the environment's check
        if own and runs != own:
            yield Finding(
                resource=runs,
                problem=f"The workflow starts agents from {runs}, the family's latest revision, and not from the "
                f"stack's own, {own}.",
                meaning="New sessions run what somebody registered by hand.",
                mend=f"Put what it has of use into the template, then `aws ecs deregister-task-definition "
                f"--task-definition {runs}`: the stack's own is the latest again.",
                confirm=f"aws ecs describe-task-definition --task-definition {workloads.family_of(name)} "
                "--query taskDefinition.taskDefinitionArn",
                logical_ids=(logical_id,),
            )


def _setting_faults(machine: Document, stack: Stack) -> Iterator[str]:
    if machine.get("type") != "STANDARD":
        yield f"its type is {machine.get('type')}, not STANDARD: it could not wait for hours"
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
        yield "it does not trace"


CHECK = Check(
    name="state-machine",
    question="Is the workflow that runs the one this version was made with?",
    examine=examine,
    actions=(*workloads.AGENT_ACTIONS, *workloads.DEFINITION_ACTIONS),
)
