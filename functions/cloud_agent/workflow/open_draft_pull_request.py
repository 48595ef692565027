"""State "Open Draft Pull Request": where the person follows the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent.adapters.github.repository import PullRequest
from cloud_agent.domain.conversation.description import first_description, references
from cloud_agent.domain.conversation.prompts import inherited
from cloud_agent.domain.conversation.pull_request_title import pull_request_title
from cloud_agent.domain.conversation.turn_results import abandoned
from cloud_agent.domain.errors import SessionNotFoundError
from cloud_agent.domain.session.session import SessionStatus
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.publisher import deployments, status
from cloud_agent.publisher.context import PublishingContext, publishing_context
from cloud_agent.publisher.own_commits import look_up
from cloud_agent.settings import PublishingSettings, load

if TYPE_CHECKING:
    from cloud_agent.adapters.github.repository import Repository
    from cloud_agent.domain.session.session_request import RequestedSession


@step(StepEvent)
def handler(event: StepEvent) -> dict[str, Any]:
    """Guarantees one open pull request, tied to the session, with the session's comment and Deployment on it.

    The row has the branch that it's for by now.
    """
    settings, request = load(PublishingSettings), event.session
    context = publishing_context(settings)
    repository = context.github(request).repository
    if request.is_of_pull_request:
        pull = PullRequest.of(repository.pull_request(request.issue_number))
    else:
        base = context.sessions.get(request.session_id).base
        pull = _opened(repository, request, base, settings.tracker_url)
    _take_over(context, request, pull)
    session = context.sessions.get(request.session_id)
    # What an earlier session has made is listed, and no reply of this one claims it. A new branch holds nothing yet.
    is_untouched = pull.head_sha in {session.initial_sha, session.base_sha}
    branch = None if is_untouched else look_up(context, session, title=pull.title)
    if branch is not None:
        context.publications.record_announced(session.session_id, [commit.sha for commit in branch.own])
    comment_id = status.publish(context, session.session_id, create=True)
    deployment_id = deployments.begin(context, session)
    logger.info(
        "pull request ready",
        extra={"pull_number": pull.number, "comment_id": comment_id, "deployment_id": deployment_id},
    )
    return {"pull_number": pull.number, "pull_url": pull.url, "base_branch": pull.base}


def _opened(repository: Repository, request: RequestedSession, base: str, tracker_url: str) -> PullRequest:
    """Return the pull request of the session's branch, opened or found."""
    named = references(request.issue_number, request.issue_key, tracker_url)
    return repository.ensure_draft_pull_request(
        request.branch,
        base,
        pull_request_title(request.issue_title, request.issue_key),
        first_description(request.requested_by, named),
    )


def _take_over(context: PublishingContext, request: RequestedSession, pull: PullRequest) -> None:
    """Tie the pull request to this session; what the one before has left unanswered is asked of this one."""
    previous = context.sessions.session_of_pull(request.repository_id, pull.number)
    if previous and previous != request.session_id:
        _inherit(context, previous, request.session_id)
        context.sessions.record(request.session_id, previous_session_id=previous)
    context.sessions.record_pull_request(request.session_id, request.repository_id, pull.number, pull.url, pull.base)


def _inherit(context: PublishingContext, previous: str, session_id: str) -> None:
    try:
        before = context.sessions.get(previous)
    except SessionNotFoundError:  # it expired, and its prompts with it
        return
    if before.chosen_model is not None:
        context.sessions.choose_model(session_id, before.chosen_model)
    has_failed = before.status is SessionStatus.FAILED
    inheritance = inherited(context.prompts.unanswered(previous), has_failed=has_failed)
    context.prompts.take_over(inheritance.taken_over, session_id)
    for prompt in inheritance.abandoned:
        context.prompts.record_turn_result(previous, abandoned(prompt.id))
        logger.warning("prompt abandoned", extra={"prompt_id": prompt.id, "of_session": previous})
