"""The pull request's description, which Claude puts into a turn's last message: no model call of its own."""

from __future__ import annotations

import re

_OPENING, _CLOSING = "<pull-request>", "</pull-request>"
_BLOCK = re.compile(rf"\s*^{_OPENING}\s*$(.*?)^{_CLOSING}\s*$\s*", re.DOTALL | re.MULTILINE)

REQUEST = f"""\
After that summary, when the branch has changes, write the pull request's description between a line {_OPENING} and a \
line {_CLOSING}. It describes the whole branch as it is now, not this turn alone, and becomes the squashed commit's \
message: what changes and why, then how to check it. Plain Markdown of at most 200 words, without headings, images and \
issue numbers, and nothing about this session. It's taken out of your message, so don't refer to it."""


def without_description(result: str) -> tuple[str, str]:
    """Return a turn's result without its descriptions, and the last of them; empty where there's none that is whole.

    A result that is nothing else is the description as well.
    """
    found = [block.strip() for block in _BLOCK.findall(result)]
    rest = _BLOCK.sub("\n\n", result).strip()
    description = found[-1] if found else ""
    return (rest or description or result), description
