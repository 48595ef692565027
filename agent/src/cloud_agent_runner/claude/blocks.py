"""Parts of Claude's message that the system reads: what stands between a line `<name>` and a line `</name>`."""

from __future__ import annotations

import re


class Block:
    """A part of that name, which is found where it's whole; `place` tells Claude where it is."""

    def __init__(self, name: str) -> None:
        opening, closing = f"<{name}>", f"</{name}>"
        self.place = f"between a line {opening} and a line {closing}"
        self._pattern = re.compile(rf"\s*^{opening}\s*$(.*?)^{closing}\s*$\s*", re.DOTALL | re.MULTILINE)

    def taken_out_of(self, message: str) -> tuple[str, list[str]]:
        """Return the message without its parts of this name, and what stands in them."""
        return self._pattern.sub("\n\n", message).strip(), self._in(message)

    def unmarked_in(self, message: str) -> tuple[str, list[str]]:
        """Return the message with its parts of this name as paragraphs, and what stands in them."""
        text = self._pattern.sub(lambda part: f"\n\n{part[1].strip()}\n\n", message)
        return text.strip(), self._in(message)

    def _in(self, message: str) -> list[str]:
        return [part.strip() for part in self._pattern.findall(message)]
