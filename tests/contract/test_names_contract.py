"""One name, three spellings: a state, its module and its function; and what stands beside each function."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent.domain.session.provenance import CLAUDE
from cloud_agent_doctor.settings import FUNCTIONS
from cloud_agent_runner.git.credit import CLAUDE as CLAUDE_IN_THE_CONTAINER

if TYPE_CHECKING:
    from pathlib import Path

    Document = dict[str, Any]


def _module(state: str) -> str:
    return state.lower().replace(" ", "_")


def _function(module: str) -> str:
    return "".join(word.capitalize() for word in module.split("_")) + "Function"


@pytest.fixture(scope="module")
def lambda_states(definition: Document) -> Document:
    """The arguments of each state that invokes a function, by the state's name."""
    return {
        name: state["Arguments"]
        for name, state in definition["States"].items()
        if state.get("Resource", "").startswith("arn:aws:states:::lambda:invoke")
    }


def _handlers(root: Path) -> set[str]:
    """Each package of functions/ that has a handler of its own, as a dotted name."""
    found = (root / "functions").rglob("handler.py")
    return {".".join(path.parent.relative_to(root / "functions").parts) for path in found}


def _steps(root: Path) -> set[str]:
    return {path.stem for path in (root / "functions/cloud_agent/workflow").glob("*.py")} - {"__init__"}


def test_a_state_its_module_and_its_function_have_one_name(
    lambda_states: Document, functions: Document, substitutions: Document
) -> None:
    assert lambda_states
    for state, arguments in lambda_states.items():
        module, function = _module(state), _function(_module(state))
        assert f"${{{function}Arn}}" == arguments["FunctionName"]
        assert {"Fn::GetAtt": [function, "Arn"]} == substitutions[f"{function}Arn"]
        assert f"cloud_agent.workflow.{module}.handler" == functions[function]["Handler"]
        assert f'State "{state}".' == functions[function]["Description"]
        doc = importlib.import_module(f"cloud_agent.workflow.{module}").__doc__
        assert doc is not None
        assert doc.startswith(f'State "{state}":')


def test_every_step_is_a_state_and_every_state_a_step(lambda_states: Document, root: Path) -> None:
    assert {_module(state) for state in lambda_states} == _steps(root)


def test_every_function_is_a_step_or_a_package_of_its_name(functions: Document, root: Path) -> None:
    handlers = {name: properties["Handler"] for name, properties in functions.items()}
    packages = {package: package.rpartition(".")[2].removeprefix("cloud_agent_") for package in _handlers(root)}
    expected = {_function(name): f"{package}.handler.handler" for package, name in packages.items()}
    expected |= {_function(step): f"cloud_agent.workflow.{step}.handler" for step in _steps(root)}
    assert expected == handlers


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_handler_can_be_imported(functions: Document, function: str) -> None:
    module, _, name = functions[function]["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_role_of_its_own_and_a_log_that_expires(
    functions: Document, resources: Document, function: str
) -> None:
    assert {"Fn::GetAtt": [f"{function}Role", "Arn"]} == functions[function]["Role"]
    assert resources[f"{function}Role"]["Type"] == "AWS::IAM::Role"
    group = functions[function]["LoggingConfig"]["LogGroup"]["Ref"]
    assert resources[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_traced_and_logged_unless_it_runs_all_the_time_that_claude_works(
    functions: Document, function: str
) -> None:
    runs_often = function in {"AgentApiFunction", "PublisherFunction"}

    assert functions[function]["TracingConfig"] == {"Mode": "PassThrough" if runs_often else "Active"}
    logging = functions[function]["LoggingConfig"]
    assert logging.get("SystemLogLevel") == ("WARN" if runs_often else None)
    assert "ApplicationLogLevel" not in logging, "above INFO, Lambda drops the lines that metrics are made of"


def test_every_log_group_expires(resources: Document) -> None:
    groups = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Logs::LogGroup"]
    assert groups
    assert all("RetentionInDays" in group for group in groups)


def test_whatever_is_kept_in_the_bucket_expires(resources: Document) -> None:
    rules = resources["ArtifactsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {rule["Prefix"] for rule in rules if rule["Status"] == "Enabled"} == {
        "cache/",
        "transcripts/",
        "unpublished/",
    }
    assert all("ExpirationInDays" in rule for rule in rules)


def test_what_container_insights_logs_expires_because_the_group_is_there_before_the_first_task(
    resources: Document,
) -> None:
    assert {"Name": "containerInsights", "Value": "enabled"} in resources["Cluster"]["Properties"]["ClusterSettings"]
    name = resources["ContainerInsightsLogGroup"]["Properties"]["LogGroupName"]
    assert name == {"Fn::Sub": "/aws/ecs/containerinsights/${Cluster}/performance"}
    services = [r for r in resources.values() if r["Type"] == "AWS::ECS::Service"]
    assert all("ContainerInsightsLogGroup" in service["DependsOn"] for service in services)


def test_a_flood_of_the_webhook_takes_nothing_from_the_agents(functions: Document, resources: Document) -> None:
    (stage,) = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::ApiGatewayV2::Stage"]
    assert stage["RouteSettings"]["POST /webhook"]["ThrottlingRateLimit"] == 20
    reserved = {"Fn::If": ["HasReservedConcurrency", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]}
    kept = {name for name, p in functions.items() if p.get("ReservedConcurrentExecutions") == reserved}
    assert {"WebhookFunction", "AgentApiFunction"} == kept


def test_the_workflow_logs_without_its_tokens_and_is_traced(resources: Document) -> None:
    machine = resources["SessionStateMachine"]["Properties"]
    assert (
        machine["LoggingConfiguration"]["Level"],
        machine["LoggingConfiguration"]["IncludeExecutionData"],
    ) == ("ALL", False)
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_every_substitution_is_given_and_used(asl_text: str, substitutions: Document) -> None:
    assert set(re.findall(r"\$\{(\w+)\}", asl_text)) == set(substitutions)


def test_the_definition_names_no_resource_of_an_account(asl_text: str) -> None:
    assert set() == set(re.findall(r"arn:aws:(?!states:::)[^\"]*", asl_text))
    assert not re.search(r"\d{12}", asl_text)


def test_claudes_commits_are_known_by_the_identity_that_the_agent_gives_them() -> None:
    assert (CLAUDE_IN_THE_CONTAINER.name, CLAUDE_IN_THE_CONTAINER.email) == CLAUDE
