"""Of which of a text's links something is shown: an address without that is hidden."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.hidden_html import Cut, Edge, Hidden

if TYPE_CHECKING:
    from collections.abc import Iterable


class LinkEdges:
    """Where a text shows something, and where its links begin and end, in order.

    No link is in another. So each goes on to the next edge, whichever that is of, as browsers have it.
    """

    def __init__(self, length: int) -> None:
        self._visible = bytearray(length)
        self._edges: list[Edge] = []

    def show(self, start: int, end: int) -> None:
        """Note that this part is shown."""
        self._visible[start:end] = b"\1" * (end - start)

    def add(self, edges: Iterable[Edge]) -> int:
        """Note the next edges; return how many there are by now."""
        self._edges += edges
        return len(self._edges)

    def shows(self, start: int, end: int) -> bool:
        """Whether anything is shown in this part."""
        return self._visible.find(1, start, end) >= 0

    def is_shown(self, start: int, end: int, next_edge: int) -> bool:
        """Whether anything is shown of the link from `start` to `end`, inside which that edge would be the next."""
        return self.shows(start, self._edges[next_edge].start if next_edge < len(self._edges) else end)

    def empty(self) -> list[Cut]:
        """Return what takes the addresses from HTML's links of which nothing is shown."""
        last = Edge(len(self._visible), len(self._visible))
        return [
            Cut(edge.start, edge.end, Hidden.ADDRESS, "<a>")
            for edge, following in pairwise([*self._edges, last])
            if edge.has_address and not self.shows(edge.end, following.start)
        ]
