"""The documents that the parts of the system agree on: the template, as written and as SAM expands it, and the ASL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.stack_template import ROOT, expanded, read_template

if TYPE_CHECKING:
    from pathlib import Path

Document = dict[str, Any]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def template() -> Document:
    """template.yaml, its short tags written out (`!Ref X` is {"Ref": "X"})."""
    return read_template()


@pytest.fixture(scope="session")
def expanded_template(template: Document) -> Document:
    """The template that CloudFormation is given once SAM has expanded it."""
    return expanded(template)


@pytest.fixture(scope="session")
def resources(expanded_template: Document) -> Document:
    """The resources that CloudFormation makes of the template once SAM has expanded it, whatever their conditions."""
    return dict(expanded_template["Resources"])


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
    """The one container of each task definition, by its logical id, without variables that are under a condition."""

    def only(name: str) -> Document:
        (definition,) = resources[name]["Properties"]["ContainerDefinitions"]
        return dict(definition) | {"Environment": [one for one in definition["Environment"] if "Name" in one]}

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
