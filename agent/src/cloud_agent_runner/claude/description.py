"""The pull request's description, which Claude puts into a turn's last message: no model call of its own."""

from __future__ import annotations

from cloud_agent_runner.claude.blocks import Block

_BLOCK = Block("pull-request")

REQUEST = f"""\
After that summary, when the branch has changes, write the pull request's description {_BLOCK.place}. It \
describes the whole branch as it is now, not this turn alone, and becomes the squashed commit's message: what changes \
and why, then how to check it. Plain Markdown of at most 200 words, without headings, images and issue numbers, and \
nothing about this session. It's taken out of your message, so don't refer to it."""


def without_description(result: str) -> tuple[str, str]:
    """Return a turn's result without its descriptions, and the last of them; empty where there's none that is whole.

    A result that is nothing else is the description as well.
    """
    rest, found = _BLOCK.taken_out_of(result)
    description = found[-1] if found else ""
    return (rest or description or result), description
