"""The Agent API in OpenAPI 3.1, made of the routes that run and of the models that read and write their bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from cloud_agent.agent_api.handler import PARTS
from cloud_agent.agent_api.responses import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.agent_api.routes import Route

    Document = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"
_ETAG = {"description": "Names this response.", "schema": {"type": "string"}}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of the response that the client has.",
    "schema": {"type": "string"},
}
_UNIONS = {"progress": "Progress"}
_REFUSALS = {
    "400": "The body is not as described, or a secret does not exist. Sending it again changes nothing.",
    "401": "The token opens no session.",
    "409": "The session has ended or is ending: the agent has to stop.",
    "429": "Too many requests. The same request may succeed later.",
    "5XX": "The API, or a service that it depends on, has failed. The same request may succeed later.",
}


def agent_api() -> Document:
    """Return the whole document."""
    routes = sorted((route for part in PARTS for route in part.declared), key=lambda route: route.path)
    references, schemas = _schemas(routes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Claude Cloud Agent: Agent API",
            "version": "1.0.0",
            "description": (
                "All that a session's container can ask of the system. A client may repeat any request: a report that "
                "is made again changes nothing."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{"sessionToken": []}],
        "paths": {route.path: {route.method.lower(): _operation(route, references)} for route in routes},
        "components": {
            "schemas": schemas,
            "responses": {name: _response(text, references["problem"]) for name, text in _REFUSALS.items()},
            "securitySchemes": {
                "sessionToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The container's SESSION_TOKEN. It opens one session while that session is live.",
                }
            },
        },
    }


def _schemas(routes: Sequence[Route]) -> tuple[dict[str, Document], dict[str, Document]]:
    """Return a reference to each body, by its route's name, and the schemas that the references lead to."""
    bodies = [(route.name, "validation", route.body) for route in routes if route.body is not None]
    responses = [(f"{route.name} responds", "serialization", TypeAdapter(route.response)) for route in routes]
    adapters = [*bodies, *responses, ("problem", "serialization", TypeAdapter(Problem))]
    found, definitions = TypeAdapter.json_schemas(
        adapters,  # type: ignore[arg-type]  # it wants the modes as literals
        ref_template=_REFERENCE,
        schema_generator=_WithoutTitles,
    )
    references, schemas = {}, dict(definitions["$defs"])
    for (name, _), schema in found.items():
        references[str(name)] = schema
        if "$ref" not in schema:  # a union has no name of its own
            schemas[_UNIONS[str(name)]] = schema
            references[str(name)] = {"$ref": _REFERENCE.format(model=_UNIONS[str(name)])}
    return references, dict(sorted(schemas.items()))


def _operation(route: Route, references: dict[str, Document]) -> Document:
    summary, _, description = route.description.partition("\n\n")
    operation: Document = {"operationId": route.name, "summary": summary}
    if description:
        operation["description"] = " ".join(description.split())
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(references[route.name])}
    success = _response("The request was carried out.", references[f"{route.name} responds"])
    not_modified: Document = {}
    if route.conditional:
        operation["parameters"] = [_IF_NONE_MATCH]
        success["headers"] = {"ETag": _ETAG}
        not_modified = {"304": {"description": "It would be what the client has.", "headers": {"ETag": _ETAG}}}
    operation["responses"] = {
        "200": success,
        **not_modified,
        **{status: {"$ref": f"#/components/responses/{status}"} for status in _REFUSALS if _can_happen(status, route)},
    }
    return operation


def _can_happen(status: str, route: Route) -> bool:
    return status != "400" or route.body is not None


def _response(description: str, schema: Document) -> Document:
    return {"description": description, "content": _json(schema)}


def _json(schema: Document) -> Document:
    return {"application/json": {"schema": schema}}


class _WithoutTitles(GenerateJsonSchema):
    """A member's title would repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 - a type of pydantic's own core
        del schema
        return False
