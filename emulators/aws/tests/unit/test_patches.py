"""Every correction of ministack is found, says what it rests on, and names what exists in AWS's own models."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import botocore.session
import pytest
from botocore.model import StructureShape

from embedded_aws import patches

FOLDER = Path(patches.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
_MODELS = re.compile(r'SDK model "([\w-]+)":([^;.(]*(?:\.\w[^;.(]*)*)')
_NAMES = re.compile(r"\b[A-Z]\w+(?:\.\w+)?")


def _docstring(module: str) -> str:
    return ast.get_docstring(ast.parse((FOLDER / f"{module}.py").read_text())) or ""


def test_every_module_is_a_correction_that_is_found() -> None:
    assert patches.names() == MODULES
    for module in MODULES:
        functions = [node for node in ast.parse((FOLDER / f"{module}.py").read_text()).body if hasattr(node, "name")]
        assert "apply" in [function.name for function in functions], module


@pytest.mark.parametrize("module", MODULES)
def test_a_correction_says_where_it_is_written_and_whether_upstream_knows(module: str) -> None:
    first, *_ = paragraphs = _docstring(module).split("\n\n")
    assert len(paragraphs) >= 2, "the defect, then how AWS behaves"
    assert first.endswith(".")
    assert re.fullmatch(r"Source: .+\nUpstream: [^\n]+", paragraphs[-1], re.DOTALL)


def _named() -> list[tuple[str, str]]:
    """Every operation, shape or member that a source names, as (service, name)."""
    sources = [" ".join(_docstring(module).partition("Source:")[2].split()) for module in MODULES]
    return [
        (service, name)
        for source in sources
        for service, names in _MODELS.findall(source)
        for name in _NAMES.findall(names)
    ]


@pytest.mark.parametrize(("service", "name"), _named())
def test_what_a_source_names_of_an_sdk_model_is_there(service: str, name: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    shape, _, member = name.partition(".")
    if member:
        structure = model.shape_for(shape)
        assert isinstance(structure, StructureShape)
        assert member in structure.members
    else:
        assert shape in {*model.operation_names, *model.shape_names}


def test_sdk_models_are_named() -> None:
    assert ("ecs", "StopTask") in _named()
    assert ("elbv2", "LoadBalancerAttribute.Key") in _named()
    assert ("stepfunctions", "InvalidToken") in _named()
