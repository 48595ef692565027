"""`python -m cloud_agent_runner.repository.config_schema`: print the JSON Schema of the repository's configuration.

docs/claude-cloud-agent.schema.json is this module's output, for editors to complete and check the file by.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from cloud_agent_runner.repository.config import CONFIG_PATH, RepositoryConfig

if TYPE_CHECKING:
    from pydantic_core import core_schema


def repository_config_schema() -> dict[str, Any]:
    """Return the schema, draft 2020-12."""
    schema = RepositoryConfig.model_json_schema(schema_generator=_WithoutNull)
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **schema,
        "title": f"Claude Cloud Agent: {CONFIG_PATH}",
    }


class _WithoutNull(GenerateJsonSchema):
    """None stands for a key that is left out; the file itself cannot say it."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        return {name: value for name, value in described.items() if (name, value) != ("default", None)}

    def get_title_from_name(self, name: str) -> str:
        return name


if __name__ == "__main__":
    sys.stdout.write(json.dumps(repository_config_schema(), indent=2) + "\n")
