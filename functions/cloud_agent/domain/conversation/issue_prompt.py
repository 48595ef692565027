"""An issue or pull request as a session's first prompt: who wrote it, who asked for the work, and if it was edited."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.hidden_html import Hidden
from cloud_agent.domain.conversation.hidden_text import as_shown
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind
from cloud_agent.domain.conversation.untrusted_text import without_invisible

if TYPE_CHECKING:
    from collections.abc import Sequence


def issue_prompt(  # noqa: PLR0913 - what GitHub says of an issue, and what it's asked for
    *,
    title: str,
    body: str,
    author: str,
    url: str,
    requested_by: str,
    created_at: str,
    labelled: Sequence[str] = (),
    kind: PromptKind = PromptKind.ISSUE,
) -> Prompt:
    """Return the prompt. `labelled` is what the prompt has that was made when the label was added.

    GitHub has a time of an issue's last change, which comments and labels move as well, and none of its text's. So
    whether the text is still that one is seen by the text itself.
    """
    shown, shown_title = as_shown(body), without_invisible(title)
    texts = (_digest(title), _digest(body))
    left_out = dict.fromkeys([*shown.left_out, *[Hidden.INVISIBLE] * (shown_title != title)])
    return Prompt(
        id=INITIAL_PROMPT_ID,
        kind=kind,
        title=shown_title,
        body=shown.text,
        author=author,
        requested_by=requested_by,
        url=url,
        created_at=created_at,
        left_out=tuple(left_out),
        labelled=tuple(labelled) or texts,
        is_edited=bool(labelled) and tuple(labelled) != texts,
    )


def has_another_body(prompt: Prompt, body: str) -> bool:
    """Whether the issue's body was edited, not its title alone."""
    return prompt.is_edited and _digest(body) not in prompt.labelled[1:]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
