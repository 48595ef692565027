"""An account as AWS describes it: real botocore clients that are answered without a network.

Requests are checked by the services' own models before they are answered, answers by the same models after; what AWS
sends as text (policies, templates) is text here too, and read by botocore's own handlers.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.validate import ParamValidator

from cloud_agent.settings import POWERTOOLS_VARIABLES
from cloud_agent_doctor.checks.environment import variables_read_by
from cloud_agent_doctor.checks.state_machine import known_substitutions, repository_definition
from cloud_agent_doctor.containers.expected_values import expected_values
from cloud_agent_doctor.containers.variables_read import (
    AGENT_SECRETS,
    AGENT_VARIABLES,
    PROXY_SECRETS,
    PROXY_VARIABLES,
)
from cloud_agent_doctor.engine.aws import Aws
from cloud_agent_doctor.engine.context import CheckContext
from cloud_agent_doctor.engine.errors import DataUnavailableError
from cloud_agent_doctor.engine.stack import Resource, Stack
from cloud_agent_doctor.probe import SessionProbe
from cloud_agent_doctor.settings import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cloud_agent_doctor.engine.check import Check
    from cloud_agent_doctor.engine.findings import Finding

    Document = dict[str, Any]
    Answer = Document | Callable[[Document], Document]

ACCOUNT, REGION = "123456789012", "eu-central-1"
SESSION_ID = "09e22a8b"
DIGEST, OTHER_DIGEST = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
CLUSTER = "acme-Cluster-1"
PROXY_REVISION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/acme-proxy:1"
HAND_MADE_REVISION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/acme-proxy:2"
AGENT_REVISION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/acme-agent:1"
TASK_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/0f9de17a6465404e8b1b2356dc13c2f8"
PROXY_TASK_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/1a9de17a6465404e8b1b2356dc13c2f8"
EXECUTION_ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:acme-session:acme-storefront-42-{SESSION_ID}"
ACCESS_KEY = "a-signing-key-of-32-characters-or-more"
AGENT_IP = "10.0.2.133"

# One for all tests: to read the services' models takes long.
_SESSION: Any = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)


def _http(status: int) -> AWSResponse:
    return AWSResponse("https://aws.invalid", status, HTTPHeaders(), None)


def secret_arn(logical_id: str) -> str:
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{logical_id}-AbCdEf"


class AwsError(Exception):
    """AWS's refusal, by its code."""


REFUSED = AwsError("AccessDeniedException")


def stack_of(**parameters: str) -> Stack:
    """The stack `acme` with the template's defaults, or as told."""
    secrets = (
        "WebhookSecret",
        "GitHubSecret",
        "AnthropicApiKeySecret",
        "UatAccessKeysSecret",
        "UatSignInSecret",
        "ChatWebhooksSecret",
    )
    role = {name: Resource("AWS::IAM::Role", f"acme-{name}-1") for name in ("SessionStateMachineRole", "AgentTaskRole")}
    return Stack(
        name="acme",
        arn=f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/acme/5b1d7a70",
        status="UPDATE_COMPLETE",
        parameters={
            "DomainName": "example.com",
            "VpcCidr": "10.0.0.0/16",
            "UatAccess": "link",
            "GitHubUrl": "https://github.com",
            "GitHubApiUrl": "https://api.github.com",
            "AllowWorkflowChanges": "false",
            "ModelProvider": "anthropic",
            "ClaudeModel": "claude-sonnet-5-5",
            "AllowedModels": "*",
            "AnthropicBaseUrl": "https://api.anthropic.com",
            "RepositoryClaudeSettings": "on",
            "Pictures": "on",
            "MaxTurns": "200",
            "MaxBudgetUsd": "10",
            "MaxSessions": "10",
            "MaxSessionsPerRepository": "5",
            "IdleMinutes": "60",
            "LogLevel": "INFO",
            "TriggerLabel": "claude-dev",
        }
        | parameters,
        outputs={
            "HttpApiUrl": f"https://abcdef1234.execute-api.{REGION}.amazonaws.com",
            "AgentApiUrl": f"https://abcdef1234.execute-api.{REGION}.amazonaws.com",
            "UatUrl": "https://uat.example.com",
            "ClusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}",
        },
        resources={
            "SessionsTable": Resource("AWS::DynamoDB::Table", "acme-SessionsTable-1"),
            "ArtifactsBucket": Resource("AWS::S3::Bucket", "acme-artifactsbucket-1"),
            "IdempotencyTable": Resource("AWS::DynamoDB::Table", "acme-IdempotencyTable-1"),
            "HttpApi": Resource("AWS::ApiGatewayV2::Api", "abcdef1234"),
            "CanaryService": Resource(
                "AWS::ECS::Service", f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{CLUSTER}/acme-CanaryService-1"
            ),
            "Cluster": Resource("AWS::ECS::Cluster", CLUSTER),
            "AgentLogGroup": Resource("AWS::Logs::LogGroup", "/acme/agents"),
            "AgentSecurityGroup": Resource("AWS::EC2::SecurityGroup", "sg-0a1b2c3d4e5f60718"),
            "ProxyService": Resource(
                "AWS::ECS::Service", f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{CLUSTER}/acme-ProxyService-1"
            ),
            "ProxyTaskDefinition": Resource("AWS::ECS::TaskDefinition", PROXY_REVISION),
            "AgentTaskDefinition": Resource("AWS::ECS::TaskDefinition", AGENT_REVISION),
            "SessionStateMachine": Resource(
                "AWS::StepFunctions::StateMachine", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:acme-session"
            ),
            **{name: Resource("AWS::SecretsManager::Secret", secret_arn(name)) for name in secrets},
            **{name: Resource("AWS::Lambda::Function", f"acme-{name}-1") for name in FUNCTIONS},
            **role,
        },
    )


class Account:
    """What AWS answers, by service and operation; a test changes the answers that its fault is about.

    An answer is a document, a function of the request, or an error.
    """

    def __init__(self, **parameters: str) -> None:
        self.stack = stack_of(**parameters)
        self.answers: dict[tuple[str, str], Any] = {}
        self.asked: set[str] = set()
        self.probes: list[tuple[str, str]] = []
        self.probe = SessionProbe(
            200, document={"error": None, "title": "The session is live", "live": True, "hop": None}
        )

    def context(self, session_id: str | None = None) -> CheckContext:
        def probe_session(url: str, link: str) -> SessionProbe:
            self.probes.append((url, link))
            return self.probe

        return CheckContext(Aws(self._client), self.stack, lambda _: frozenset(), probe_session, session_id)

    def findings(self, check: Check, session_id: str | None = None) -> list[Finding]:
        return list(check.run(self.context(session_id)))

    def incomplete_findings(
        self, check: Check, session_id: str | None = None
    ) -> tuple[list[Finding], DataUnavailableError]:
        """Return what was found, and why the rest could not be checked."""
        findings: list[Finding] = []
        try:
            for finding in check.run(self.context(session_id)):
                findings.append(finding)  # noqa: PERF402 - what comes before the error counts
        except DataUnavailableError as error:
            return findings, error
        raise AssertionError(f"{check.name} could check everything")

    def set(self, service: str, operation: str, answer: Answer | AwsError) -> None:
        self.answers[service, operation] = answer

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3's
        client = _SESSION.client(service)
        prefix = {"elbv2": "elasticloadbalancing", "stepfunctions": "states"}.get(service, service)
        asked: list[Document] = []

        def take(params: Document, **_: object) -> None:
            asked.append(copy.deepcopy(params))

        def answer(model: Any, **_: object) -> tuple[AWSResponse, Document]:  # noqa: ANN401 - botocore's
            self.asked.add(f"{prefix}:{model.name}")
            told = self.answers[service, model.name]
            try:
                if isinstance(told, AwsError):
                    raise told
                document = copy.deepcopy(told(asked[-1]) if callable(told) else told)
            except AwsError as error:
                refusal = {"Error": {"Code": str(error), "Message": "as told"}, "ResponseMetadata": {}}
                return _http(400), refusal
            report = ParamValidator().validate(document, model.output_shape)
            assert not report.has_errors(), report.generate_report()
            return _http(200), document

        client.meta.events.register("provide-client-params", take)
        client.meta.events.register("before-call", answer)
        return client


def as_policy(document: Document) -> str:
    """A policy as IAM sends it."""
    return quote(json.dumps(document))


def environment_of(function: str, stack: Stack) -> dict[str, str]:
    """What a function is given in a healthy stack."""
    names = variables_read_by(FUNCTIONS[function]) | POWERTOOLS_VARIABLES
    return {name: expected_values(stack).get(name, "a value") for name in names}


def container_of(stack: Stack, name: str, image: str, variables: Iterable[str], secrets: Iterable[str]) -> Document:
    values = expected_values(stack)
    return {
        "name": name,
        "image": image,
        "environment": [{"name": one, "value": values[one]} for one in sorted(variables)],
        "secrets": [{"name": one, "valueFrom": values[one]} for one in sorted(secrets)],
    }


def proxy_container(stack: Stack, image: str = f"{REGISTRY}/acme/proxy:1") -> Document:
    return container_of(stack, "proxy", image, PROXY_VARIABLES, PROXY_SECRETS)


def agent_container(stack: Stack, image: str = f"{REGISTRY}/acme/agent@{DIGEST}") -> Document:
    return container_of(stack, "agent", image, AGENT_VARIABLES, AGENT_SECRETS)


def deployed_definition(stack: Stack) -> str:
    """The workflow as CloudFormation deploys it: every `${Name}` replaced."""
    text = repository_definition()
    known = known_substitutions(stack)
    others = {
        "StagingAgentTaskDefinitionFamily": "",
        "AgentSubnetIds": "subnet-1,subnet-2",
        "AssignPublicIp": "DISABLED",
        "MaxSessionAgeSeconds": "28800",
        "AgentReadyTimeoutSeconds": "1800",
        "AgentHeartbeatTimeoutSeconds": "300",
    }
    for name, value in {**others, **known}.items():
        text = text.replace(f"${{{name}}}", value)
    return text


class Containers(Account):
    """An account with what runs: functions, the proxy's service, the workflow and its task definitions."""

    def __init__(self, **parameters: str) -> None:
        super().__init__(**parameters)
        stack = self.stack
        self.environments = {stack.physical_id(name): environment_of(name, stack) for name in FUNCTIONS}
        self.runs = PROXY_REVISION
        self.definitions: dict[str, Document] = {
            PROXY_REVISION: self.definition(PROXY_REVISION, proxy_container(stack)),
            AGENT_REVISION: self.definition(AGENT_REVISION, agent_container(stack)),
        }
        self.machine: Document = {
            "stateMachineArn": stack.physical_id("SessionStateMachine"),
            "name": "acme-session",
            "status": "ACTIVE",
            "definition": deployed_definition(stack),
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{stack.physical_id('SessionStateMachineRole')}",
            "type": "STANDARD",
            "creationDate": 1700000000,
            "loggingConfiguration": {
                "level": "ALL",
                "includeExecutionData": False,
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:x:1:log-group:y:*"}}],
            },
            "tracingConfiguration": {"enabled": True},
        }
        self.tasks: dict[str, Document] = {PROXY_TASK_ARN: self.proxy_task(DIGEST)}
        self.images: dict[tuple[str, str], Document] = {
            ("acme/proxy", "1"): {"imageDigest": DIGEST, "imageTags": ["1"]},
            ("acme/agent", DIGEST): {"imageDigest": DIGEST},
        }
        self.set("lambda", "GetFunctionConfiguration", self._function)
        self.set("ecs", "DescribeServices", self._service)
        self.set("ecs", "DescribeTaskDefinition", self._definition)
        self.set("ecs", "ListTasks", self._task_arns)
        self.set("ecs", "DescribeTasks", self._tasks)
        self.set("ecr", "DescribeImages", self._image)
        self.set("stepfunctions", "DescribeStateMachine", lambda _: self._machine())

    @staticmethod
    def definition(arn: str, container: Document, **changes: str) -> Document:
        role = f"arn:aws:iam::{ACCOUNT}:role/acme-"
        return {
            "taskDefinitionArn": arn,
            "status": "ACTIVE",
            "containerDefinitions": [container],
            "taskRoleArn": f"{role}AgentTaskRole-1",
            "executionRoleArn": f"{role}AgentExecutionRole-1",
        } | changes

    def proxy_task(self, digest: str) -> Document:
        return {
            "taskArn": PROXY_TASK_ARN,
            "taskDefinitionArn": self.runs,
            "lastStatus": "RUNNING",
            "containers": [{"name": "proxy", "imageDigest": digest}],
        }

    def _function(self, request: Document) -> Document:
        name = request["FunctionName"]
        if name not in self.environments:
            raise AwsError("ResourceNotFoundException")
        return {"FunctionName": name, "Environment": {"Variables": self.environments[name]}}

    def _service(self, request: Document) -> Document:
        assert request["services"] == [self.stack.physical_id("ProxyService")]
        deployment = {"status": "PRIMARY", "taskDefinition": self.runs, "runningCount": 2}
        return {"services": [{"status": "ACTIVE", "taskDefinition": self.runs, "deployments": [deployment]}]}

    def _definition(self, request: Document) -> Document:
        name = request["taskDefinition"]
        if not name.startswith("arn:"):  # a family is its latest active revision
            of_family = [arn for arn in self.definitions if f"/{name}:" in arn]
            name = max((arn for arn in of_family if self.definitions[arn]["status"] == "ACTIVE"), default="")
        if name not in self.definitions:
            raise AwsError("ClientException")
        return {"taskDefinition": self.definitions[name]}

    def _task_arns(self, request: Document) -> Document:
        of_proxy = "serviceName" in request
        assert of_proxy or request["family"].endswith("-agent")
        return {"taskArns": [arn for arn in self.tasks if (arn == PROXY_TASK_ARN) is of_proxy]}

    def _tasks(self, request: Document) -> Document:
        gone = [{"arn": arn, "reason": "MISSING"} for arn in request["tasks"] if arn not in self.tasks]
        return {"tasks": [self.tasks[arn] for arn in request["tasks"] if arn in self.tasks], "failures": gone}

    def _image(self, request: Document) -> Document:
        (wanted,) = request["imageIds"]
        key = request["repositoryName"], next(iter(wanted.values()))
        if key not in self.images:
            raise AwsError("ImageNotFoundException")
        return {"imageDetails": [{"repositoryName": key[0], **self.images[key]}]}

    def _machine(self) -> Document:
        if not self.machine:
            raise AwsError("StateMachineDoesNotExist")
        return self.machine
