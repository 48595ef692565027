"""What Claude says to each thread of a review, posted there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.thread_parts import parts_of
from cloud_agent.domain.conversation.turn_results import in_threads_alone, thread_marker, thread_reply
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from cloud_agent.domain.conversation.prompts import Prompt, Thread
    from cloud_agent.domain.conversation.turn_results import TurnResult
    from cloud_agent.domain.session.session import Session
    from cloud_agent.publisher.context import PublishingContext


def reply_in_threads(context: PublishingContext, session: Session, turn: TurnResult, prompt: Prompt) -> TurnResult:
    """Post each part of Claude's message in its thread, once; returns the turn with what's left for the reply to all.

    That is what Claude says to the whole review, and the parts whose threads are gone.
    """
    parts, left, posted = parts_of(turn.result, len(prompt.threads)), list[str](), 0
    for number, message in parts.of_threads.items():
        thread = prompt.threads[number - 1]
        if _post_once(context, session, turn, thread, message):
            posted += 1
        else:
            left.append(f"**{thread.place}**\n\n{message}")
    logger.info("threads replied to", extra={"prompt_id": turn.prompt_id, "posted": posted})
    result = "\n\n".join(filter(None, [parts.overall, *left]))
    return turn.model_copy(update={"result": result or in_threads_alone(posted)})


def _post_once(context: PublishingContext, session: Session, turn: TurnResult, thread: Thread, message: str) -> bool:
    """Post a part unless an earlier try has; returns False where the thread is gone."""
    conversation, number = context.github(session).conversation, int(session.pull_number or 0)
    if not context.publications.first_try(session.session_id, f"thread:{turn.prompt_id}:{thread.comment_id}"):
        marker = thread_marker(turn, session.session_id, thread)
        if conversation.find_review_reply(number, marker) is not None:
            return True
    body = thread_reply(turn, session.session_id, thread, message)
    return conversation.reply_to_review_comment(number, thread.comment_id, body) is not None
