"""contracts/agent_api.openapi.json as a judge of what passes between an agent and the Agent API."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no annotations of its own
from contracts.generator.documents import CONTRACTS

Document = dict[str, Any]


class AgentApiContract:
    """The contract; each method returns what is wrong, nothing where all is as described."""

    def __init__(self) -> None:
        self.document: Document = json.loads((CONTRACTS / "agent_api.openapi.json").read_text())

    def objections_to_request(self, method: str, path: str, body: bytes, authorization: str | None) -> list[str]:
        """Return what the contract has against a request."""
        operation = self._operation(method, path)
        if operation is None:
            return [f"{method} {path}: there is no such route"]
        found = [] if (authorization or "").startswith("Bearer ") else [f"{method} {path}: no bearer token"]
        described = operation.get("requestBody")
        if described is None:
            return [*found, f"{method} {path}: has a body, and reads none"] if body else found
        return found + self._objections(f"{method} {path}", described["content"], body)

    def objections_to_response(self, method: str, path: str, status: int, body: bytes) -> list[str]:
        """Return what the contract has against a response."""
        operation = self._operation(method, path)
        if operation is None:
            return [] if status == HTTPStatus.NOT_FOUND else [f"{method} {path}: there is no such route"]
        responses = operation["responses"]
        response = responses.get(str(status), responses.get(f"{status // 100}XX"))
        if response is None:
            return [f"{method} {path}: never responds with {status}"]
        content = self._resolved(response).get("content")
        if content is None:
            return [f"{method} {path} responding with {status}: has a body, and none is described"] if body else []
        return self._objections(f"{method} {path} responding with {status}", content, body)

    def _operation(self, method: str, path: str) -> Document | None:
        operation: Document | None = self.document["paths"].get(path, {}).get(method.lower())
        return operation

    def _resolved(self, response: Document) -> Document:
        name = response.get("$ref", "").removeprefix("#/components/responses/")
        return dict(self.document["components"]["responses"][name]) if name else response

    def _objections(self, place: str, content: Document, body: bytes) -> list[str]:
        try:
            instance = json.loads(body)
        except ValueError as error:
            return [f"{place}: no JSON ({error})"]
        schema = content["application/json"]["schema"] | {"components": self.document["components"]}
        errors = jsonschema.Draft202012Validator(schema).iter_errors(instance)
        return [f"{place}: {error.json_path}: {error.message[:300]}" for error in errors]
