"""A session's row as a JSON Schema: what the functions read and write of it, and which other unit reads what."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from cloud_agent.domain.session.agent_reports import HostHeader
from cloud_agent.domain.session.session import Session
from cloud_agent_proxy.session import Session as ProxySession

if TYPE_CHECKING:
    from pydantic_core import core_schema

    Document = dict[str, Any]

STATE_MACHINE = Path(__file__).parents[2] / "statemachine/session.asl.json"
_KEY = "'SESSION#' & "


class SessionRow(Session):
    """The row of an issue's session in the sessions table. What a later step writes is absent until then."""

    model_config = ConfigDict(extra="forbid")

    pk: str = Field(pattern=r"^SESSION#[0-9a-f]{8}$")
    sk: Literal["SESSION"]
    started_at: str | None = None
    task_created_at: str | None = None
    task_version: int | None = None
    host_header: HostHeader | None = None
    page_revision: int | None = None
    preview_port: int | None = None
    expires_at: int | None = None


def session_row() -> Document:
    """Return the schema; `x-readers` of an attribute are the units that read it."""
    schema = SessionRow.model_json_schema(schema_generator=_AsStored)
    readers = {"functions": set(Session.model_fields), "proxy": proxy_reads(), "workflow": workflow_reads()}
    for name, attribute in schema["properties"].items():
        attribute["x-readers"] = [unit for unit, names in readers.items() if name in names]
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "Session row"}


def proxy_reads() -> set[str]:
    """Return the attributes that the proxy asks the table for; it takes the session's id from the key."""
    fields = ProxySession.model_fields.items()
    return {str(field.validation_alias or name) for name, field in fields} - {"id"} | {"pk"}


def workflow_reads() -> set[str]:
    """Return the attributes of the row that the state machine has conditions on, or reads."""
    states = json.loads(STATE_MACHINE.read_text())["States"].values()
    requests = [state["Arguments"] for state in states if _KEY in str(state.get("Arguments", {}).get("Key"))]
    found = set(re.findall(r"\$states\.result\.Item\.(\w+)", json.dumps(list(states))))
    for request in requests:
        condition = str(request.get("ConditionExpression", ""))
        found |= set(re.findall(r"attribute_(?:not_)?exists\((\w+)\)", condition))
        found |= {name for alias, name in request.get("ExpressionAttributeNames", {}).items() if alias in condition}
    return found


class _AsStored(GenerateJsonSchema):
    """DynamoDB has one kind of number, and an attribute that is absent rather than null."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        del schema
        return {"type": "number"}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return {name: value for name, value in super().default_schema(schema).items() if name != "default"}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 - a type of pydantic's own core
        del schema
        return False
