"""What a turn came to: the agent's word, bounded; what was pushed is checked with GitHub before it is said."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from cloud_agent.domain.conversation.foreign_markdown import contained
from cloud_agent.domain.conversation.messages import marker, plain
from cloud_agent.domain.conversation.prompts import FAILURES_LIMIT, Prompt, PromptKind
from cloud_agent.domain.conversation.status_comment import LISTED, commit_lines
from cloud_agent.domain.session.provenance import Commit
from cloud_agent.domain.session.session import timestamp

KIND = "answer"
WORDS_LIMIT = 16_000  # characters of Claude's words: made harmless they are at most twice as many
UNFOLDED_WORDS = 4_000  # characters that are shown without unfolding


class Answer(BaseModel):
    """The outcome of the turn for one prompt."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt_id: str
    is_error: bool
    interrupted: bool = False
    result: str
    head_sha: str | None = None
    created_at: str
    reply_id: int | None = None


def given_up(prompt_id: str) -> Answer:
    """Return the answer to a prompt that no session lives through."""
    words = (
        f"{FAILURES_LIMIT} sessions failed while Claude was working on this, so it is not tried again. What the agent "
        "does for it may need more memory or time than there is: ask for it in smaller steps, in a new comment."
    )
    return Answer(prompt_id=prompt_id, is_error=True, result=words, created_at=timestamp())


class Pushed(BaseModel):
    """What GitHub's own branch says about a turn's commits: whether the reported head is on it, and which are new."""

    model_config = ConfigDict(frozen=True)

    is_on_branch: bool
    commits: tuple[Commit, ...] = ()


def answer_marker(prompt_id: str, session_id: str) -> str:
    """Return what the reply begins with: each session of a pull request answers the issue, so both ids name it."""
    return marker(KIND, f"{prompt_id}:{session_id}")


def reply(answer: Answer, prompt: Prompt | None, pushed: Pushed, session_id: str, branch: str) -> str:
    """Return the reply's text. `prompt` is what it answers, linked unless it stands in that comment's own thread."""
    parts = [
        answer_marker(answer.prompt_id, session_id) + "\n" + _to(prompt),
        _outcome(answer),
        _words(answer.result),
        _pushed(answer, pushed, branch),
    ]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _to(prompt: Prompt | None) -> str:
    if prompt is None or prompt.kind is PromptKind.REVIEW_COMMENT:
        return ""
    if prompt.kind is PromptKind.ISSUE:
        return f"In answer to [the issue]({prompt.url}):"
    return f"In answer to [{plain(prompt.author)}'s {prompt.kind.value}]({prompt.url}):"


def _outcome(answer: Answer) -> str:
    if answer.interrupted:
        return "**The turn was interrupted** before Claude was done."
    if answer.is_error:
        return "**The turn failed** before Claude was done. Comment again to have it tried once more."
    return ""


def _words(result: str) -> str:
    words = contained(result, WORDS_LIMIT)
    if not words.strip():
        return "Claude said nothing."
    if len(words) <= UNFOLDED_WORDS:
        return words
    return f"<details><summary>Claude's answer, {len(result):,} characters</summary>\n\n{words}\n\n</details>"


def _pushed(answer: Answer, pushed: Pushed, branch: str) -> str:
    if answer.head_sha is None:
        return ""
    if not pushed.is_on_branch:
        return (
            f"**Not on GitHub:** Claude reported `{answer.head_sha[:7]}`, but the branch `{branch}` does not have that "
            "commit now."
        )
    if not pushed.commits:
        return f"**Pushed** to `{branch}`."
    number = len(pushed.commits)
    lines = "\n".join(commit_lines(pushed.commits[:LISTED]))
    return f"**Pushed** {number} commit{'s' if number > 1 else ''} to `{branch}`:\n\n{lines}"
