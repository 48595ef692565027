"""What AWS itself does as a role of the template, computed from what the template asks of AWS.

The embedded AWS does these things without asking IAM, so no run of the system shows that one is not allowed. Each
function stands for one named test of tests/contract/test_unenforced_permissions.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.mutation.drift_reads import read_for_drift
from tests.mutation.grants import ASSUME, MANAGED, branches, grants, short

from cloud_agent_doctor.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.mutation.grants import Grant

    Document = dict[str, Any]

# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html, "IAM policies for logging to CloudWatch Logs"
_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_INVOKE_MODEL = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
# Of what the doctor's checks ask: hops that a system on one machine does not have, each with where it is asked.
BEYOND_THIS_MACHINE = {
    "acm:DescribeCertificate": "*",
    "ec2:DescribeNetworkInterfaces": "*",
    "ecr:DescribeImages": "repository/*",
    "elasticloadbalancing:DescribeListenerCertificates": "*",
    "elasticloadbalancing:DescribeTags": "*",
    "route53:ListResourceRecordSets": "*",
}
_DOCTOR = "DoctorFunctionRole"
_FUNCTION, _MACHINE, _TASK = "AWS::Lambda::Function", "AWS::StepFunctions::StateMachine", "AWS::ECS::TaskDefinition"


@dataclass(frozen=True)
class Need:
    """A permission that AWS needs, and what for."""

    role: str
    action: str
    resource: str
    why: str

    def __str__(self) -> str:
        return f"{lacks(self.role, self.action, self.resource)}{self.why}"


def lacks(role: str, action: str, resource: str) -> str:
    """What the words for an unmet need begin with."""
    return f"{role} lacks {action} on {resource}: "


def unmet(resources: Document, needs: Callable[[Document], Iterator[Need]]) -> list[str]:
    """Every need that no role of these resources meets, in words."""
    return missing(grants(resources), resources, needs)


def missing(
    permissions: Iterable[Grant], resources: Document, needs: Callable[[Document], Iterator[Need]]
) -> list[str]:
    """Every need of these resources that these permissions do not meet, in words."""
    granted = {grant.key for grant in permissions}
    return [str(need) for need in needs(resources) if (need.role, need.action, need.resource) not in granted]


def assumed(resources: Document) -> Iterator[Need]:
    """The service that works as a role assumes it."""
    for name, properties in _all(resources, _FUNCTION):
        yield Need(short(properties["Role"]), ASSUME, "lambda.amazonaws.com", f"{name} runs as it")
    for name, properties in _all(resources, _MACHINE):
        yield Need(short(properties["RoleArn"]), ASSUME, "states.amazonaws.com", f"{name} runs as it")
    for name, properties in _all(resources, _TASK):
        for role in sorted({"TaskRoleArn", "ExecutionRoleArn"} & set(properties)):
            yield Need(short(properties[role]), ASSUME, "ecs-tasks.amazonaws.com", f"{name} names it as {role}")


def passed(resources: Document) -> Iterator[Need]:
    """Whoever runs a task passes both its roles: the workflow, of each task definition whose family it is given."""
    for name, properties in _all(resources, _MACHINE):
        given = list(branches(list(properties["DefinitionSubstitutions"].values())))
        for task, definition in _all(resources, _TASK):
            if definition["Family"] not in given:
                continue
            for role in ("TaskRoleArn", "ExecutionRoleArn"):
                passes = short(definition[role])
                yield Need(short(properties["RoleArn"]), "iam:PassRole", passes, f"{name} runs {task}")


def secrets(resources: Document) -> Iterator[Need]:
    """ECS reads what a container's definition takes from Secrets Manager, as the execution role."""
    for name, role, container in _containers(resources):
        for secret in container.get("Secrets", []):
            why = f"{secret['Name']} of {name} comes from it"
            yield Need(role, "secretsmanager:GetSecretValue", short(secret["ValueFrom"]), why)


def container_logs(resources: Document) -> Iterator[Need]:
    """ECS writes a container's log, as the execution role."""
    for name, role, container in _containers(resources):
        if container["LogConfiguration"]["LogDriver"] == "awslogs":
            group = short(container["LogConfiguration"]["Options"]["awslogs-group"])
            for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
                yield Need(role, action, group, f"{name} logs there")


def images(resources: Document) -> Iterator[Need]:
    """ECS pulls a container's image from the account's registry, as the execution role."""
    for name, role, _ in _containers(resources):
        yield Need(role, "ecr:GetAuthorizationToken", "*", f"{name} signs in to the registry")
        for action in _PULL:
            yield Need(role, action, "repository/*", f"{name} pulls its image")


def models(resources: Document) -> Iterator[Need]:
    """Claude Code invokes a model of Bedrock where it is told to, at once and as a stream, as the task role."""
    for name, properties in _all(resources, _TASK):
        variables = {
            one.get("Name") for container in properties["ContainerDefinitions"] for one in container["Environment"]
        }
        if "MODEL_PROVIDER" in variables:
            for action in _INVOKE_MODEL:
                for resource in ("foundation-model/anthropic.*", "inference-profile/*anthropic.*"):
                    yield Need(short(properties["TaskRoleArn"]), action, resource, f"{name} may use Bedrock")


def workflow_logs(resources: Document) -> Iterator[Need]:
    """Step Functions delivers a state machine's log, as its role."""
    for name, properties in _all(resources, _MACHINE):
        if properties.get("LoggingConfiguration", {}).get("Level", "OFF") != "OFF":
            for action in _LOG_DELIVERY:
                yield Need(short(properties["RoleArn"]), action, "*", f"{name} has a log")


def function_logs(resources: Document) -> Iterator[Need]:
    """Lambda writes a function's log, as its role."""
    for name, properties in _all(resources, _FUNCTION):
        yield Need(short(properties["Role"]), MANAGED, "AWSLambdaBasicExecutionRole", f"{name} logs")


def traces(resources: Document) -> Iterator[Need]:
    """What is traced sends its traces to X-Ray, as its role."""
    for name, properties in _all(resources, _FUNCTION):
        if "TracingConfig" in properties:
            yield Need(short(properties["Role"]), MANAGED, "AWSXrayWriteOnlyAccess", f"{name} is traced")
    for name, properties in _all(resources, _MACHINE):
        if properties.get("TracingConfiguration", {}).get("Enabled"):
            yield Need(short(properties["RoleArn"]), MANAGED, "AWSXrayWriteOnlyAccess", f"{name} is traced")


def streams(resources: Document) -> Iterator[Need]:
    """Lambda reads a table's stream for a function, as the function's role."""
    for name, properties in _all(resources, "AWS::Lambda::EventSourceMapping"):
        function = resources[short(properties["FunctionName"])]["Properties"]
        yield Need(short(function["Role"]), MANAGED, "AWSLambdaDynamoDBExecutionRole", f"{name} reads a stream")


def dead_letters(resources: Document) -> Iterator[Need]:
    """Lambda sends what a function could not work off to its queue, as the function's role."""
    for kind in ("AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"):
        for name, properties in _all(resources, kind):
            function = resources[short(properties["FunctionName"])]["Properties"]
            queue = short(properties["DestinationConfig"]["OnFailure"]["Destination"])
            yield Need(short(function["Role"]), "sqs:SendMessage", queue, f"{name} keeps there what failed")


def drift(resources: Document) -> Iterator[Need]:
    """CloudFormation reads each resource on behalf of whoever detects drift: the doctor."""
    stack = "stack/${AWS::StackName}/*"
    yield Need(_DOCTOR, "cloudformation:DetectStackResourceDrift", stack, "drift is detected resource by resource")
    asked = {action for check in CHECKS for action in check.actions}
    for kind in sorted({resource["Type"] for resource in resources.values()}):
        for action in sorted(read_for_drift(kind) - asked):
            yield Need(_DOCTOR, action, "*", f"the drift of {kind} is read by it")


def asked_beyond(_: Document) -> Iterator[Need]:
    """The doctor's checks call what a system on one machine lacks."""
    for check in CHECKS:
        for action in BEYOND_THIS_MACHINE.keys() & set(check.actions):
            yield Need(_DOCTOR, action, BEYOND_THIS_MACHINE[action], f"the check {check.name} asks it")


def _all(resources: Document, kind: str) -> Iterator[tuple[str, Document]]:
    return ((name, resource["Properties"]) for name, resource in resources.items() if resource["Type"] == kind)


def _containers(resources: Document) -> Iterator[tuple[str, str, Document]]:
    """Task definition, execution role and each container."""
    for name, properties in _all(resources, _TASK):
        for container in properties["ContainerDefinitions"]:
            yield name, short(properties["ExecutionRoleArn"]), container


TESTS: dict[str, Callable[[Document], Iterator[Need]]] = {
    "test_every_role_is_assumed_by_the_service_that_works_as_it": assumed,
    "test_the_workflow_may_pass_both_roles_of_each_task_that_it_runs": passed,
    "test_each_secret_of_a_container_is_read_by_its_execution_role": secrets,
    "test_each_containers_log_is_written_by_its_execution_role": container_logs,
    "test_each_containers_image_is_pulled_by_its_execution_role": images,
    "test_an_agent_may_invoke_models_where_bedrock_is_chosen": models,
    "test_the_workflows_log_is_delivered_by_its_role": workflow_logs,
    "test_each_functions_log_is_written_by_its_role": function_logs,
    "test_whatever_is_traced_sends_its_traces": traces,
    "test_a_tables_stream_is_read_by_the_functions_role": streams,
    "test_what_a_function_failed_at_is_sent_by_its_role": dead_letters,
    "test_the_doctor_may_read_what_drift_detection_reads": drift,
    "test_the_doctor_may_call_what_this_machine_lacks": asked_beyond,
}
