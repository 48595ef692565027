"""What a verified webhook event asks for. Pure: only the delivery itself is looked at."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from cloud_agent.domain.conversation.issue_prompt import issue_prompt
from cloud_agent.domain.conversation.prompts import GHOST, PromptKind
from cloud_agent.domain.errors import UnreadableEventError
from cloud_agent.domain.session.issue_key import branch_name, issue_key
from cloud_agent.domain.session.session import Ending, SessionStatus, timestamp
from cloud_agent.domain.session.session_request import SessionRequest
from cloud_agent.webhook import steering
from cloud_agent.webhook.decisions import (
    MERGED,
    Closer,
    Decision,
    End,
    Follow,
    FollowBase,
    Ignore,
    LabelPull,
    Obstacle,
    Start,
)
from cloud_agent.webhook.events import (
    Event,
    IssueClosed,
    IssueCommented,
    IssueDeleted,
    IssueLabeled,
    IssueTransferred,
    IssueUnlabeled,
    Labeled,
    PullRequestClosed,
    PullRequestEdited,
    PullRequestLabeled,
    PullRequestReviewCommented,
    PullRequestReviewed,
    PullRequestUnlabeled,
    Pushed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent.domain.session.agents import TriggerLabels

E = TypeVar("E", bound=Event)


def decide(  # noqa: PLR0911, PLR0913, PLR0917 - one for each event; what the deployment says
    event_name: str,
    delivery_id: str,
    payload: dict[str, Any],
    labels: TriggerLabels,
    projects: frozenset[str] = frozenset(),
    allowed_bots: frozenset[str] = frozenset(),
) -> Decision:
    """Decide what one delivery asks for: the same delivery always gives the same answer.

    `projects` are those of a tracker whose keys name issues; `allowed_bots` count as people do.

    Raises:
        UnreadableEventError: the payload lacks what GitHub documents for its event.
    """
    action, parse = payload.get("action"), partial(_parse, allowed_bots)
    match event_name, action:
        case "ping", _:
            return Ignore("pong: the webhook is connected")
        case "issues", "labeled":
            return _decide_labeled(parse(IssueLabeled, "issues.labeled", payload), delivery_id, labels, projects)
        case "issues", "unlabeled":
            return _decide_unlabeled(parse(IssueUnlabeled, "issues.unlabeled", payload), PromptKind.ISSUE, labels)
        case "issues", "closed":
            return _decide_issue_closed(parse(IssueClosed, "issues.closed", payload), delivery_id)
        case "pull_request", "labeled":
            labeled = parse(PullRequestLabeled, "pull_request.labeled", payload)
            return _decide_pull_request_labeled(labeled, delivery_id, labels)
        case "pull_request", "unlabeled":
            unlabeled = parse(PullRequestUnlabeled, "pull_request.unlabeled", payload)
            return _decide_unlabeled(unlabeled, PromptKind.PULL_REQUEST, labels)
        case "pull_request", "closed":
            return _decide_pull_request_closed(parse(PullRequestClosed, "pull_request.closed", payload))
        case "push", _:
            return _decide_pushed(parse(Pushed, "push", payload))
    event = f"{event_name}.{action}" if isinstance(action, str) else event_name
    if event in _READERS:
        model, read = _READERS[event]
        return read(parse(model, event, payload))
    return Ignore(f"nothing to do for {event}")


def _parse(allowed_bots: frozenset[str], model: type[E], event: str, payload: dict[str, Any]) -> E:
    try:
        return model.model_validate(payload, context={"allowed_bots": allowed_bots})
    except ValidationError as error:
        where = "; ".join(".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors()[:3])
        raise UnreadableEventError(f"The {event} payload is not as GitHub documents it: {where}") from error


def _decide_labeled(
    event: IssueLabeled, delivery_id: str, labels: TriggerLabels, projects: frozenset[str]
) -> Start | Ignore:
    issue = event.issue
    if labels.agent_of(event.label.name) is not None and issue.pull_request is not None:
        return Ignore("a session starts from an issue, and this is a pull request")
    key = issue_key(issue.title, issue.number, projects)
    return _start(event, issue, PromptKind.ISSUE, delivery_id, labels, issue_key=key, branch=branch_name(key))


def _start(
    event: IssueLabeled | PullRequestLabeled,
    labelled: Labeled,
    kind: PromptKind,
    delivery_id: str,
    labels: TriggerLabels,
    **where: str | int,
) -> Start | Ignore:
    """Decide what a label on an issue or pull request asks for, but for what only one of them has."""
    agent, sender, noun = labels.agent_of(event.label.name), event.sender, _noun(kind)
    if agent is None:
        return Ignore(labels.foreign())
    if labelled.state != "open":
        return Ignore(f"{noun} #{labelled.number} is {labelled.state}")
    if sender is None:
        return Ignore(f"a session starts when a person labels the {noun}, and the sender's account is gone")
    if sender.is_bot:
        return Ignore(f"a session starts when a person labels the {noun}, and the sender is a bot")
    request = SessionRequest.model_validate(
        {
            "repository_id": event.home.id,
            "repo": event.home.name,
            "issue_number": labelled.number,
            "issue_title": labelled.title,
            "issue_url": labelled.html_url,
            "default_branch": event.repository.default_branch,
            "installation_id": event.home.installation_id,
            "requested_by": sender.login,
            "agent": agent,
            "triggered_by": delivery_id,
            "triggered_at": labelled.updated_at,
            **where,
        }
    )
    prompt = issue_prompt(
        title=labelled.title,
        body=labelled.body or "",
        author=labelled.user.login if labelled.user else GHOST,
        requested_by=sender.login,
        url=labelled.html_url,
        created_at=timestamp(labelled.updated_at),
        kind=kind,
    )
    return Start(request, prompt.model_copy(update={"requested_by_id": sender.id}), labelled.node_id)


def _decide_unlabeled(
    event: IssueUnlabeled | PullRequestUnlabeled, kind: PromptKind, labels: TriggerLabels
) -> End | Ignore:
    """End what the label can have started: a pull request's label a session of its own, and none of an issue."""
    agent = labels.agent_of(event.label.name)
    if agent is None:
        return Ignore(labels.foreign())
    reason = f"The label {event.label.name} was removed from the {_noun(kind)}."
    ending, labelled = Ending(status=SessionStatus.STOPPED, reason=reason), event.labelled
    return End(event.home, ending, issue_number=labelled.number, at=labelled.updated_at, agent=agent)


def _noun(kind: PromptKind) -> str:
    return kind.replace("_", " ")


def _decide_issue_closed(event: IssueClosed, delivery_id: str) -> End | Ignore:
    """Ask more of a person, who may just be the issue's author, than of an App, which was let close issues."""
    issue, sender = event.issue, event.sender
    if sender is None:
        return Ignore("the issue was closed by an account that is gone")
    status = SessionStatus.COMPLETED if issue.state_reason == "completed" else SessionStatus.STOPPED
    ending = Ending(status=status, reason="The issue was closed.")
    closer = None if sender.is_bot else Closer(sender.login, delivery_id)
    return End(event.home, ending, issue_number=issue.number, at=issue.closed_at, closer=closer)


def _decide_pull_request_labeled(
    event: PullRequestLabeled, delivery_id: str, labels: TriggerLabels
) -> LabelPull | Ignore:
    pull = event.pull_request
    start = _start(
        event,
        pull,
        PromptKind.PULL_REQUEST,
        delivery_id,
        labels,
        issue_key=str(pull.number),
        pull_number=pull.number,
        branch=pull.head.ref,
        base_branch=pull.base.ref,
    )
    return start if isinstance(start, Ignore) else LabelPull(start, event.label.name, _obstacle(event))


def _obstacle(event: PullRequestLabeled) -> Obstacle | None:
    head, default_branch = event.pull_request.head, event.repository.default_branch
    if head.repo is None or head.repo.id != event.home.id:
        return Obstacle.FORK
    return Obstacle.DEFAULT_BRANCH if head.ref == default_branch else None


def _decide_pull_request_closed(event: PullRequestClosed) -> End:
    ending = (
        MERGED
        if event.pull_request.merged
        else Ending(status=SessionStatus.STOPPED, reason="The pull request was closed.")
    )
    pull = event.pull_request
    return End(event.home, ending, pull_number=pull.number, at=pull.closed_at)


def _decide_pull_request_edited(event: PullRequestEdited) -> FollowBase | Ignore:
    if event.changes.base is None:
        return Ignore("the pull request is for the same branch as before")
    return FollowBase(event.home, event.pull_request.number)


def _decide_pushed(event: Pushed) -> Follow | Ignore:
    kind, _, branch = event.ref.partition("refs/heads/")
    if kind or not branch:
        return Ignore("a session follows its branch, and this is no branch")
    if event.deleted:
        return Ignore("the branch was deleted; a session goes on with what it has")
    return Follow(event.home, branch, event.after)


def _decide_issue_deleted(event: IssueDeleted) -> End:
    """End its session for good: GitHub lets nobody delete an issue who may not administer the repository."""
    ending = Ending(status=SessionStatus.STOPPED, reason="The issue was deleted.")
    return End(event.home, ending, issue_number=event.issue.number)


def _decide_issue_transferred(event: IssueTransferred) -> End:
    """End its session, whose branch and pull request stay behind."""
    issue, repository = event.changes.new_issue, event.changes.new_repository
    reason = f"The issue was transferred to {repository.full_name}#{issue.number}. Add the label there to go on."
    ending = Ending(status=SessionStatus.STOPPED, reason=reason)
    return End(event.home, ending, issue_number=event.issue.number)


# What else happens to an issue or pull request, and what people write: the event's model, and who reads it.
_READERS: dict[str, tuple[type[Event], Callable[[Any], Decision]]] = {
    "issues.deleted": (IssueDeleted, _decide_issue_deleted),
    "issues.transferred": (IssueTransferred, _decide_issue_transferred),
    "pull_request.edited": (PullRequestEdited, _decide_pull_request_edited),
    "issue_comment.created": (IssueCommented, steering.of_comment),
    "issue_comment.edited": (IssueCommented, steering.of_edited_comment),
    "issue_comment.deleted": (IssueCommented, steering.of_edited_comment),
    "pull_request_review.submitted": (PullRequestReviewed, steering.of_review),
    "pull_request_review.edited": (PullRequestReviewed, steering.of_edited_review),
    "pull_request_review_comment.created": (PullRequestReviewCommented, steering.of_review_comment),
    "pull_request_review_comment.edited": (PullRequestReviewCommented, steering.of_edited_review_comment),
    "pull_request_review_comment.deleted": (PullRequestReviewCommented, steering.of_deleted_review_comment),
}
