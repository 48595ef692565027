"""The question that a turn ends with, which Claude marks in its last message: of this, people are notified."""

from __future__ import annotations

from cloud_agent_runner.claude.blocks import Block

_BLOCK = Block("question")
PLACE = _BLOCK.place

REQUEST = f"""\
When work can't go on without an answer that only a person can give, ask for it in your last message, in a sentence or \
two, {PLACE}: they're notified that you ask. Don't mark what you have decided yourself, or an offer to do more."""


def with_question(result: str) -> tuple[str, str]:
    """Return a turn's result with its question as a paragraph like any other, and the last that it marks, if any."""
    text, found = _BLOCK.unmarked_in(result)
    return text, found[-1] if found else ""
