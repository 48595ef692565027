from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no annotations of its own
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cloud_agent_runner.repository.config import RepositoryConfig
from cloud_agent_runner.repository.config_schema import repository_config_schema

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "repository-config.md").read_text(encoding="utf-8")
SCHEMA = repository_config_schema()
CHECK = jsonschema.Draft202012Validator(SCHEMA)

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 70_000),
    st.floats(),
    st.sampled_from(["", "/", "/health", "npm run dev", "public", "claude-sonnet-5", "-x", "PATH", "STRIPE_KEY"]),
    st.dictionaries(st.sampled_from(["api", "an api", ""]), st.sampled_from([0, 80, 70_000, "80"]), max_size=2),
    st.lists(st.sampled_from(["PATH", "STRIPE_KEY", "lower", "Read", "Bash", "WebFetch", 1]), max_size=3),
)
DOCUMENTS = st.dictionaries(st.sampled_from([*RepositoryConfig.model_fields, "other"]), VALUES, max_size=2)


def test_the_schema_in_the_documentation_is_that_of_the_model() -> None:
    program = [sys.executable, "-m", "cloud_agent_runner.repository.config_schema"]
    printed = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    assert printed == (DOCS / "claude-cloud-agent.schema.json").read_text(encoding="utf-8")


def test_the_schema_is_one_of_draft_2020_12_that_tells_an_editor_all_it_can() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (SCHEMA["additionalProperties"], bool(SCHEMA["title"])) == (False, True)
    assert list(RepositoryConfig.model_fields) == list(SCHEMA["properties"])
    for described in SCHEMA["properties"].values():
        assert described["description"].endswith(".")
        assert described["examples"]


def test_every_example_is_right() -> None:
    for key, described in SCHEMA["properties"].items():
        for example in described["examples"]:
            CHECK.validate({key: example})
            RepositoryConfig.model_validate({key: example})


@settings(max_examples=500, deadline=None)  # a busy machine proves nothing about the schema
@given(DOCUMENTS)
def test_an_editor_accepts_what_the_agent_accepts(document: dict[str, Any]) -> None:
    try:
        RepositoryConfig.model_validate(document)
        accepted = True
    except ValidationError:
        accepted = False
    # A schema knows neither infinity nor the difference between 3 and 3.0, and JSON has no such difference.
    if not any(isinstance(value, float) for value in document.values()):
        assert accepted == CHECK.is_valid(document)


def test_the_documentation_has_a_row_for_each_key() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert list(RepositoryConfig.model_fields) == rows


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_what_the_documentation_shows_is_right(block: str) -> None:
    RepositoryConfig.model_validate(yaml.safe_load(block))
