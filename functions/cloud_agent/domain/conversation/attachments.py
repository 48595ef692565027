"""Files that people attach to what they write on GitHub.

In Markdown a file stands by an address that only a signed-in browser can follow where the repository is private. In the
HTML that GitHub makes of it, an image or video has a signed address instead, good for minutes. The name of the file, a
UUID, is in both.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cloud_agent.domain.conversation.prompts import PromptKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_agent.domain.conversation.prompts import Prompt

SIGNED_LIMIT = 10  # of a prompt's attachments: the most whose signed addresses are looked up
LISTED_LIMIT = 50
_PUBLIC_HOST = "user-images.githubusercontent.com"  # where they were until 2023, for everybody to fetch
_ADDRESS = re.compile(r"https?://[^\s()<>\[\]\"'`\\]+")
_PUNCTUATION = ".,:;!?*_~"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# As it has been: /user-attachments/assets/<uuid>, before that /<owner>/<repository>/assets/<number>/<uuid>, and, signed
# or not, /<number>/<number>-<uuid>.png.
_ASSET = re.compile(rf"(?:/assets/(?:\d+/)?|/\d+-)({_UUID})(?:\.\w+)?\Z")
_FILE = re.compile(r"\A/(?:user-attachments|[^/]+/[^/]+)/files/\d+/[^/]+\Z")
_IN_HTML = re.compile(r'\b(?:src|href)="([^"]+)"')


@dataclass(frozen=True)
class Attachment:
    """A file by its address in a text. `source` is the address of that text, a comment's for instance."""

    url: str
    source: str

    @property
    def uuid(self) -> str:
        """The name by which GitHub may sign it; empty where it doesn't: what is neither image nor video."""
        return "" if self._is_public else _uuid(self.url)

    def fetched_from(self, signed: Mapping[str, str]) -> str | None:
        """Return where it can be fetched without credentials; `signed` are the addresses that are known."""
        return self.url if self._is_public else signed.get(self.uuid)

    @property
    def _is_public(self) -> bool:
        return urlsplit(self.url).hostname == _PUBLIC_HOST


def attachments_of(prompt: Prompt) -> tuple[Attachment, ...]:
    """Return the files that the prompt's text and the discussion beside it name, each once, in order."""
    texts = [(prompt.body, _address(prompt)), *((remark.body, remark.url) for remark in prompt.discussion)]
    found: dict[str, Attachment] = {}
    for text, source in texts:
        for url in _addresses(text):
            found.setdefault(url, Attachment(url, source))
    return tuple(found.values())[:LISTED_LIMIT]


def signed_addresses(rendered: str) -> dict[str, str]:
    """Return the signed addresses in the HTML of a text, by the files' UUIDs."""
    found: dict[str, str] = {}
    for attribute in _IN_HTML.findall(rendered):
        address = html.unescape(attribute)
        if (uuid := _uuid(address)) and urlsplit(address).query:
            found.setdefault(uuid, address)
    return found


def _address(prompt: Prompt) -> str:
    """Return the address of the text. A review's is that of all its comments."""
    if prompt.kind in {PromptKind.REVIEW, PromptKind.REVIEW_COMMENT}:
        return f"{prompt.url.partition('#')[0]}#pullrequestreview-{prompt.review_id}"
    return prompt.url


def _addresses(text: str) -> Iterator[str]:
    for found in _ADDRESS.findall(text):
        address = found.rstrip(_PUNCTUATION)
        if _uuid(address) or _FILE.search(_path(address)):
            yield address


def _uuid(address: str) -> str:
    found = _ASSET.search(_path(address).lower())
    return found[1] if found else ""


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:  # brackets that enclose no IPv6 address
        return ""
