"""Environment variables: what the code reads is what the template gives, no more and no less, name by name."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.mutation.grants import branches

from cloud_agent.settings import POWERTOOLS_VARIABLES, Settings, TriggerSettings
from cloud_agent_doctor.settings import FUNCTIONS
from cloud_agent_proxy.settings import Settings as ProxySettings
from cloud_agent_runner.settings import Platform
from cloud_agent_runner.settings import Settings as AgentSettings

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

    Document = dict[str, Any]

AGENTS = ("AgentTaskDefinition", "StagingAgentTaskDefinition")
STAGING = "HasStagingAgent"
# What Fargate, or the embedded ECS, adds to every container.
PLATFORM = {
    "ECS_CONTAINER_METADATA_URI_V4",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
}
# What an image of one's own may set besides, as docs/own-image.md says.
OF_THE_IMAGE = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME"}


def _read_by(model: type[BaseSettings]) -> set[str]:
    return {str(field.validation_alias or name).upper() for name, field in model.model_fields.items()}


def _given_to(container: Document) -> list[str]:
    return [variable["Name"] for variable in container["Environment"] + container.get("Secrets", [])]


@pytest.fixture(scope="module")
def overrides(definition: Document) -> Document:
    """What RunTask changes for the agent's container."""
    (override,) = definition["States"]["Run Agent"]["Arguments"]["Overrides"]["ContainerOverrides"]
    return dict(override)


def test_every_function_declares_its_settings(functions: Document) -> None:
    assert set(FUNCTIONS) == set(functions)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_given_exactly_what_it_reads(functions: Document, function: str) -> None:
    given = set(functions[function]["Environment"]["Variables"])
    assert _read_by(FUNCTIONS[function]) | POWERTOOLS_VARIABLES == given


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_the_settings_that_are_declared_for_it(functions: Document, function: str) -> None:
    module = importlib.import_module(functions[function]["Handler"].removesuffix(".handler"))
    loaders = [module]
    if module.__name__.endswith(".handler"):  # in the function's own package, where what it does stands beside it
        siblings = {name: m for name, m in sys.modules.items() if name.rpartition(".")[0] == module.__package__}
        loaders += [m for name, m in siblings.items() if not name.endswith(".settings")]
    loaded = {
        value.__name__
        for one in loaders
        for value in vars(one).values()
        if isinstance(value, type) and issubclass(value, Settings)
    }
    assert {FUNCTIONS[function].__name__} == loaded


@pytest.mark.parametrize(
    "package", ["functions/cloud_agent", "functions/cloud_agent_doctor", "proxy/src/cloud_agent_proxy"]
)
def test_nothing_reads_the_environment_beside_the_settings(root: Path, package: str) -> None:
    readers = set()
    for path in (root / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {"getenv", "getenvb"}:
                readers.add(path.name)
            if isinstance(node, ast.Subscript | ast.Call) and re.search(r"environ(b)?[\[.]", ast.unparse(node)):
                readers.add(path.name)
    assert set() == readers - {"settings.py"}


@pytest.mark.parametrize("agent", AGENTS)
def test_each_agent_is_given_exactly_what_it_reads_each_by_one_hand(
    container: Document, overrides: Document, agent: str
) -> None:
    given = _given_to(container[agent]) + [variable["Name"] for variable in overrides["Environment"]]
    assert len(given) == len(set(given))
    assert _read_by(AgentSettings) == set(given)


@pytest.mark.parametrize("agent", AGENTS)
def test_the_overrides_are_of_the_agents_container(container: Document, overrides: Document, agent: str) -> None:
    assert container[agent]["Name"] == overrides["Name"]


def test_the_staging_agent_differs_in_family_and_image_alone(resources: Document) -> None:
    standard, staging = (dict(resources[agent]["Properties"]) for agent in AGENTS)
    families = [definition.pop("Family") for definition in (standard, staging)]
    assert families == [{"Fn::Sub": "${AWS::StackName}-agent"}, {"Fn::Sub": "${AWS::StackName}-staging-agent"}]
    (container,), (tried_out,) = (definition.pop("ContainerDefinitions") for definition in (standard, staging))
    assert container | {"Image": {"Ref": "StagingAgentImageUri"}} == tried_out
    assert standard == staging


def test_the_reconciler_watches_the_families_of_both_agents(functions: Document, resources: Document) -> None:
    variables = functions["ReconcilerFunction"]["Environment"]["Variables"]
    families = [resources[agent]["Properties"]["Family"] for agent in AGENTS]
    assert families == [variables["AGENT_TASK_FAMILY"], variables["STAGING_AGENT_TASK_FAMILY"]]


def test_there_is_a_label_and_a_task_definition_of_the_staging_agent_where_it_has_an_image_and_only_there(
    template: Document, functions: Document, substitutions: Document
) -> None:
    assert template["Conditions"][STAGING] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "StagingAgentImageUri"}, ""]}]}
    assert template["Resources"]["StagingAgentTaskDefinition"]["Condition"] == STAGING
    labels = [
        function["Environment"]["Variables"]["STAGING_TRIGGER_LABEL"]
        for name, function in functions.items()
        if issubclass(FUNCTIONS[name], TriggerSettings)
    ]
    assert labels[0] == {"Fn::If": [STAGING, {"Ref": "StagingTriggerLabel"}, ""]}
    assert all(label == labels[0] for label in labels)
    family = template["Resources"]["StagingAgentTaskDefinition"]["Properties"]["Family"]
    assert {"Fn::If": [STAGING, family, ""]} == substitutions["StagingAgentTaskDefinitionFamily"]


def test_the_workflow_runs_the_families_of_both_agents_whatever_their_revision(
    definition: Document, substitutions: Document, resources: Document
) -> None:
    run = definition["States"]["Run Agent"]["Arguments"]["TaskDefinition"]
    for agent in AGENTS:
        assert f"'${{{agent}Family}}'" in run
        assert resources[agent]["Properties"]["Family"] in list(branches(substitutions[f"{agent}Family"]))


def test_the_two_labels_are_refused_when_they_are_the_same(template: Document) -> None:
    rule = template["Rules"]["LabelsDiffer"]
    assert template["Conditions"][STAGING] == rule["RuleCondition"]
    same = {"Fn::Equals": [{"Ref": "TriggerLabel"}, {"Ref": "StagingTriggerLabel"}]}
    assert [{"Fn::Not": [same]}] == [assertion["Assert"] for assertion in rule["Assertions"]]


def test_the_agent_expects_no_more_of_the_platform_than_it_gives() -> None:
    assert _read_by(Platform) - PLATFORM == OF_THE_IMAGE
    page = (Path(__file__).parents[2] / "docs/own-image.md").read_text()
    assert [name for name in OF_THE_IMAGE if f"`{name}`" not in page] == []


def test_the_proxy_is_given_exactly_what_it_reads(container: Document) -> None:
    given = _given_to(container["ProxyTaskDefinition"])
    assert len(given) == len(set(given))
    assert _read_by(ProxySettings) - PLATFORM == set(given)


def test_what_is_secret_never_stands_in_a_plain_variable(container: Document, functions: Document) -> None:
    plain = {v["Name"] for c in container.values() for v in c["Environment"]}
    plain |= {name for function in functions.values() for name in function["Environment"]["Variables"]}
    assert set() == {name for name in plain if re.search(r"(_KEY|TOKEN|PASSWORD|SECRET)$", name)}


def test_the_names_that_history_made_famous(container: Document, functions: Document) -> None:
    assert "SESSIONS_TABLE" in _given_to(container["ProxyTaskDefinition"])
    assert all("SESSIONS_TABLE" in function["Environment"]["Variables"] for function in functions.values())
    assert not [name for name in _given_to(container["ProxyTaskDefinition"]) if "SESSION_TABLE" in name]
