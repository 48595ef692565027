from __future__ import annotations

from typing import Any

from cloud_agent_runner.model.response_text import ResponseText, TurnTexts


def _streamed(*texts: str, stop_reason: str) -> ResponseText:
    response = ResponseText()
    for text in texts:
        response.observe({"type": "content_block_start", "content_block": {"type": "text", "text": ""}})
        for character in text:
            response.observe({"type": "content_block_delta", "delta": {"type": "text_delta", "text": character}})
    response.observe({"type": "message_delta", "delta": {"stop_reason": stop_reason}})
    return response


def _turn(*responses: ResponseText) -> TurnTexts:
    turn = TurnTexts()
    for response in responses:
        turn.add(response)
    return turn


def test_a_text_is_the_models_only_as_a_whole_block() -> None:
    turn = _turn(_streamed("Let me look.", "Found it.\n", stop_reason="tool_use"), _streamed("Done.", stop_reason="x"))
    assert [turn.include(text) for text in ("Found it.", "Done.", "Found", "Let me look.Found it.", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_the_last_text_is_the_one_after_which_the_model_had_nothing_more_to_do() -> None:
    said, more = _streamed("First.", "Done.", stop_reason="end_turn"), _streamed("Reading.", stop_reason="tool_use")
    assert _turn(said, more).last == "Done."
    assert not _turn(more).last


def test_a_whole_message_counts_and_what_is_not_of_the_messages_api_does_not() -> None:
    response = ResponseText()
    odd: list[dict[str, Any]] = [
        {},
        {"type": "content_block_start"},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}},
        {"type": "message"},
    ]
    for event in odd:
        response.observe(event)
    assert not response.blocks
    content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Done."}]
    response.observe({"type": "message", "content": content, "stop_reason": "end_turn"})
    assert (response.blocks, response.is_last) == (["Done."], True)
