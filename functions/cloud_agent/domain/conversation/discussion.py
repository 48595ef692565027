"""What people have said about a piece of work beside the prompt itself: quoted for Claude, who answers none of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.hidden_text import as_shown
from cloud_agent.domain.conversation.messages import TITLE_LIMIT, shortened
from cloud_agent.domain.conversation.prompts import Prompt, Remark
from cloud_agent.domain.conversation.untrusted_text import OWN_PREFIX, without_invisible
from cloud_agent.domain.session.session import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

# GitHub's `author_association` of people whom the repository's owner let in. Others' words, bots' too, aren't quoted.
_INSIDERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
# In UTF-8. With an issue's 65,536 characters of up to four bytes, and the history, below DynamoDB's 400 KB.
DISCUSSION_LIMIT_BYTES = 40_000
_REMARK_LIMIT = 8_000  # characters
MENTIONS_LIMIT = 10
LABELS_LIMIT = 20
_MENTION = re.compile(r"(?<![\w/&#-])#([1-9]\d{0,8})\b")


@dataclass(frozen=True)
class DiscussionComment:
    """A comment as GitHub has it; `association` is what its author is to the repository, in GitHub's words."""

    author: str
    association: str
    at: datetime
    url: str
    body: str
    place: str = ""


@dataclass(frozen=True)
class Mentioned:
    """An issue or pull request of the same repository that a text refers to by its number."""

    number: int
    title: str
    state: str


@dataclass(frozen=True)
class IssueContext:
    """What stands beside an issue: its labels, all that was said about it, and the issues that its text mentions."""

    labels: tuple[str, ...]
    comments: tuple[DiscussionComment, ...]
    mentioned: tuple[Mentioned, ...]


def mentions_in(text: str, own_number: int) -> tuple[int, ...]:
    """Return the issues that the text refers to as `#12`, each once, as many of the first as are looked up."""
    numbers = dict.fromkeys(int(found) for found in _MENTION.findall(text))
    return tuple(number for number in numbers if number != own_number)[:MENTIONS_LIMIT]


def with_context(prompt: Prompt, context: IssueContext, *, until: datetime) -> Prompt:
    """Return the prompt with what a colleague would read beside it.

    Of what was said, that's what people of the repository had written until then, the newest as far as it fits: whoever
    asked for the work may have read it. Texts are what GitHub shows of them.
    """
    remarks = [_remark(one) for one in context.comments if one.at <= until and _is_quoted(one)]
    return prompt.model_copy(
        update={
            "labels": tuple(without_invisible(label) for label in context.labels)[:LABELS_LIMIT],
            "discussion": _newest(sorted(remarks, key=lambda remark: remark.created_at)),
            "mentioned": tuple(
                f"#{one.number} ({one.state.lower()}): {shortened(without_invisible(one.title), TITLE_LIMIT)}"
                for one in context.mentioned
            ),
        }
    )


def _is_quoted(comment: DiscussionComment) -> bool:
    return comment.association in _INSIDERS and not comment.body.lstrip().startswith(OWN_PREFIX)


def _remark(comment: DiscussionComment) -> Remark:
    return Remark(
        author=comment.author,
        created_at=timestamp(comment.at),
        url=comment.url,
        body=shortened(as_shown(comment.body).text, _REMARK_LIMIT),
        place=without_invisible(comment.place),
    )


def _newest(remarks: Sequence[Remark]) -> tuple[Remark, ...]:
    kept, left = list[Remark](), DISCUSSION_LIMIT_BYTES
    for remark in reversed(remarks):
        left -= len(remark.model_dump_json().encode())
        if left < 0:
            break
        kept.append(remark)
    return tuple(reversed(kept))
