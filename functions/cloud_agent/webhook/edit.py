"""A comment or review that was edited or deleted before Claude took it up counts as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.github.requests import SHORT
from cloud_agent.adapters.table.prompts import Prompts
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind, PromptState
from cloud_agent.domain.session.session import timestamp
from cloud_agent.observability import identify_session, logger
from cloud_agent.webhook.comment import as_asked, sessions_at
from cloud_agent.webhook.decisions import CommentEdit, Ignore, Review
from cloud_agent.webhook.listening import listener
from cloud_agent.webhook.permission import may_act
from cloud_agent.webhook.review_prompts import read_review
from cloud_agent.webhook.steering import OWN, read_comment

if TYPE_CHECKING:
    from datetime import datetime

    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.domain.session.session import Session
    from cloud_agent.settings import WebhookSettings
    from cloud_agent.webhook.decisions import ReviewEdit, Steer

_TOO_LATE = {"ignored": "its prompt has been taken up or dropped"}
_NOTHING_WAITS = {"ignored": "no prompt is waiting with this text"}


def edit(settings: WebhookSettings, change: CommentEdit | ReviewEdit) -> dict[str, str]:
    """Bring the prompts of what was edited to what GitHub has now; what's gone, or asks nothing any more, is cancelled.

    Guarantees that a prompt which Claude has begun to work on stays as it was, and that no command is carried out. The
    text is read from GitHub, so neither the order of deliveries nor their number changes what comes of them.

    Raises:
        CloudAgentError: as `connect_for_all` and `Conversation` do.
    """
    origin = change.origin
    sessions = sessions_at(settings, origin)
    if sessions is None:
        return {"ignored": f"#{origin.number} has no session"}
    session, prompts = sessions.current, Prompts(settings.sessions_table)
    identify_session(session.session_id, session.execution_arn)
    before = [prompt for prompt in prompts.of(session.session_id) if change.is_of(prompt)]
    if any(prompt.state is not PromptState.PENDING for prompt in before):
        return _TOO_LATE
    github = connect_for_all(settings, origin.repository, SHORT).conversation
    now = _as_it_is_now(settings, session, github, change)
    if now is None:
        return _cancel(prompts, session, change, before)
    if not may_act(settings, github, origin.author):
        return {"ignored": f"{origin.author} has no write permission in {origin.repository.name}"}
    if before:
        return _replace(prompts, session, before, now, editor="" if change.by_author else origin.author)
    return _add(prompts, session, now, by_author=change.by_author)


def _as_it_is_now(
    settings: WebhookSettings, session: Session, github: Conversation, change: CommentEdit | ReviewEdit
) -> Steer | None:
    """Return what GitHub has now, with what it asks of Claude; None where it's gone or empty."""
    hears, origin = listener(settings, session, github, change.origin), change.origin
    if isinstance(change, CommentEdit):
        comment = github.comment(change.number)
        reading = read_comment(origin, comment) if comment else OWN
        return None if isinstance(reading, Ignore) else as_asked(reading, hears)
    node_id = change.node_id or github.review_node_id(origin.number, change.number)
    review = github.review(node_id) if node_id else None
    if node_id is None or review is None:
        return None
    reading = read_review(Review(origin, change.number, node_id), review, hears)
    return None if isinstance(reading, Ignore) else reading


def _cancel(
    prompts: Prompts, session: Session, change: CommentEdit | ReviewEdit, before: list[Prompt]
) -> dict[str, str]:
    """Cancel the prompts of what is gone, also of a comment whose own delivery may come later than that of its end."""
    if isinstance(change, CommentEdit) and not before and _is_of_now(session, change.at):
        gone = Prompt(
            id=change.prompt_id,
            kind=PromptKind.COMMENT,
            body="",
            author=change.origin.author,
            url="",
            created_at=timestamp(change.at),
            state=PromptState.CANCELLED,
        )
        prompts.put(session.session_id, gone)
    return _outcome(session, [prompts.cancel(session.session_id, one.id) for one in before])


def _replace(prompts: Prompts, session: Session, before: list[Prompt], now: Steer, *, editor: str) -> dict[str, str]:
    """Put what is asked now in the place of what was asked before. It stays its author's, and says who else edited it.

    That stays said, whatever its author does afterwards: deliveries come in any order.
    """
    after = {prompt.id: prompt for prompt in now.prompts}
    done = list[bool]()
    for one in before:
        prompt = after.pop(one.id, None)
        if prompt is None:
            done.append(prompts.cancel(session.session_id, one.id))
        else:
            edited = {"is_edited": bool(editor) or one.is_edited, "edited_by": editor or one.edited_by}
            kept = {"author": one.author, "failures": one.failures, **edited}
            done.append(prompts.replace(session.session_id, prompt.model_copy(update=kept)))
    done += [prompts.add(session.session_id, prompt) for prompt in after.values()]
    return _outcome(session, done)


def _add(prompts: Prompts, session: Session, now: Steer, *, by_author: bool) -> dict[str, str]:
    """Take up what asks for something only since its author edited it, and was written during the session.

    What is older had its turn, and whoever corrects somebody else's text doesn't ask for what it says.
    """
    if not (now.prompts and by_author and _is_of_now(session, now.at)):
        return _NOTHING_WAITS
    return _outcome(session, [prompts.add(session.session_id, prompt) for prompt in now.prompts])


def _is_of_now(session: Session, moment: datetime) -> bool:
    return session.status.is_live and session.ending is None and timestamp(moment) >= session.created_at


def _outcome(session: Session, done: list[bool]) -> dict[str, str]:
    if not done:
        return _NOTHING_WAITS
    if not any(done):
        return _TOO_LATE
    logger.info("edit accepted", extra={"prompts": len(done)})
    return {"session_id": session.session_id, "accepted": "edit"}
