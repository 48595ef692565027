"""The documents that the parts of the system agree on: the template, as written and as SAM expands it, and the ASL."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml
from samtranslator.translator.transform import transform

Document = dict[str, Any]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def template() -> Document:
    """template.yaml, its short tags written out (`!Ref X` is {"Ref": "X"})."""
    return dict(json.loads(json.dumps(cfn_yaml.load(str(ROOT / "template.yaml")))))


@pytest.fixture(scope="session")
def resources(template: Document) -> Document:
    """The resources that CloudFormation makes of the template once SAM has expanded it."""

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    packaged = copy.deepcopy(template)
    # `sam package` has uploaded code and definition by the time SAM expands the template.
    packaged["Globals"]["Function"]["CodeUri"] = "s3://bucket/code"
    packaged["Resources"]["DependenciesLayer"]["Properties"]["ContentUri"] = "s3://bucket/libraries"
    packaged["Resources"]["SessionStateMachine"]["Properties"]["DefinitionUri"] = "s3://bucket/definition"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        expanded: Document = transform(packaged, {}, NoManagedPolicies())
    return dict(expanded["Resources"])


@pytest.fixture(scope="session")
def functions(resources: Document) -> Document:
    """Logical id and properties of each Lambda function."""
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Function"
    }


@pytest.fixture(scope="session")
def container(resources: Document) -> Document:
    """The one container of each task definition, by the task definition's logical id."""

    def only(name: str) -> Document:
        (definition,) = resources[name]["Properties"]["ContainerDefinitions"]
        return dict(definition)

    return {name: only(name) for name, r in resources.items() if r["Type"] == "AWS::ECS::TaskDefinition"}


@pytest.fixture(scope="session")
def asl_text() -> str:
    return (ROOT / "statemachine/session.asl.json").read_text()


@pytest.fixture(scope="session")
def definition(asl_text: str) -> Document:
    """The state machine's definition, its substitutions not made."""
    return dict(json.loads(asl_text))


@pytest.fixture(scope="session")
def substitutions(template: Document) -> Document:
    """What the template puts in place of each `${Name}` of the definition."""
    return dict(template["Resources"]["SessionStateMachine"]["Properties"]["DefinitionSubstitutions"])
