"""Does every program get the environment variables it reads, under the right names?

Checks the environment of every function, of the proxy's task definition that's running now (not the one the template
would create), and of the task definition that the workflow starts agents from. The names must be the ones the code
declares, with none missing and none extra; the values must be the stack's own table, secrets, addresses and limits.

A misspelled name is the hardest fault to spot: the predecessor's proxy was given SESSION_TABLE, read SESSIONS_TABLE,
and found no session. Findings mean that somebody changed the environment manually, since a test holds template and
code equal. The fix is a change set that reverts drift, or a change of the template if the new value is wanted. Values
of secrets are never read here, only which secret is referenced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_agent.settings import POWERTOOLS_VARIABLES
from cloud_agent_doctor.containers import task_definitions, variables_read
from cloud_agent_doctor.containers.environment_faults import EnvironmentFault, environment_faults
from cloud_agent_doctor.containers.expected_values import expected_values
from cloud_agent_doctor.engine.check import Check, combine
from cloud_agent_doctor.engine.findings import Finding, revert_drift
from cloud_agent_doctor.settings import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic_settings import BaseSettings

    from cloud_agent_doctor.engine.context import CheckContext

    Document = dict[str, Any]


class _Contained(NamedTuple):
    """One of the two containers."""

    name: str
    variables: frozenset[str]
    secrets: frozenset[str]
    task_definition: str
    runs_it: str
    impact: str


_PROXY = _Contained(
    variables_read.PROXY_CONTAINER,
    variables_read.PROXY_VARIABLES,
    variables_read.PROXY_SECRETS,
    "ProxyTaskDefinition",
    "ProxyService",
    "The proxy doesn't start, or finds no session: every session URL shows an error.",
)
_AGENT = _Contained(
    variables_read.AGENT_CONTAINER,
    variables_read.AGENT_VARIABLES,
    variables_read.AGENT_SECRETS,
    "AgentTaskDefinition",
    "SessionStateMachine",
    "New sessions' containers exit on start: their pull requests say that the session has failed.",
)


def run(context: CheckContext) -> Iterator[Finding]:
    """Find functions and containers whose environment isn't the one their code reads."""
    return combine(
        *(_of_function(context, logical_id, settings) for logical_id, settings in FUNCTIONS.items()),
        _of_containers(context, task_definitions.proxy_task_definitions, _PROXY),
        _of_containers(context, task_definitions.agent_task_definitions, _AGENT),
    )


def variables_read_by(settings: type[BaseSettings]) -> frozenset[str]:
    """Return the names of a function's variables, as its code declares them."""
    return frozenset(str(field.validation_alias or name).upper() for name, field in settings.model_fields.items())


def _of_function(context: CheckContext, logical_id: str, settings: type[BaseSettings]) -> Iterator[Finding]:
    stack = context.stack
    name = stack.physical_id(logical_id)
    if not name:
        return
    confirm = f"aws lambda get-function-configuration --function-name {name} --query Environment.Variables"
    configuration = context.aws.describe(
        "lambda", "get_function_configuration", missing=["ResourceNotFoundException"], FunctionName=name
    )
    if configuration is None:
        yield Finding(
            resource=name,
            problem=f"The function {logical_id} is gone: {name} was deleted outside CloudFormation.",
            impact="Nothing does its work any more.",
            remediation=revert_drift(stack),
            confirm=confirm,
            logical_ids=(logical_id,),
        )
        return
    reads = variables_read_by(settings) | POWERTOOLS_VARIABLES
    given = configuration.get("Environment", {}).get("Variables", {})
    faults = list(environment_faults(reads, given, expected_values(stack)))
    if faults:
        yield Finding(
            resource=name,
            problem=f"The environment of {logical_id} isn't what its code reads: {_list(faults)}.",
            impact=_impact(faults, "The function fails on every call."),
            remediation=revert_drift(stack),
            confirm=confirm,
            logical_ids=(logical_id,),
        )


def _of_containers(
    context: CheckContext, in_use: Callable[[CheckContext], list[str]], contained: _Contained
) -> Iterator[Finding]:
    for name in in_use(context):
        definition = task_definitions.task_definition(context, name)
        arn = definition["taskDefinitionArn"] if definition else name
        problem, impact = _judged(context, arn, definition, contained)
        if problem:
            yield Finding(
                resource=arn,
                problem=problem,
                impact=impact,
                remediation=revert_drift(context.stack),
                confirm=f"aws ecs describe-task-definition --task-definition {arn} "
                "--query 'taskDefinition.containerDefinitions[].[environment[].name,secrets[].name]'",
                logical_ids=(_logical_id(context, arn, contained),),
            )


def _logical_id(context: CheckContext, arn: str, contained: _Contained) -> str:
    """Return the stack's task definition of the same family; a revision made by hand is one of them."""
    return task_definitions.stacks_own(context.stack, arn)[0] or contained.task_definition


def _judged(context: CheckContext, arn: str, definition: Document | None, contained: _Contained) -> tuple[str, str]:
    """Return what's wrong with a task definition and the impact; nothing if nothing is."""
    if definition is None:
        problem = f"{contained.runs_it} uses the task definition {arn}, which is gone or deregistered."
        return problem, "No new task can start from it."
    container = task_definitions.container(definition, contained.name)
    if container is None:
        return (
            f"The task definition {arn} of {contained.runs_it} has no container {contained.name!r}.",
            contained.impact,
        )
    plain = {one["name"]: one["value"] for one in container.get("environment", [])}
    secrets = {one["name"]: one["valueFrom"] for one in container.get("secrets", [])}
    given = {name: "" if name in contained.secrets else value for name, value in plain.items()} | secrets
    reads = contained.variables | contained.secrets
    if contained is _AGENT and context.stack.lists_egress:
        reads |= variables_read.EGRESS_VARIABLES
    faults = list(environment_faults(reads, given, expected_values(context.stack), contained.secrets))
    if not faults:
        return "", ""
    own = context.stack.physical_id(_logical_id(context, arn, contained))
    other = "" if arn == own else f" It isn't the stack's own revision, {own or 'which is gone'}."
    problem = f"The environment in {arn}, which {contained.runs_it} runs, isn't what the {contained.name} reads: "
    return f"{problem}{_list(faults)}.{other}", _impact(faults, contained.impact)


def _list(faults: list[EnvironmentFault]) -> str:
    return "; ".join(fault.text for fault in faults)


def _impact(faults: list[EnvironmentFault], when_it_stops: str) -> str:
    if any(fault.stops for fault in faults):
        return when_it_stops
    return "It runs with values that aren't the stack's, or gets variables it doesn't read."


CHECK = Check(
    name="environment",
    question="Does every program get the environment variables it reads?",
    run=run,
    actions=(
        "lambda:GetFunctionConfiguration",
        *task_definitions.PROXY_ACTIONS,
        *task_definitions.AGENT_ACTIONS,
        *task_definitions.DEFINITION_ACTIONS,
    ),
)
