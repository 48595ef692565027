"""What the model said in a turn, by the gateway: the standard for what Claude Code says that it said."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# As many as a turn's last message can be among, its subagents' included; each is as long as a response may be.
_RESPONSES_KEPT = 50


class ResponseText:
    """The text blocks of one response, as far as they have come; `is_last` once the model has nothing more to do."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.is_last = False

    def observe(self, event: Mapping[str, Any]) -> None:
        """Take the next event of the Messages API's, or a whole message."""
        kind, delta = event.get("type"), event.get("delta", {})
        if kind == "message":
            self.blocks = [block.get("text", "") for block in event.get("content", []) if block.get("type") == "text"]
            self.is_last = event.get("stop_reason") == "end_turn"
        elif kind == "content_block_start" and (block := event.get("content_block", {})).get("type") == "text":
            self.blocks.append(block.get("text", ""))
        elif kind == "content_block_delta" and delta.get("type") == "text_delta" and self.blocks:
            self.blocks[-1] += delta.get("text", "")
        elif kind == "message_delta":
            self.is_last = delta.get("stop_reason") == "end_turn"


class TurnTexts:
    """The texts of a turn's latest responses, whoever asked for them."""

    def __init__(self) -> None:
        self._responses: deque[ResponseText] = deque(maxlen=_RESPONSES_KEPT)

    def add(self, response: ResponseText) -> None:
        """Have a response count, whose text is still coming."""
        self._responses.append(response)

    def include(self, text: str) -> bool:
        """Whether the model wrote `text`, as a whole."""
        return any(block.strip() == text.strip() for response in self._responses for block in response.blocks)

    @property
    def last(self) -> str:
        """What the model wrote when it last had nothing more to do; empty where it still had."""
        return next((each.blocks[-1] for each in reversed(self._responses) if each.is_last and each.blocks), "")
