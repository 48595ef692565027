"""A stand-in for Amazon Bedrock and for the address of a task role's credentials: it holds callers to their signature.

The frames are those of "Amazon Transcribe: Event stream encoding", the signature's check is botocore's own calculation.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.kit.http_server import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REGION = "eu-west-1"
_CREDENTIALS_PATH = "/v2/credentials/the-role"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/(\S+)/aws4_request, SignedHeaders=(\S+), Signature=([0-9a-f]{64})"
)
_FRAME_HEADERS = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
_STRING = 7

Events = list[dict[str, Any]]


@dataclass
class Bedrock:
    """Responds to `serve_http`. `answer` gives the events of the Messages API for a model and a request's body.

    Each time that credentials are fetched, they are new ones, which are good for `lifetime`; only the latest sign.
    """

    answer: Callable[[str, dict[str, Any]], Events]
    lifetime: timedelta = timedelta(hours=1)
    denied: bool = False
    issued: int = 0
    models: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        if request.path == _CREDENTIALS_PATH:
            return self._credentials()
        operation = re.fullmatch(r"/model/([^/]+)/(invoke|invoke-with-response-stream)", request.path)
        if operation is None:
            return Response.of({"message": "UnknownOperationException"}, 404)
        if self.denied or not self._is_signed(request):
            return Response.of({"message": "You don't have access to the model."}, 403)
        model = unquote(operation[1])
        self.models.append(model)
        events = self.answer(model, request.json())
        if operation[2] == "invoke":
            return Response.of(_message(events))
        return Response(200, event_stream(events), {"Content-Type": "application/vnd.amazon.eventstream"})

    def variables(self, url: str) -> dict[str, str]:
        """Return what a task at this Bedrock has in its environment."""
        return {
            "AWS_REGION": REGION,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}{_CREDENTIALS_PATH}",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        }

    def _credentials(self) -> Response:
        self.issued += 1
        until = (datetime.now(UTC) + self.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = self._current()
        document = {"AccessKeyId": key.access_key, "SecretAccessKey": key.secret_key, "Token": key.token}
        return Response.of({**document, "Expiration": until})

    def _current(self) -> Credentials:
        return Credentials(f"AKIA{self.issued}", f"the-secret-{self.issued}", f"the-token-{self.issued}")

    def _is_signed(self, request: Request) -> bool:
        given = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if given is None:
            return False
        key, scope, names, signature = given.groups()
        signed = {name: request.headers[name] for name in names.split(";")}
        again = AWSRequest(
            request.method, f"http://{request.headers['host']}{request.path}", headers=signed, data=request.body
        )
        again.context["timestamp"] = signed["x-amz-date"]
        auth = SigV4Auth(self._current(), "bedrock", REGION)
        expected = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
        issued = (self._current().access_key, self._current().token)
        return ((key, signed["x-amz-security-token"]), scope, signature) == (issued, f"{REGION}/bedrock", expected)


def event_stream(events: Iterable[dict[str, Any]]) -> bytes:
    """Return the events of the Messages API as InvokeModelWithResponseStream sends them."""
    return b"".join(_frame(event) for event in events)


def _message(events: Events) -> dict[str, Any]:
    message = dict(events[0]["message"])
    return {**message, "usage": {**message["usage"], **events[-2]["usage"]}}


def _frame(event: dict[str, Any]) -> bytes:
    payload = json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode()
    return _frame_of(_FRAME_HEADERS, payload)


def event_exception(name: str) -> bytes:
    """Write the frame by which a stream ends before its time."""
    return _frame_of({":exception-type": name, ":message-type": "exception"}, b"{}")


def _frame_of(named: dict[str, str], payload: bytes) -> bytes:
    headers = b"".join(_header(name, value) for name, value in named.items())
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", binascii.crc32(message))


def _header(name: str, value: str) -> bytes:
    return struct.pack(f">B{len(name)}sBH", len(name), name.encode(), _STRING, len(value)) + value.encode()
