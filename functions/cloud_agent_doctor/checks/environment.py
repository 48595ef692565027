"""Is every program told what it reads, by the names it reads it by?

Looks at the environment of every function, of the proxy's task definition that runs now (not the one the template
would have), and of the task definition that the workflow starts agents from. The names must be those that the code
declares, none missing, none more; the values must be the stack's own table, secrets, addresses and limits.

A misspelt name is the fault that is hardest to see: the predecessor's proxy was given SESSION_TABLE, read
SESSIONS_TABLE, and found no session. What is found here was changed by hand, for template and code are held equal by a
test. It is mended by a change set that reverts drift, or, where a new revision is wanted, by a change of the template.
Values of secrets are never looked at here, only which secret is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_agent.settings import POWERTOOLS_VARIABLES
from cloud_agent_doctor.containers import container_environment as containers
from cloud_agent_doctor.containers import workloads
from cloud_agent_doctor.containers.environment_faults import EnvironmentFault, environment_faults
from cloud_agent_doctor.containers.expected_environment import expected_values
from cloud_agent_doctor.engine import mends
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.engine.parts import all_parts
from cloud_agent_doctor.settings import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic_settings import BaseSettings

    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]


class _Contained(NamedTuple):
    """One of the two containers."""

    name: str
    variables: frozenset[str]
    secrets: frozenset[str]
    task_definition: str
    runs_it: str
    meaning: str


_PROXY = _Contained(
    containers.PROXY_CONTAINER,
    containers.PROXY_VARIABLES,
    containers.PROXY_SECRETS,
    "ProxyTaskDefinition",
    "ProxyService",
    "The proxy does not start, or finds no session: every session URL shows an error.",
)
_AGENT = _Contained(
    containers.AGENT_CONTAINER,
    containers.AGENT_VARIABLES,
    containers.AGENT_SECRETS,
    "AgentTaskDefinition",
    "SessionStateMachine",
    "New sessions' containers end as they start: their pull requests say that the session has failed.",
)


def examine(examination: Examination) -> Iterator[Finding]:
    """Find functions and containers whose environment is not the one that their code reads."""
    return all_parts(
        *(_of_function(examination, logical_id, settings) for logical_id, settings in FUNCTIONS.items()),
        _of_containers(examination, workloads.proxy_task_definitions, _PROXY),
        _of_containers(examination, workloads.agent_task_definitions, _AGENT),
    )


def variables_read_by(settings: type[BaseSettings]) -> frozenset[str]:
    """Return the names of a function's variables, as its code declares them."""
    return frozenset(str(field.validation_alias or name).upper() for name, field in settings.model_fields.items())


def _of_function(examination: Examination, logical_id: str, settings: type[BaseSettings]) -> Iterator[Finding]:
    stack = examination.stack
    name = stack.physical_id(logical_id)
    if not name:
        return
    confirm = f"aws lambda get-function-configuration --function-name {name} --query Environment.Variables"
    configuration = examination.aws.ask(
        "lambda", "get_function_configuration", missing=["ResourceNotFoundException"], FunctionName=name
    )
    if configuration is None:
        yield Finding(
            resource=name,
            problem=f"The function {logical_id} is gone: {name} was deleted outside the stack.",
            meaning="Whatever it does is no longer done.",
            mend=mends.revert(stack),
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
            problem=f"The environment of {logical_id} is not what its code reads: {_words(faults)}.",
            meaning=_meaning(faults, "The function refuses every call."),
            mend=mends.revert(stack),
            confirm=confirm,
            logical_ids=(logical_id,),
        )


def _of_containers(
    examination: Examination, in_use: Callable[[Examination], list[str]], contained: _Contained
) -> Iterator[Finding]:
    for name in in_use(examination):
        definition = workloads.task_definition(examination, name)
        arn = definition["taskDefinitionArn"] if definition else name
        problem, meaning = _judged(examination, arn, definition, contained)
        if problem:
            yield Finding(
                resource=arn,
                problem=problem,
                meaning=meaning,
                mend=mends.revert(examination.stack),
                confirm=f"aws ecs describe-task-definition --task-definition {arn} "
                "--query 'taskDefinition.containerDefinitions[].[environment[].name,secrets[].name]'",
                logical_ids=(_logical_id(examination, arn, contained),),
            )


def _logical_id(examination: Examination, arn: str, contained: _Contained) -> str:
    """Return the stack's task definition of the same family; a revision made by hand is one of them."""
    return workloads.stacks_own(examination.stack, arn)[0] or contained.task_definition


def _judged(examination: Examination, arn: str, definition: Document | None, contained: _Contained) -> tuple[str, str]:
    """Return what is wrong with a task definition and what it means; nothing when nothing is."""
    if definition is None:
        problem = f"{contained.runs_it} names the task definition {arn}, which is gone or deregistered."
        return problem, "No new task of it can start."
    container = workloads.container(definition, contained.name)
    if container is None:
        return (
            f"The task definition {arn} of {contained.runs_it} has no container {contained.name!r}.",
            contained.meaning,
        )
    plain = {one["name"]: one["value"] for one in container.get("environment", [])}
    secrets = {one["name"]: one["valueFrom"] for one in container.get("secrets", [])}
    given = {name: "" if name in contained.secrets else value for name, value in plain.items()} | secrets
    reads = contained.variables | contained.secrets
    faults = list(environment_faults(reads, given, expected_values(examination.stack), contained.secrets))
    if not faults:
        return "", ""
    own = examination.stack.physical_id(_logical_id(examination, arn, contained))
    other = "" if arn == own else f" It is not the stack's own revision, {own or 'which is gone'}."
    problem = f"The environment in {arn}, which {contained.runs_it} runs, is not what the {contained.name} reads: "
    return f"{problem}{_words(faults)}.{other}", _meaning(faults, contained.meaning)


def _words(faults: list[EnvironmentFault]) -> str:
    return "; ".join(fault.words for fault in faults)


def _meaning(faults: list[EnvironmentFault], when_it_stops: str) -> str:
    if any(fault.stops for fault in faults):
        return when_it_stops
    return "It works with other values than the stack's, or is told what it does not read."


CHECK = Check(
    name="environment",
    question="Is every program told what it reads?",
    examine=examine,
    actions=(
        "lambda:GetFunctionConfiguration",
        *workloads.PROXY_ACTIONS,
        *workloads.AGENT_ACTIONS,
        *workloads.DEFINITION_ACTIONS,
    ),
)
