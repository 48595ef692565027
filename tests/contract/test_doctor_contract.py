"""What the doctor knows of the system by itself, held equal to where it comes from: code, template and workflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent_doctor.checks import secrets
from cloud_agent_doctor.checks.state_machine import known_substitutions, repository_definition
from cloud_agent_doctor.containers import variables_read
from cloud_agent_doctor.containers.expected_values import expected_values
from cloud_agent_doctor.engine.stack import Resource, Stack
from cloud_agent_doctor.iam.role_template import template_role
from cloud_agent_doctor.stack.template_values import TemplateValues, UnresolvableError
from cloud_agent_proxy.settings import Settings as ProxySettings
from cloud_agent_proxy.sign_in.github import ClientCredentials
from cloud_agent_runner.settings import Settings as AgentSettings

if TYPE_CHECKING:
    from pathlib import Path

    Document = dict[str, Any]

ACCOUNT, REGION = "123456789012", "eu-central-1"
FAMILIES = {"AgentTaskDefinition": "acme-agent", "StagingAgentTaskDefinition": "acme-staging-agent"}


@pytest.fixture(scope="module")
def stack(template: Document, resources: Document) -> Stack:
    """The stack that the template makes, every parameter given: its conditions are true, save those of local mode."""
    given = {name: str(one.get("Default") or f"a-{name}") for name, one in template["Parameters"].items()}
    unresolved = Stack(
        name="acme",
        arn=f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/acme/5b1d7a70",
        status="CREATE_COMPLETE",
        parameters=given | {"UatUrl": "", "HttpApiBaseUrl": ""},
        outputs={},
        resources={name: Resource(one["Type"], _physical_id(name, one["Type"])) for name, one in resources.items()},
    )
    values = TemplateValues(template, unresolved)
    outputs = {}
    for name, output in template["Outputs"].items():
        try:
            outputs[name] = values.resolve(output["Value"])
        except UnresolvableError:
            continue  # such as a load balancer's name, which nothing here is made of
    return Stack(
        unresolved.name, unresolved.arn, unresolved.status, unresolved.parameters, outputs, unresolved.resources
    )


def _physical_id(name: str, resource_type: str) -> str:
    by_arn = {
        "AWS::ECS::Service": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/acme-Cluster/{name}",
        "AWS::ECS::TaskDefinition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{FAMILIES.get(name, name)}:1",
        "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}",
        "AWS::SQS::Queue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}",
        "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}",
        "AWS::StepFunctions::StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:acme-session",
    }
    return by_arn.get(resource_type, f"acme-{name}")


@pytest.fixture(scope="module")
def values(template: Document, stack: Stack) -> TemplateValues:
    return TemplateValues(template, stack)


def _read_by(model: type[ProxySettings | AgentSettings]) -> set[str]:
    return {str(field.validation_alias or name).upper() for name, field in model.model_fields.items()}


def test_the_proxy_reads_the_names_that_the_doctor_expects() -> None:
    known = variables_read.PROXY_VARIABLES | variables_read.PROXY_SECRETS
    assert known == _read_by(ProxySettings) - {"ECS_CONTAINER_METADATA_URI_V4"}


def test_the_agent_reads_the_names_that_the_doctor_expects() -> None:
    known = variables_read.AGENT_VARIABLES | variables_read.AGENT_SECRETS | variables_read.RUN_TASK_VARIABLES
    assert known == _read_by(AgentSettings)


def test_the_workflow_adds_the_names_that_the_doctor_expects(definition: Document) -> None:
    (override,) = definition["States"]["Run Agent"]["Arguments"]["Overrides"]["ContainerOverrides"]
    assert {variable["Name"] for variable in override["Environment"]} == variables_read.RUN_TASK_VARIABLES


@pytest.mark.parametrize(
    ("task_definition", "name", "variables", "secret"),
    [
        (
            "ProxyTaskDefinition",
            variables_read.PROXY_CONTAINER,
            variables_read.PROXY_VARIABLES,
            variables_read.PROXY_SECRETS,
        ),
        (
            "AgentTaskDefinition",
            variables_read.AGENT_CONTAINER,
            variables_read.AGENT_VARIABLES,
            variables_read.AGENT_SECRETS,
        ),
    ],
)
def test_the_template_gives_the_containers_what_the_doctor_expects(  # noqa: PLR0913, PLR0917 - one row
    container: Document,
    values: TemplateValues,
    stack: Stack,
    task_definition: str,
    name: str,
    variables: frozenset[str],
    secret: frozenset[str],
) -> None:
    given = container[task_definition]
    assert name == given["Name"]
    assert variables == {one["Name"] for one in given["Environment"]}
    assert secret == {one["Name"] for one in given["Secrets"]}
    environment = {one["Name"]: values.resolve(one["Value"]) for one in given["Environment"]}
    environment |= {one["Name"]: values.resolve(one["ValueFrom"]) for one in given["Secrets"]}
    assert environment == {one: expected_values(stack)[one] for one in environment}


def test_the_values_that_the_doctor_expects_of_functions_are_the_templates(
    functions: Document, values: TemplateValues, stack: Stack
) -> None:
    given = [variable for one in functions.values() for variable in one["Environment"]["Variables"].items()]
    unresolvable = {"CANARY_SERVICE"}  # an attribute that no policy is written with
    for name, value in given:
        assert name in expected_values(stack), name
        if name not in unresolvable:
            assert values.resolve(value) == expected_values(stack)[name], name


def test_the_sign_in_secret_is_judged_as_the_proxy_reads_it() -> None:
    assert set(ClientCredentials.model_fields) == set(secrets.SignIn.model_fields)
    for name, field in ClientCredentials.model_fields.items():
        assert field.metadata == secrets.SignIn.model_fields[name].metadata
        assert field.annotation == secrets.SignIn.model_fields[name].annotation


def test_the_doctor_carries_the_repositorys_own_workflow(root: Path, asl_text: str) -> None:
    assert asl_text == repository_definition()
    assert (root / "functions/cloud_agent_doctor/session.asl.json").is_symlink()


def test_what_the_doctor_expects_in_the_workflow_is_what_the_template_puts_there(
    substitutions: Document, values: TemplateValues, stack: Stack
) -> None:
    known = known_substitutions(stack)
    compared = set()
    for name, value in substitutions.items():
        if name in known:
            assert values.resolve(value) == known[name], name
            compared.add(name)
    assert {"SessionsTable", "ClusterArn", "CreateBranchFunctionArn"} | {f"{one}Family" for one in FAMILIES} <= compared


def test_every_statement_of_every_role_can_be_worked_out(resources: Document, values: TemplateValues) -> None:
    roles = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::IAM::Role"}
    assert "SessionStateMachineRole" in roles
    for name, properties in roles.items():
        role = template_role(json.loads(json.dumps(properties)), values)
        assert role.unresolved == [], name
        assert role.trust, name
