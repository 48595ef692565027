"""The HTML that GitHub makes of what people wrote. In it, attachments have signed addresses.

That they're signed for whoever may read the text, a GitHub App among them, is as anthropics/claude-code-action's
image-downloader.ts has it. "GitHub Docs: Media types" has the media type.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent.adapters.github.documents import RenderedText

if TYPE_CHECKING:
    from cloud_agent.adapters.github.repository_requests import RepositoryRequests

_FULL = "application/vnd.github.full+json"
_GONE = frozenset({404, 410})
# By which address on GitHub's pages a text is found in REST.
_TEXTS = (
    (re.compile(r"#issuecomment-(\d+)\Z"), ("/issues/comments/{}",)),
    (re.compile(r"#discussion_r(\d+)\Z"), ("/pulls/comments/{}",)),
    (
        re.compile(r"/pull/(\d+)#pullrequestreview-(\d+)\Z"),
        ("/pulls/{}/reviews/{}", "/pulls/{}/reviews/{}/comments?per_page=100"),
    ),
    (re.compile(r"/issues/(\d+)\Z"), ("/issues/{}",)),
)


class RenderedTexts:
    """The texts of one repository. Raises as `connection.GitHub` does."""

    def __init__(self, requests: RepositoryRequests) -> None:
        self._requests = requests

    def html(self, address: str) -> str:
        """Return the HTML of the text at this address on GitHub's pages; nothing where it's gone.

        A review's is that of its comments, too, by a second request.
        """
        for pattern, paths in _TEXTS:
            if found := pattern.search(address):
                return "\n".join(self._html(path.format(*found.groups())) for path in paths)
        return ""

    def _html(self, path: str) -> str:
        response = self._requests.send("GET", path, expected=_GONE, accept=_FULL)
        if response.status in _GONE:
            return ""
        texts = response.read(list[RenderedText] | RenderedText)  # type: ignore[arg-type]  # a union is a type to pydantic
        return "\n".join(text.body_html or "" for text in (texts if isinstance(texts, list) else [texts]))
