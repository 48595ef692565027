"""A line of a session's transcript as a JSON Schema, made of the models that the Agent API reads events by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from cloud_agent.domain.session.transcript import VERSION, AgentEvent, TranscriptEvent, WorkflowEvent

if TYPE_CHECKING:
    Document = dict[str, Any]

# What the functions write before each event: its version, and its number within its stream.
_NUMBERED: Document = {"v": {"const": VERSION, "type": "integer"}, "seq": {"minimum": 1, "type": "integer"}}


def transcript() -> Document:
    """Return the schema of one line, whichever stream it is of."""
    adapter: TypeAdapter[TranscriptEvent] = TypeAdapter(AgentEvent | WorkflowEvent)
    schema = adapter.json_schema(schema_generator=_WithoutTitles)
    for definition in schema["$defs"].values():
        if "kind" in definition.get("required", ()):
            definition["properties"] = _NUMBERED | definition["properties"]
            definition["required"] = [*_NUMBERED, *definition["required"]]
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "Transcript event",
        "description": "One line of a session's transcript. All of it is untrusted text.",
        **schema,
    }


class _WithoutTitles(GenerateJsonSchema):
    """A member's title would repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 - a type of pydantic's own core
        del schema
        return False
