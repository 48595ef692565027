from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from scripted_model.messages_api import application

TOOLS = [{"name": "Bash", "input_schema": {"type": "object"}}]


@pytest.fixture
def model() -> TestClient:
    return TestClient(application())


def _call(body: str, **more: object) -> dict[str, Any]:
    prompt = f"Do it.\n<issue-0a1b>\nTitle: A title\n\n{body}\n</issue-0a1b>"
    return {"model": "claude-sonnet-5", "messages": [{"role": "user", "content": prompt}], "tools": TOOLS, **more}


def test_a_response_is_a_message_with_a_tool_call(model: TestClient) -> None:
    message = model.post("/v1/messages", json=_call("Change the greeting to: Hi")).json()
    assert (message["type"], message["role"], message["stop_reason"]) == ("message", "assistant", "tool_use")
    assert [block["type"] for block in message["content"]] == ["text", "tool_use"]
    assert message["usage"]["input_tokens"] > 0


def test_a_streamed_response_says_the_same_as_a_whole_one(model: TestClient) -> None:
    whole = model.post("/v1/messages", json=_call("Change the greeting to: Hi")).json()
    streamed = model.post("/v1/messages", json=_call("Change the greeting to: Hi", stream=True))
    events = [json.loads(line[6:]) for line in streamed.text.splitlines() if line.startswith("data: ")]
    assert "text/event-stream" in streamed.headers["content-type"]
    assert [e["type"] for e in (events[0], *events[-2:])] == ["message_start", "message_delta", "message_stop"]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert whole["content"][0]["text"] == "".join(delta.get("text", "") for delta in deltas)
    arguments = "".join(delta.get("partial_json", "") for delta in deltas)
    assert whole["content"][1]["input"] == json.loads(arguments)
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_the_last_message_names_the_images_that_came_with_the_request(model: TestClient) -> None:
    call = _call("scripted-model: run true")
    call["messages"][0]["content"] = [
        {"type": "text", "text": "Image 1:"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}},
        {"type": "text", "text": call["messages"][0]["content"]},
    ]
    tool = model.post("/v1/messages", json=call).json()["content"][-1]
    result = {"type": "tool_result", "tool_use_id": tool["id"], "content": "fine"}
    call["messages"] += [{"role": "assistant", "content": [tool]}, {"role": "user", "content": [result]}]
    (last,) = model.post("/v1/messages", json=call).json()["content"]
    assert last["text"] == "Images that came with it: image/png.\n\nDone. Output of the last command:\nfine"


@pytest.mark.parametrize(("status", "kind"), [(529, "overloaded_error"), (400, "invalid_request_error")])
def test_a_failure_that_the_prompt_orders_is_given(model: TestClient, status: int, kind: str) -> None:
    answer = model.post("/v1/messages", json=_call(f"text\nscripted-model: fail {status}"))
    assert (status, "error", kind) == (answer.status_code, answer.json()["type"], answer.json()["error"]["type"])
    assert answer.headers["x-should-retry"] == "false"


def test_tokens_are_counted_and_nonsense_is_refused(model: TestClient) -> None:
    assert model.post("/v1/messages/count_tokens", json=_call("x" * 4000)).json()["input_tokens"] > 1000
    assert model.post("/v1/messages", content=b"not json").status_code == 400
    assert model.post("/v1/messages", json={"messages": "none"}).status_code == 400
    assert model.post("/v1/other", json={}).status_code == 404
