"""The one reply to each prompt, and the draft that becomes ready for review with the first commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent.domain.conversation.answers import Answer, Pushed, answer_marker, reply
from cloud_agent.domain.conversation.prompts import Prompt, PromptKind
from cloud_agent.domain.errors import GitHubRateLimitedError, GitHubUnavailableError
from cloud_agent.observability import logger
from cloud_agent.publisher.own_commits import BranchOnGitHub, look_up

if TYPE_CHECKING:
    from cloud_agent.adapters.github.conversation import Conversation
    from cloud_agent.domain.session.session import Session
    from cloud_agent.publisher.context import PublishingContext


def publish_answer(context: PublishingContext, session_id: str, prompt_id: str) -> None:
    """Guarantee exactly one reply to the prompt, however often this is called."""
    session = context.sessions.get(session_id)
    answer = next((one for one in context.prompts.answers_of(session_id) if one.prompt_id == prompt_id), None)
    if answer is None or session.pull_number is None:
        logger.warning("an answer without a place to post it", extra={"prompt_id": prompt_id})
        return
    published = context.publications.of(session_id)
    wants_review = _is_good(answer) and session.ready_for_review and not published.made_ready
    if answer.reply_id is not None and not wants_review:
        return
    branch = look_up(context, session) if answer.head_sha else None
    if answer.reply_id is None:
        pushed = _pushed(answer, branch, published.announced)
        _reply_once(context, session, answer, pushed)
        context.publications.record_announced(session_id, [commit.sha for commit in pushed.commits])
    if wants_review and branch is not None and branch.own and answer.head_sha in branch.shas:
        _make_ready(context, session)


def _is_good(answer: Answer) -> bool:
    return answer.head_sha is not None and not answer.is_error and not answer.interrupted


def _pushed(answer: Answer, branch: BranchOnGitHub | None, reported: frozenset[str]) -> Pushed:
    """Return what may be said of the reported commit: only what GitHub's own branch shows."""
    if branch is None or answer.head_sha is None or answer.head_sha not in branch.shas:
        return Pushed(is_on_branch=False)
    return Pushed(is_on_branch=True, commits=branch.new_up_to(answer.head_sha, reported))


def _reply_once(context: PublishingContext, session: Session, answer: Answer, pushed: Pushed) -> None:
    conversation, number = context.github(session).conversation, int(session.pull_number or 0)
    prompt = next((one for one in context.prompts.of(session.session_id) if one.id == answer.prompt_id), None)
    in_thread = prompt is not None and prompt.kind is PromptKind.REVIEW_COMMENT and prompt.comment_id is not None
    reply_id = None
    if not context.publications.first_try(session.session_id, f"answer:{answer.prompt_id}"):
        marker = answer_marker(answer.prompt_id, session.session_id)
        reply_id = conversation.find_review_reply(number, marker) if in_thread else None
        reply_id = reply_id or conversation.find_comment(number, marker)
    if reply_id is None:
        reply_id = _post(conversation, session, answer, prompt, pushed)
    context.publications.record_reply(session.session_id, answer.prompt_id, reply_id)
    logger.info("answer posted", extra={"prompt_id": answer.prompt_id, "reply_id": reply_id})


def _post(conversation: Conversation, session: Session, answer: Answer, prompt: Prompt | None, pushed: Pushed) -> int:
    number = int(session.pull_number or 0)
    body = reply(answer, prompt, pushed, session.session_id, session.branch)
    if prompt is not None and prompt.kind is PromptKind.REVIEW_COMMENT and prompt.comment_id is not None:
        reply_id = conversation.reply_to_review_comment(number, prompt.comment_id, body)
        if reply_id is not None:
            return reply_id
    return conversation.create_comment(number, body)


def _make_ready(context: PublishingContext, session: Session) -> None:
    """Once for each session: a person may turn it back, and then it stays a draft."""
    try:
        done = context.github(session).repository.mark_ready_for_review(int(session.pull_number or 0))
    except (GitHubUnavailableError, GitHubRateLimitedError):
        raise  # tried again
    except Exception:
        context.publications.record_ready(session.session_id)  # refused for good
        raise
    context.publications.record_ready(session.session_id)
    logger.info("pull request ready for review", extra={"changed": done})
