"""What a verified webhook event asks for: a session, or nothing (and why)."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cloud_agent.domain.errors import UnreadableEventError
from cloud_agent.domain.events import IssueLabeled
from cloud_agent.domain.issue_key import branch_name, issue_key
from cloud_agent.domain.session import SessionRequest, session_id_for


@dataclass(frozen=True)
class Prompt:
    """The first thing the agent is asked: the issue as it stood when it was labelled. Untrusted text."""

    title: str
    body: str
    author: str
    url: str


@dataclass(frozen=True)
class Start:
    """A session is asked for."""

    request: SessionRequest
    prompt: Prompt


@dataclass(frozen=True)
class Ignore:
    """Nothing is to be done; `reason` is returned to GitHub and read in its list of deliveries."""

    reason: str


def decide(event_name: str, delivery_id: str, payload: dict[str, Any], trigger_label: str) -> Start | Ignore:
    """Decide what one delivery asks for. Pure: the same delivery always gives the same answer.

    Raises:
        UnreadableEventError: an `issues.labeled` payload lacks what GitHub documents for it.
    """
    action = payload.get("action")
    if event_name == "ping":
        return Ignore("pong: the webhook is connected")
    if event_name != "issues" or action != "labeled":
        return Ignore(f"nothing to do for {event_name}{f'.{action}' if action else ''}")
    return _decide_labeled(_parse(payload), delivery_id, trigger_label)


def _parse(payload: dict[str, Any]) -> IssueLabeled:
    try:
        return IssueLabeled.model_validate(payload)
    except ValidationError as error:
        where = "; ".join(".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors()[:3])
        raise UnreadableEventError(f"The issues.labeled payload is not as GitHub documents it: {where}") from error


def _decide_labeled(event: IssueLabeled, delivery_id: str, trigger_label: str) -> Start | Ignore:
    issue, repo = event.issue, event.repository.full_name
    if event.label.name != trigger_label:
        return Ignore(f"the label is not '{trigger_label}'")
    if issue.pull_request is not None:
        return Ignore("a session starts from an issue, and this is a pull request")
    if issue.state != "open":
        return Ignore(f"issue #{issue.number} is {issue.state}")
    if event.sender.is_bot:
        return Ignore("a session starts when a person labels the issue, and the sender is a bot")
    key = issue_key(issue.title, issue.number)
    request = SessionRequest(
        session_id=session_id_for(repo, issue.number, delivery_id),
        repo=repo,
        issue_number=issue.number,
        issue_key=key,
        issue_title=issue.title,
        issue_url=issue.html_url,
        branch=branch_name(key),
        default_branch=event.repository.default_branch,
        installation_id=event.installation.id if event.installation else None,
        requested_by=event.sender.login,
    )
    prompt = Prompt(issue.title, issue.body or "", event.sender.login, issue.html_url)
    return Start(request, prompt)
