"""Amazon API Gateway's HTTP API in front of a function, for clients built on Requests: no socket, no server."""

from __future__ import annotations

import base64
import io
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest, Response


def http_api_event(method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return what a function gets of a request: payload format 2.0.

    A body that isn't text comes in base64. (Amazon API Gateway: Create AWS Lambda proxy integrations for HTTP APIs)
    """
    parts = urlsplit(url)
    try:
        text, is_base64 = body.decode(), False
    except UnicodeDecodeError:
        text, is_base64 = base64.b64encode(body).decode(), True
    http = {"method": method, "path": parts.path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "x"}
    return {
        "version": "2.0",
        "rawPath": unquote(parts.path),
        "rawQueryString": parts.query,
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {"http": http, "stage": "$default", "requestId": "JKJaXmPLvHcESHA="},
        "body": text,
        "isBase64Encoded": is_base64,
    }


class HttpApi(HTTPAdapter):
    """Has a function respond to the requests of a session that it's mounted in."""

    def __init__(self, function: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        super().__init__()
        self._function = function

    def send(self, request: PreparedRequest, *_: object, **__: object) -> Response:
        """Respond as the function does. What it raises reaches the client: API Gateway would respond with 500."""
        body = request.body or b""
        assert isinstance(body, (str, bytes)), "a stream is sent by nobody"
        event = http_api_event(
            str(request.method),
            str(request.url),
            {name: _text(value) for name, value in request.headers.items()},
            body.encode() if isinstance(body, str) else body,
        )
        answer = self._function(event)
        raw = HTTPResponse(
            io.BytesIO(answer["body"].encode()),
            answer.get("headers", {}),
            answer["statusCode"],
            reason=HTTPStatus(answer["statusCode"]).phrase,
            preload_content=False,
        )
        return self.build_response(request, raw)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
