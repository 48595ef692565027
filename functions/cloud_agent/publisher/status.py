"""The session's one comment: written by a step, found again, and edited until it says what the row says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptState
from cloud_agent.domain.conversation.status_comment import StatusView, render, session_marker
from cloud_agent.domain.errors import CloudAgentError
from cloud_agent.domain.session.console_pages import execution_console_url
from cloud_agent.domain.session.session import Session, SessionStatus
from cloud_agent.observability import logger
from cloud_agent.publisher import deployments
from cloud_agent.publisher.links import session_link, session_page_link
from cloud_agent.publisher.own_commits import look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent.adapters.table.publications import Published
    from cloud_agent.domain.policy.slots import Occupancy
    from cloud_agent.publisher.context import PublishingContext

# GitHub allows 80 requests a minute and 500 an hour that create content, all sessions of an installation together:
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
ACTIVITY_INTERVAL = timedelta(seconds=30)
_ROUNDS = 5  # edits of one invocation; whoever changes the row after that has the next invocation to tell of it
_OPERATION = "comment"
_KNOWN_WITH_THE_URL = ("logs_url", "max_turns", "budget_usd", "model", "effort")


def publish(context: PublishingContext, session_id: str, *, create: bool) -> int | None:
    """Guarantee that the comment says what the row says; returns its id, or None where there is none.

    For the steps: it is edited whatever is thought to stand there, and with `create` written if it is not there.
    """
    view = look(context, session_id)
    return _write_until_true(context, view, create=create) if view.session.pull_number else None


def refresh(context: PublishingContext, session_id: str, new_prompts: Sequence[str] = ()) -> None:
    """Edit comment and Deployment if they would say something else now, and show that the new prompts have been read.

    The comment is never written here: one author, one comment.
    """
    session, published = context.sessions.get(session_id), context.publications.of(session_id)
    of_session = context.prompts.of(session_id) if new_prompts else []
    seen = [node_id for prompt in of_session if prompt.id in new_prompts for node_id in prompt.node_ids]
    if not _may_be_edited(session):
        _show_as_read(context, session, seen, None)
        return
    if session.reported_head_sha not in {None, published.head_sha}:
        look_up(context, session)
    deployments.refresh(context, session, published)
    view = look(context, session_id)
    is_due = _is_due(view, published)
    edit = Edit(published.comment_node_id, view) if is_due and published.comment_node_id else None
    if _show_as_read(context, session, seen, edit) and edit is not None:
        edited(context, edit)
    elif is_due:
        _write_until_true(context, view, create=False)


def _show_as_read(context: PublishingContext, session: Session, node_ids: Sequence[str], edit: Edit | None) -> bool:
    """Add eyes to what people wrote, if anything, and make the edit by the same request; returns whether it's made."""
    if not node_ids:
        return False
    conversation = context.github(session).conversation
    try:
        return conversation.add_eyes(node_ids, comment=edit.node_id if edit else None, body=edit.body if edit else "")
    except CloudAgentError as error:  # a courtesy; what it was to bring along is done without
        logger.warning("reaction failed", extra={"reason": str(error)})
        return False


@dataclass(frozen=True)
class Edit:
    """What the comment with this global id is to say."""

    node_id: str
    view: StatusView

    @property
    def body(self) -> str:
        """The comment's text."""
        return render(self.view)


def edit_beside(context: PublishingContext, session_id: str) -> Edit | None:
    """Return the edit that `refresh` would make, for whoever has a request to send it along with; None where none.

    Once it's made, `edited` is to be called.
    """
    session, published = context.sessions.get(session_id), context.publications.of(session_id)
    if not _may_be_edited(session) or not published.comment_node_id:
        return None
    view = look(context, session_id)
    return Edit(published.comment_node_id, view) if _is_due(view, published) else None


def edited(context: PublishingContext, edit: Edit) -> None:
    """Record an edit that was made, and edit again if the row has changed meanwhile."""
    newer = _record(context, edit.view, edit.node_id)
    if newer is not None:
        _write_until_true(context, newer, create=False)


def _may_be_edited(session: Session) -> bool:
    if session.pull_number is None or session.comment_id is None:
        return False
    # One that is about to be announced is by an edit of its own; what changes until it is parked is shown then.
    return session.status is not SessionStatus.RUNNING or session.lifecycle_token is not None


def look(context: PublishingContext, session_id: str) -> StatusView:
    """All that the comment should say now, as the table has it."""
    settings, session = context.settings, context.sessions.get(session_id)
    if session.status in {SessionStatus.QUEUED, SessionStatus.STARTING}:
        # What becomes known on the way to the URL is shown with it: one edit instead of three.
        session = session.model_copy(update=dict.fromkeys(_KNOWN_WITH_THE_URL))
    published = context.publications.of(session_id)
    unanswered = context.prompts.unanswered(session_id)
    occupancy = context.slots.occupancy() if _waits(session) else None
    return StatusView(
        session=session,
        link=session_link(settings, session),
        page_link=session_page_link(settings, session),
        execution_url=execution_console_url(session.execution_arn),
        trigger_label=settings.trigger_labels.label_of(session.agent),
        max_age=settings.max_session_age,
        as_of=datetime.now(UTC),
        comment_trigger=session.comment_trigger or settings.comment_trigger,
        place=_place(occupancy, session) if occupancy else None,
        is_out_of_capacity=bool(occupancy and occupancy.is_out_of_capacity),
        working=bool(unanswered),
        unanswered=sum(_still_waits(prompt, session) for prompt in unanswered),
        commits=published.commits,
        commit_count=published.commit_count,
        other_commits=published.others,
        closes=published.closes,
    )


def _still_waits(prompt: Prompt, session: Session) -> bool:
    """Whether a follow-up is in the queue; once the session is over, also the one that Claude was working on."""
    return prompt.id != INITIAL_PROMPT_ID and not (session.status.is_live and prompt.state is PromptState.TAKEN)


def _waits(session: Session) -> bool:
    """Whether the session is parked in the queue; before that, it isn't known yet to have to wait."""
    return session.status is SessionStatus.QUEUED and session.start_token is not None


def _place(occupancy: Occupancy, session: Session) -> tuple[int, int] | None:
    place = occupancy.place_of(session.session_id)
    return (place, len(occupancy.waiting)) if place else None


def _is_due(view: StatusView, published: Published) -> bool:
    if _digest(view.essence) != published.essence:
        return True
    if _digest(render(view.timeless)) == published.body:
        return False
    return datetime.now(UTC) - datetime.fromisoformat(published.edited_at) >= ACTIVITY_INTERVAL


def _write_until_true(context: PublishingContext, view: StatusView, *, create: bool) -> int | None:
    """Write, read the row again, and write again if it has changed: a step and the stream may be at it together.

    What is read is compared with what was written here, not with what anybody noted: the later edit stands on GitHub,
    and the later writer is the one that sees the difference.
    """
    comment_id = None
    for _ in range(_ROUNDS):
        body = render(view)
        comment_id, node_id = _write(context, view.session, body, create=create)
        if comment_id is None:
            logger.warning("the session's comment is gone")
            return None
        newer = _record(context, view, node_id)
        if newer is None:
            return comment_id
        view = newer
    return comment_id


def _record(context: PublishingContext, view: StatusView, node_id: str) -> StatusView | None:
    """Record that the comment says this; return what it should say by now, if that is something else."""
    session_id = view.session.session_id
    context.publications.record_edit(session_id, _digest(view.essence), _digest(render(view.timeless)), node_id)
    now = look(context, session_id)
    return None if now.essence == view.essence else now


def _write(context: PublishingContext, session: Session, body: str, *, create: bool) -> tuple[int | None, str]:
    """Edit the comment, or write it; returns its id and, where that is known, its global id."""
    conversation, number = context.github(session).conversation, int(session.pull_number or 0)
    if session.comment_id is not None and (node_id := conversation.edit_comment(session.comment_id, body)):
        return session.comment_id, node_id
    found, node_id = None, None
    if not context.publications.first_try(session.session_id, _OPERATION):
        found = conversation.find_comment(number, session_marker(session.session_id))
    if found is not None:
        node_id = conversation.edit_comment(found, body)
    elif create:
        found = conversation.create_comment(number, body)
    if found is not None:
        context.sessions.record(session.session_id, comment_id=found)
    return found, node_id or ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
