"""DynamoDB and Step Functions behind botocore's last hook: what the Agent API asks of them, and the units it takes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from tests.bench.agents.agent import prompt_row

if TYPE_CHECKING:
    from collections.abc import Callable

_SERIALIZER = TypeSerializer()


@dataclass
class Table:
    """Rows and prompts by session, and the units that reading and writing them takes."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    prompts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0

    def add(self, row: dict[str, Any]) -> None:
        """Put a session's row."""
        self.rows[row["pk"]], self.prompts[row["pk"]] = row, []

    async def interrupt(self, key: str, news: str) -> None:
        """Record a request to interrupt."""
        self.rows[key]["interrupt_id"] = news

    async def prompt(self, key: str, news: str) -> None:
        """Put a prompt; all but the latest four have been answered."""
        self.rows[key]["latest_prompt_id"] = news
        self.prompts[key] = [*self.prompts[key][-3:], prompt_row(key, news)]

    def answer(self, request: Any, **_: object) -> AWSResponse:  # noqa: ANN401 - botocore's
        """Answer in DynamoDB's place."""
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        body = json.loads(request.body)
        document: dict[str, Any] = {}
        if operation == "GetItem":
            item = self.rows[body["Key"]["pk"]["S"]]
            self.reads += -(-_size(item) // 4096)
            document = {"Item": _wire(item)}
        elif operation == "Query":
            values = [str(value["S"]) for value in body["ExpressionAttributeValues"].values()]
            items = self.prompts[next(value for value in values if value.startswith("SESSION#"))]
            self.reads += max(1, -(-sum(map(_size, items)) // 4096))
            document = {"Items": [_wire(item) for item in items], "Count": len(items), "ScannedCount": len(items)}
        elif operation == "UpdateItem":
            self.writes += -(-_size(self.rows[body["Key"]["pk"]["S"]]) // 1024)
        content = json.dumps(document).encode()
        return respond(request, content)


def _wire(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _SERIALIZER.serialize(value) for name, value in item.items()}


def _size(item: dict[str, Any]) -> int:
    return sum(len(name) + len(str(value)) for name, value in item.items())


def register(client: Any, answer: Callable[..., AWSResponse]) -> None:  # noqa: ANN401 - any of boto3's
    """Have this answer the client's requests in the place of the network."""
    client.meta.events.register("before-send", answer)


def accept(request: Any, **_: object) -> AWSResponse:  # noqa: ANN401 - botocore's
    """Answer in Step Functions' place: the wait goes on."""
    return respond(request, b"{}")


def respond(request: Any, content: bytes) -> AWSResponse:  # noqa: ANN401 - botocore's
    """Return an answer of AWS."""
    headers = HTTPHeaders()
    headers["content-type"] = "application/x-amz-json-1.0"
    return AWSResponse(request.url, 200, headers, Raw(content))


class Raw:
    """The body of an answer, as urllib3 has it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: object) -> list[bytes]:
        """Return it in one piece."""
        return [self.content]
