"""The one reply to each prompt, in parts for a review, and the draft that becomes ready with the first commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.adapters.github.finished_turns import TurnTexts
from cloud_agent.domain.conversation.closing_keywords import closed_by
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind
from cloud_agent.domain.conversation.turn_results import Pushed, TurnResult, reply, turn_marker
from cloud_agent.observability import logger
from cloud_agent.publisher import status
from cloud_agent.publisher.links import session_page_link
from cloud_agent.publisher.own_commits import BranchOnGitHub, look_up
from cloud_agent.publisher.pull_request import PullRequestOnGitHub
from cloud_agent.publisher.thread_replies import reply_in_threads

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.adapters.github.finished_turns import PullRequestAndCommits
    from cloud_agent.domain.session.session import Session
    from cloud_agent.publisher.context import PublishingContext


def publish_reply(context: PublishingContext, session_id: str, prompt_id: str) -> None:
    """Guarantee exactly one reply to the prompt, however often this is called."""
    session = context.sessions.get(session_id)
    turn = next((one for one in context.prompts.turn_results_of(session_id) if one.prompt_id == prompt_id), None)
    if turn is None or session.pull_number is None:
        logger.warning("no pull request to post the reply on", extra={"prompt_id": prompt_id})
        return
    published = context.publications.of(session_id)
    # Whether somebody's own pull request is a draft is theirs to say.
    may_be_ready = session.ready_for_review and not session.is_of_pull_request
    wants_review = _is_good(turn) and may_be_ready and not published.made_ready
    if turn.reply_id is not None and not wants_review:
        return
    read = None
    if turn.head_sha or turn.description:
        finished = context.github(session).finished_turns
        read = finished.read(int(session.pull_number), session.base, session.branch)
    on_github = PullRequestOnGitHub(context, session, read.pull if read else None)
    branch = _look_up(context, session, read) if turn.head_sha else None
    is_to_be_ready = wants_review and branch is not None and bool(branch.own) and turn.head_sha in branch.shas
    if turn.reply_id is None:
        pushed = _pushed(session, turn, branch, published.announced)
        if _reply_once(context, session, turn, pushed, on_github, make_ready=is_to_be_ready):
            is_to_be_ready = False
        context.publications.record_announced(session_id, [commit.sha for commit in pushed.commits])
    if is_to_be_ready:
        on_github.make_ready()


def _look_up(context: PublishingContext, session: Session, read: PullRequestAndCommits | None) -> BranchOnGitHub | None:
    return look_up(context, session, read.commits, title=read.pull.title) if read else look_up(context, session)


def _is_good(turn: TurnResult) -> bool:
    return turn.head_sha is not None and not turn.is_error and not turn.interrupted


def _pushed(session: Session, turn: TurnResult, branch: BranchOnGitHub | None, reported: frozenset[str]) -> Pushed:
    """Return what may be said of the reported commit: only what GitHub's own branch shows."""
    if branch is None or turn.head_sha is None or turn.head_sha not in branch.shas:
        return Pushed(is_on_branch=False)
    commits = branch.new_up_to(turn.head_sha, reported)
    closes = closed_by([commit.message for commit in commits], session.repo, session.issue_number)
    return Pushed(is_on_branch=True, commits=commits, closes=closes)


def _reply_once(  # noqa: PLR0913 - what is said, of what, and where
    context: PublishingContext,
    session: Session,
    turn: TurnResult,
    pushed: Pushed,
    on_github: PullRequestOnGitHub,
    *,
    make_ready: bool,
) -> bool:
    """Guarantee the reply, and the description with it; returns whether the draft is seen to as well."""
    conversation, number = context.github(session).conversation, int(session.pull_number or 0)
    prompt = next((one for one in context.prompts.of(session.session_id) if one.id == turn.prompt_id), None)
    in_thread = prompt is not None and prompt.kind is PromptKind.REVIEW_COMMENT and prompt.comment_id is not None
    reply_id, written, edit, body = None, None, None, ""
    is_first_try = context.publications.first_try(session.session_id, f"turn:{turn.prompt_id}")
    if not is_first_try:
        marker = turn_marker(turn.prompt_id, session.session_id)
        reply_id = conversation.find_review_reply(number, marker) if in_thread else None
        reply_id = reply_id or conversation.find_comment(number, marker)
    if reply_id is None:
        if prompt is not None and prompt.threads:
            turn = reply_in_threads(context, session, turn, prompt)
        page_link = session_page_link(context.settings, session) if turn.pictures else ""
        body = reply(turn, prompt, pushed, session.session_id, session.branch, page_link)
        if is_first_try and not in_thread and (pull := on_github.known) is not None:
            edit = status.edit_beside(context, session.session_id)
            texts = TurnTexts(
                reply=body,
                description=on_github.described(turn),
                status=edit.body if edit else None,
                comment=edit.node_id if edit else None,
                ready=make_ready and bool(pull.may_be_ready),
            )
            written = context.github(session).finished_turns.write(pull, texts)
    if written is None or not written.description:
        on_github.describe(turn)
    if reply_id is None:
        reply_id = written.reply_id if written else _post(conversation, number, prompt, body)
    context.publications.record_reply(session.session_id, turn.prompt_id, reply_id)
    logger.info("reply posted", extra={"prompt_id": turn.prompt_id, "reply_id": reply_id})
    if written is not None and written.ready:
        context.publications.record_ready(session.session_id)
    if written is not None and written.status and edit is not None:
        status.edited(context, edit)
    return written is not None and written.ready


def _post(conversation: Conversation, number: int, prompt: Prompt | None, body: str) -> int:
    if prompt is not None and prompt.kind is PromptKind.REVIEW_COMMENT and prompt.comment_id is not None:
        reply_id = conversation.reply_to_review_comment(number, prompt.comment_id, body)
        if reply_id is not None:
            return reply_id
    return conversation.create_comment(number, body)
