"""A turn's result as a reply: Claude's own message, bounded, and the commits that GitHub confirms."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from cloud_agent.domain.conversation.closing_keywords import closing_note
from cloud_agent.domain.conversation.commit_list import LISTED, commit_lines
from cloud_agent.domain.conversation.foreign_markdown import contained
from cloud_agent.domain.conversation.messages import code, listed, marker, plain
from cloud_agent.domain.conversation.prompts import FAILURES_LIMIT, Prompt, PromptKind, Thread
from cloud_agent.domain.session.provenance import Commit
from cloud_agent.domain.session.session import timestamp

KIND = "turn"
THREAD_KIND = "thread"  # a reply in a thread of a review, which has a reply of its own
MESSAGE_LIMIT = 16_000  # characters of Claude's message: escaped, it has at most twice as many
UNFOLDED_MESSAGE = 4_000  # characters that are shown without unfolding
_NOUNS = {
    PromptKind.ISSUE: "issue",
    PromptKind.PULL_REQUEST: "pull request",
    PromptKind.COMMENT: "comment",
    PromptKind.REVIEW: "review",
    PromptKind.REVIEW_COMMENT: "comment",
}


class TurnResult(BaseModel):
    """How the turn for one prompt ended. `description` is the pull request's, empty where the turn wrote none.

    So many `pictures` on the session's page show what it has changed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt_id: str
    is_error: bool
    interrupted: bool = False
    result: str
    head_sha: str | None = None
    description: str = ""
    pictures: int = 0
    created_at: str
    reply_id: int | None = None


def abandoned(prompt_id: str) -> TurnResult:
    """Return the result of a prompt that is abandoned, because sessions keep failing on it."""
    message = (
        f"{FAILURES_LIMIT} sessions failed while Claude was working on this, so it won't be retried. It may need more "
        "memory or time than a session has. Try asking for smaller steps in a new comment."
    )
    return TurnResult(prompt_id=prompt_id, is_error=True, result=message, created_at=timestamp())


class Pushed(BaseModel):
    """What GitHub's branch says of a turn: whether the reported head is on it, the new commits, what these close."""

    model_config = ConfigDict(frozen=True)

    is_on_branch: bool
    commits: tuple[Commit, ...] = ()
    closes: tuple[str, ...] = ()


def turn_marker(prompt_id: str, session_id: str) -> str:
    """Return what the reply begins with: each session of a pull request replies to the issue, so both ids name it."""
    return marker(KIND, f"{prompt_id}:{session_id}")


def thread_marker(turn: TurnResult, session_id: str, thread: Thread) -> str:
    """Return what the reply in a review's thread begins with."""
    return marker(THREAD_KIND, f"{turn.prompt_id}:{session_id}:{thread.comment_id}")


def thread_reply(turn: TurnResult, session_id: str, thread: Thread, message: str) -> str:
    """Return the reply in a review's thread: what Claude says to that one alone."""
    return f"{thread_marker(turn, session_id, thread)}\n\n{_shown(message)}\n"


def in_threads_alone(count: int) -> str:
    """Return the message where Claude says nothing but in these threads; none where there are none."""
    return f"Claude replied in {count} thread{'s' if count > 1 else ''}." if count else ""


def reply(  # noqa: PLR0913, PLR0917 - what it's made of
    turn: TurnResult, prompt: Prompt | None, pushed: Pushed, session_id: str, branch: str, page_link: str = ""
) -> str:
    """Return the reply's text. `prompt` is what it responds to, linked unless it's in that comment's own thread.

    `page_link` leads to the session's page, for a turn with pictures. None is shown here: GitHub would publish it.
    """
    parts = [
        turn_marker(turn.prompt_id, session_id) + "\n" + _to(prompt),
        _remarks(prompt),
        _outcome(turn),
        _message(turn.result),
        _pushed(turn, pushed, branch),
        f"**Changed pages:** [before and after]({page_link}#turn-{turn.prompt_id})" if page_link else "",
    ]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _to(prompt: Prompt | None) -> str:
    if prompt is None or prompt.kind is PromptKind.REVIEW_COMMENT:
        return ""
    if prompt.kind.is_labelled:
        return f"Reply to [the {_NOUNS[prompt.kind]}]({prompt.url}):"
    return f"Reply to [{plain(prompt.author)}'s {prompt.kind.value}]({prompt.url}):"


def _remarks(prompt: Prompt | None) -> str:
    """Return what no reader can see: that the prompt is less than the text, or another than was labelled or written."""
    if prompt is None:
        return ""
    noun, remarks = _NOUNS[prompt.kind], list[str]()
    if prompt.left_out:
        remarks.append(f"Something hidden in the {noun} was left out: {listed(prompt.left_out)}.")
    if prompt.is_edited:
        by = f" by {plain(prompt.edited_by)}" if prompt.edited_by else ""
        since = "the label was added" if prompt.kind.is_labelled else f"{plain(prompt.author)} wrote it"
        remarks.append(f"The {noun} was edited{by} after {since}.")
    return f"<sub>{' '.join(remarks)}</sub>" if remarks else ""


def _outcome(turn: TurnResult) -> str:
    if turn.interrupted:
        return "**This turn was interrupted** before Claude finished."
    if turn.is_error:
        return "**This turn failed.** Comment again to retry."
    return ""


def _message(result: str) -> str:
    return _shown(result) or "Claude finished without a message."


def _shown(result: str) -> str:
    message = contained(result, MESSAGE_LIMIT)
    if not message.strip():
        return ""
    if len(message) <= UNFOLDED_MESSAGE:
        return message
    return f"<details><summary>Claude's full message ({len(result):,} characters)</summary>\n\n{message}\n\n</details>"


def _pushed(turn: TurnResult, pushed: Pushed, branch: str) -> str:
    if turn.head_sha is None:
        return ""
    if not pushed.is_on_branch:
        commit = f"commit `{turn.head_sha[:7]}`"
        return f"**Not on GitHub:** Claude reported {commit}, but it isn't on the branch {code(branch)}."
    if not pushed.commits:
        return f"**Pushed** to {code(branch)}."
    number = len(pushed.commits)
    lines = "\n".join(commit_lines(pushed.commits[:LISTED]))
    text = f"**Pushed** {number} commit{'s' if number > 1 else ''} to {code(branch)}:\n\n{lines}"
    return "\n\n".join(filter(None, [text, closing_note(pushed.closes)]))
