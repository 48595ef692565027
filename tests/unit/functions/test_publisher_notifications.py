"""Notifications as the publisher sends them: to a real topic and a real webhook, once, and never in a comment's way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tests.kit.http_server import NoResponse, Response, serve_http
from tests.kit.sessions import serialized

from cloud_agent.adapters.chat import webhook
from cloud_agent.adapters.table.keys import session_key
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind
from cloud_agent.publisher.handler import handler

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_s3.service_resource import Bucket
    from tests.kit.http_server import HttpServer, Request
    from tests.unit.functions.aws_stand_in import StepFunctions

ID, OTHER = "09e22a8b", "6020583d"
PATH = "/services/T0/B0/a-credential"


class Subscriber:
    """A queue that a team has subscribed to the topic, for failures and for what waits."""

    def __init__(self, topic_arn: str) -> None:
        self._client = boto3.client("sqs")
        self._url = self._client.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        policy = {"event": ["failed", "waiting"], "repository": ["acme/shop"]}
        boto3.client("sns").subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=arn["QueueArn"],
            Attributes={"FilterPolicy": json.dumps(policy), "RawMessageDelivery": "true"},
        )

    def delete(self) -> None:
        self._client.delete_queue(QueueUrl=self._url)

    def messages(self) -> list[dict[str, Any]]:
        received = self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in received]


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    monkeypatch.setattr(webhook, "_PAUSE_SECONDS", 0)
    with serve_http(Response(200, b"ok")) as server:
        yield server


@pytest.fixture
def topic_arn(aws: None) -> Iterator[str]:  # noqa: ARG001 - in the account
    client = boto3.client("sns")
    arn = client.create_topic(Name="notifications")["TopicArn"]
    yield arn
    client.delete_topic(TopicArn=arn)


@pytest.fixture
def subscriber(topic_arn: str) -> Iterator[Subscriber]:
    one = Subscriber(topic_arn)
    yield one
    one.delete()


@pytest.fixture
def webhooks(
    environment: Callable[..., None], topic_arn: str, put_secret: Callable[..., str], chat: HttpServer
) -> Callable[[str], None]:
    """Set the secret's value, as an operator does."""

    def put(value: str) -> None:
        environment(CHAT_WEBHOOKS_ARN=put_secret(value, f"chat-{hash(value)}"), NOTIFICATIONS_TOPIC_ARN=topic_arn)

    put(json.dumps({"slack": f"{chat.url}{PATH}"}))
    return put


@pytest.fixture
def publish(
    webhooks: Callable[[str], None],  # noqa: ARG001 - the function's environment
    put_session: Callable[..., None],
    bucket: Bucket,  # noqa: ARG001 - of transcripts
    step_functions: StepFunctions,  # noqa: ARG001 - knows no execution
    context: LambdaContext,
) -> Callable[..., None]:
    """Put the session's row, and hand its change to the function. There is no pull request, and so no comment."""

    def change(*ids: str, **attributes: Any) -> None:  # noqa: ANN401 - any attribute of a row
        for session_id in ids or [ID]:
            put_session(session_id, **{"pull_number": None, "repo": "acme/shop", **attributes})
        keys = [serialized(session_key(session_id)) for session_id in ids or [ID]]
        handler({"Records": [{"eventName": "MODIFY", "dynamodb": {"Keys": key}} for key in keys]}, context)

    return change


def sent(chat: HttpServer) -> list[str]:
    """The headings of what the chat was sent."""
    return [request.json()["text"].partition(":")[0] for request in chat.requests]


def test_each_event_is_sent_once_however_often_the_stream_tells_of_it(
    publish: Callable[..., None], chat: HttpServer, subscriber: Subscriber
) -> None:
    for _ in range(2):
        publish(lifecycle_token="t")
    for answer in ("A", "A", "B"):
        publish(lifecycle_token="t", latest_turn_id=answer)
    for _ in range(2):
        publish(status="FAILED", end_reason="The container stopped.")
    waiting = "💬 Claude is waiting for you"
    assert sent(chat) == ["🟢 Claude is working", waiting, waiting, "❌ The session failed"]
    assert {request.path for request in chat.requests} == {PATH}
    assert [message["id"] for message in subscriber.messages()] == [
        f"{ID}:waiting:A",
        f"{ID}:waiting:B",
        f"{ID}:failed",
    ]


def test_nobody_is_told_that_claude_waits_while_a_comment_is_queued(
    publish: Callable[..., None], chat: HttpServer
) -> None:
    prompt_id = "01JD8Y3QF0000000000000000A"
    prompt = Prompt(id=prompt_id, kind=PromptKind.COMMENT, body="More", author="octo-dev", url="u", created_at="")
    Prompts("sessions").put(ID, prompt)
    publish(lifecycle_token="t", latest_turn_id="A")
    assert sent(chat) == []


@pytest.mark.parametrize(
    ("responses", "attempts"),
    [
        ([Response(200)], 1),
        ([Response(202)], 1),
        ([Response(503), Response(200)], 2),
        ([Response(429), Response(429)], 2),
        ([NoResponse.CLOSE, NoResponse.CLOSE], 2),
        ([Response(404)], 1),
        ([Response(302, headers={"Location": "/elsewhere"})], 1),
    ],
)
def test_a_chat_is_tried_again_where_that_may_help_and_then_no_more(
    publish: Callable[..., None],
    chat: HttpServer,
    responses: list[Response | NoResponse],
    attempts: int,
) -> None:
    left = iter(responses)
    chat.respond = lambda _request: next(left)
    for _ in range(2):
        publish(lifecycle_token="t")
    assert len(chat.requests) == attempts


@pytest.mark.parametrize(
    ("response", "reason"), [(Response(404, b"no_service"), "HTTP 404"), (NoResponse.CLOSE, "ProtocolError")]
)
def test_what_could_not_be_sent_is_in_the_log_and_counted_and_the_webhooks_url_is_nowhere(  # noqa: PLR0913, PLR0917 - what it's in
    publish: Callable[..., None],
    chat: HttpServer,
    subscriber: Subscriber,
    logs: io.StringIO,
    measured: Callable[..., list[list[float]]],
    response: Response | NoResponse,
    reason: str,
) -> None:
    chat.respond = response
    publish(lifecycle_token="t", latest_turn_id="A")
    assert measured("NotificationFailed") == [[1.0]]
    assert f"The slack webhook didn't take the notification: {reason}" in logs.getvalue()
    assert "a-credential" not in logs.getvalue()
    assert len(subscriber.messages()) == 1


@pytest.mark.parametrize("value", ["unset", '{"slack": "http://example.com/x"}', '{"discord": "https://a.example"}'])
def test_a_secret_that_cannot_be_used_keeps_nothing_from_the_topic_and_is_not_shown(
    publish: Callable[..., None],
    webhooks: Callable[[str], None],
    subscriber: Subscriber,
    logs: io.StringIO,
    value: str,
) -> None:
    webhooks(value)
    publish(lifecycle_token="t", latest_turn_id="A")
    assert "notification not sent" in logs.getvalue()
    assert "example" not in logs.getvalue()
    assert len(subscriber.messages()) == 1


def test_a_topic_that_is_gone_keeps_nothing_from_the_chat(
    publish: Callable[..., None], topic_arn: str, chat: HttpServer
) -> None:
    boto3.client("sns").delete_topic(TopicArn=topic_arn)
    publish(lifecycle_token="t")
    assert sent(chat) == ["🟢 Claude is working"]


def test_teams_gets_a_card(publish: Callable[..., None], webhooks: Callable[[str], None], chat: HttpServer) -> None:
    webhooks(json.dumps({"teams": f"{chat.url}{PATH}"}))
    publish(lifecycle_token="t")
    (request,) = chat.requests
    assert request.json()["attachments"][0]["content"]["type"] == "AdaptiveCard"
    assert request.headers["Content-Type"] == "application/json"


def test_the_comments_of_all_sessions_come_before_any_chat(
    publish: Callable[..., None], chat: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def refresh(_context: object, session_id: str, _new_prompts: object) -> None:
        order.append(session_id)

    def respond(_request: Request) -> Response:
        order.append("chat")
        return Response(404)

    monkeypatch.setattr("cloud_agent.publisher.handler.refresh", refresh)
    chat.respond = respond
    publish(ID, OTHER, lifecycle_token="t")
    assert order == [ID, OTHER, "chat", "chat"]
