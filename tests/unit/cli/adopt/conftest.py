"""AWS as its documentation shows its answers: clients that answer the calls they are told to expect, in that order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

if TYPE_CHECKING:
    from collections.abc import Iterator


class DocumentedAws:
    """Makes stubbed clients, one of a service."""

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self._stubbers: dict[str, Stubber] = {}

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        if service not in self._clients:
            make_client: Any = boto3.client  # whose stubs want a literal name
            self._clients[service] = make_client(
                service, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
            )
            self._stubbers[service] = Stubber(self._clients[service])
            self._stubbers[service].activate()
        return self._clients[service]

    def answers(self, service: str, operation: str, answer: dict[str, Any], **request: object) -> None:
        self.client(service)
        self._stubbers[service].add_response(operation, answer, request or None)

    def refuses(self, service: str, operation: str, code: str, message: str, **request: object) -> None:
        self.client(service)
        self._stubbers[service].add_client_error(operation, code, message, expected_params=request or None)

    def assert_all_was_asked(self) -> None:
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()


@pytest.fixture
def documented() -> Iterator[DocumentedAws]:
    aws = DocumentedAws()
    yield aws
    aws.assert_all_was_asked()
