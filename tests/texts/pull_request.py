"""What is written on a pull request and its issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.kit.sessions import a_session

from cloud_agent.domain.conversation import replies as reply_texts
from cloud_agent.domain.conversation import turn_results
from cloud_agent.domain.conversation.branch_update import BranchUpdate
from cloud_agent.domain.conversation.commands import Command
from cloud_agent.domain.conversation.description import described, ended, first_description, references
from cloud_agent.domain.conversation.messages import (
    commit_message,
    restart_by_comment,
    restart_by_label,
    session_failure,
    with_settings_file,
)
from cloud_agent.domain.conversation.prompts import INITIAL_PROMPT_ID, Prompt, PromptKind
from cloud_agent.domain.conversation.pull_request_title import pull_request_title
from cloud_agent.domain.conversation.status_comment import StatusView, render
from cloud_agent.domain.conversation.turn_results import Pushed, TurnResult
from cloud_agent.domain.policy.failures import _ECS_REASONS, _EXPLANATIONS, explain
from cloud_agent.domain.session.comment_trigger import CommentTrigger
from cloud_agent.domain.session.model_choice import ModelChoice
from cloud_agent.domain.session.provenance import Commit
from cloud_agent.domain.session.session import Session, SessionStatus

EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:session:acme-shop-42-09e22a8b"
IDLE = "2026-11-22T12:34:00.000Z"
PULL = "https://github.com/acme/shop/pull/43"
COMMITS = [Commit(f"{n:040x}", f"Add page {n}", f"https://github.com/acme/shop/commit/{n:040x}") for n in range(12)]

PREVIEWS = [
    {"state": "starting", "detail": "`npm ci` is running", "log": "added 12 packages"},
    {"state": "live", "detail": "GET / responds with 500: no such table: catalog_book"},
    {"state": "failed", "detail": "`npm ci` ended with status 1", "log": "npm error code ERESOLVE"},
    {"state": "none", "detail": "No dev server was found"},
]


def status_comments() -> dict[str, str]:
    """Return the comment in every state of a session."""
    ended: dict[str, Any] = {
        "ended_at": IDLE,
        "turns": 12,
        "cost_usd": Decimal("1.5"),
        "commits": COMMITS,
        "commit_count": 12,
    }
    views = {
        "Queued": _view(status="QUEUED", place=(1, 1), working=True),
        "Queued, AWS has no capacity": _view(status="QUEUED", place=(1, 1), working=True, is_out_of_capacity=True),
        "Queued, not next": _view(status="QUEUED", place=(2, 5), working=True, unanswered=1),
        "Starting": _view(status="STARTING", working=True),
        "Running, working": _view(
            working=True, activity="turn_started", unanswered=2, commits=COMMITS[:1], commit_count=1
        ),
        "Running, using a tool": _view(
            working=True, activity="Edit index.html", todo={"done": 2, "total": 5, "current": "Adding the total"}
        ),
        "Running, waiting": _view(
            turns=3, max_turns=200, cost_usd=Decimal("0.42"), budget_usd=Decimal(10), idle_minutes=60
        ),
        "Running, in conflict with its base branch": _view(conflicts=True),
        "Running, on mentions only": _view(comment_trigger=CommentTrigger.MENTIONS),
        "Running, with what was not only Claude's work": _view(
            commits=[replace(COMMITS[0], author="Octo Developer")],
            commit_count=1,
            closes=["#7", "acme/api#8"],
            other_commits=2,
        ),
        **{f"Running, preview {preview['state']}": _view(working=True, preview=preview) for preview in PREVIEWS},
        "Running, idle": _view(idle_ends_at=IDLE),
        "Running, ending": _view(ending={"status": "STOPPED", "reason": "Stopped by octo-dev."}),
        "Completed": _view(status="COMPLETED", end_reason="The pull request was merged.", **ended),
        "Stopped": _view(status="STOPPED", end_reason="Stopped by octo-dev.", unanswered=2),
        "Failed": _view(status="FAILED", end_reason=explain("Run Agent", "CloneFailedError", "").what),
    }
    return {name: render(view) for name, view in views.items()}


_ALLOWED = ("claude-sonnet-5-5", "claude-opus-*")


def replies() -> dict[str, str]:
    """Return the replies to comments and labels, and those with a turn's result."""
    running = _session(activity="turn_started", pull_number=43, pull_url=PULL, comment_id=5)
    ending = _session(ending={"status": "STOPPED", "reason": "The issue was closed."})
    stopped = _session(status="STOPPED", end_reason="Stopped by octo-dev.")
    return {
        "/help": reply_texts.help_text(CommentTrigger.ALL),
        "/help, where Claude works on mentions only": reply_texts.help_text(CommentTrigger.MENTIONS),
        "/status, running": reply_texts.status(running, 2, next_is_starting=False),
        **{
            f"/status, preview {preview['state']}": reply_texts.status(
                _session(preview=preview), 1, next_is_starting=False
            )
            for preview in PREVIEWS
        },
        "/status, ended": reply_texts.status(stopped, 0, next_is_starting=False),
        "/status, while the next session starts": reply_texts.status(ending, 0, next_is_starting=True),
        "An unknown command": reply_texts.unknown_command("/stoop", Command.STOP),
        "An unknown command, like no other": reply_texts.unknown_command("/deploy", None),
        "/model, chosen": reply_texts.model_chosen(
            ModelChoice(model="claude-opus-5-5", effort="high", at=""), is_live=True
        ),
        "/model, chosen after the end": reply_texts.model_chosen(
            ModelChoice(model="claude-opus-5-5", at=""), is_live=False
        ),
        "/model, not allowed": reply_texts.model_refused("claude-fable-5-2", _ALLOWED),
        "/model, of the Anthropic API on Bedrock": reply_texts.model_of_another_provider(
            "claude-opus-5-5", "us.anthropic.claude-sonnet-5-5", is_bedrock=True
        ),
        "/model, of Bedrock on the Anthropic API": reply_texts.model_of_another_provider(
            "us.anthropic.claude-opus-5-5", "claude-sonnet-5-5", is_bedrock=False
        ),
        "/model, without a name": reply_texts.model_usage("claude-sonnet-5-5", _ALLOWED),
        "/update": reply_texts.branch_update(BranchUpdate(), "main", claude_merges=True),
        "/update, with nothing new": reply_texts.branch_update(
            BranchUpdate(was_current=True), "main", claude_merges=True
        ),
        "/update, with conflicts": reply_texts.branch_update(BranchUpdate(conflicts=True), "main", claude_merges=True),
        "/update, with conflicts after the end": reply_texts.branch_update(
            BranchUpdate(conflicts=True), "main", claude_merges=False
        ),
        "/update, refused": reply_texts.branch_update(
            BranchUpdate(refusal="Resource not accessible by integration"), "main", claude_merges=True
        ),
        "/update, pull request closed": reply_texts.NOTHING_TO_UPDATE,
        "/interrupt, with nothing to interrupt": reply_texts.NOTHING_RUNS,
        "/restart, already starting": reply_texts.ALREADY_STARTING,
        "/restart, pull request closed": reply_texts.PULL_REQUEST_CLOSED,
        "/stop, before the session began": reply_texts.CANCELLED,
        "/restart, issue closed": reply_texts.issue_closed(42),
        "A comment, session ending": reply_texts.ended(ending),
        "A comment, session ended": reply_texts.ended(stopped),
        "A comment to Claude on the issue, session ended": reply_texts.no_session(stopped, "claude-dev"),
        "A comment to Claude on the issue, pull request merged": reply_texts.no_session(
            stopped.model_copy(update={"status": SessionStatus.COMPLETED}), "claude-dev"
        ),
        "A comment without write access": reply_texts.comment_refused("guest"),
        "A label without write access": reply_texts.label_refused("guest", "claude-dev"),
        "An issue closed without write access": reply_texts.close_refused("guest", "claude-dev"),
        "The label on a running session's pull request": reply_texts.already_at_work("claude-dev"),
        "The label on a pull request whose branch has another session": reply_texts.branch_at_work("develop", 44),
        "The label on a fork's pull request": reply_texts.label_on_fork("claude-dev"),
        "The label on a pull request from the default branch": reply_texts.label_on_default_branch(
            "claude-dev", "main"
        ),
        "The other agent's label": reply_texts.other_agent_at_work(running, "claude-dev", "claude-dev-staging"),
        **_turn_results(),
    }


def _turn_results() -> dict[str, str]:
    sha = COMMITS[0].sha
    pushed, nothing = Pushed(is_on_branch=True, commits=tuple(COMMITS[:2])), Pushed(is_on_branch=False)
    return {
        "The issue's turn": _reply(PromptKind.ISSUE, pushed, head_sha=sha),
        "The labelled pull request's turn": _reply(PromptKind.PULL_REQUEST, pushed, head_sha=sha),
        "The issue's turn, with something hidden and an edit": _reply(
            PromptKind.ISSUE,
            nothing,
            left_out=("an HTML comment", "an image's description"),
            is_edited=True,
            edited_by="zoe",
        ),
        "A comment's turn, with an edit by somebody else": _reply(
            PromptKind.COMMENT, nothing, is_edited=True, edited_by="zoe"
        ),
        "A comment's turn": _reply(PromptKind.COMMENT, nothing),
        "A turn with pictures": _reply(PromptKind.COMMENT, nothing, pictures=2),
        "A review comment's turn": _reply(PromptKind.REVIEW_COMMENT, nothing),
        "A review's turn, all of it in its threads": _reply(
            PromptKind.REVIEW, nothing, result=turn_results.in_threads_alone(3)
        ),
        "A turn without a message": _reply(PromptKind.COMMENT, nothing, result=""),
        "A long message": _reply(PromptKind.COMMENT, nothing, result="word " * 801).replace("word " * 800, "… "),
        "A turn that was interrupted": _reply(PromptKind.COMMENT, nothing, interrupted=True),
        "A turn that failed": _reply(PromptKind.COMMENT, nothing, is_error=True),
        "A commit that isn't on GitHub": _reply(PromptKind.COMMENT, nothing, head_sha=sha),
        "A comment that is abandoned": turn_results.abandoned("0").result,
    }


def failures() -> dict[str, str]:
    """Return the comment of each failure that is explained."""
    causes = {
        **dict.fromkeys(_EXPLANATIONS, ""),
        **{f"AgentTaskStoppedError: {reason}": reason for reason in _ECS_REASONS},
        "Any other error": "",
    }
    texts = {name: explain("Run Agent", name.partition(":")[0], cause) for name, cause in causes.items()}
    texts["A step that timed out"] = explain("Create Branch", "States.Timeout", "")
    session = a_session(default_branch="main", issue_url="https://github.com/acme/shop/issues/42")
    whole = (
        with_settings_file(explain("Run Agent", "RepositoryConfigError", "…what to fix…"), session),
        explain("Run Agent", "GitError", "…details…"),
    )
    return {
        "On the pull request, with what to fix": _failure(whole[0], restart_by_comment()),
        "On the issue, with details": _failure(whole[1], restart_by_label()),
        **{name: f"{failure.what}. {failure.advice}." for name, failure in texts.items()},
    }


def pull_request() -> dict[str, str]:
    """Return what a pull request begins with."""
    found = references(42, "AGNTS-124", "https://acme.atlassian.net/browse")
    first = first_description("octo-dev", found)
    return {
        "Title, of an issue without one": pull_request_title("", "42"),
        "Description": first,
        "Description, after a turn": str(described(first, "Show the menu of the day.\n\nOpen `/menu`.", found)),
        "Description, after a failure": str(ended(first, "The container stopped.", failed=True)),
        "First commit": commit_message("42"),
        "First commit, with a tracker's key": commit_message("AGNTS-124"),
    }


def _failure(failure: Any, next_step: str) -> str:  # noqa: ANN401 - a Failure
    return session_failure("09e22a8b", failure, "https://console.example/execution", next_step)


def _reply(kind: PromptKind, pushed: Pushed, **members: Any) -> str:  # noqa: ANN401 - any member
    of_prompt = {name: members.pop(name) for name in ("left_out", "is_edited", "edited_by") if name in members}
    prompt = Prompt(
        id=INITIAL_PROMPT_ID, kind=kind, body="", author="octo-dev", url=f"{PULL}#issuecomment-1", created_at=IDLE,
        **of_prompt,
    )  # fmt: skip
    answer = {"prompt_id": prompt.id, "is_error": False, "result": "Done.", "created_at": IDLE} | members
    turn, page = TurnResult.model_validate(answer), "https://09e22a8b.uat.example.com/.uat/"
    return turn_results.reply(turn, prompt, pushed, "09e22a8b", "claude/42", page if turn.pictures else "")


def _session(**members: Any) -> Session:  # noqa: ANN401 - any member
    row = {
        "session_id": "09e22a8b",
        "status": "RUNNING",
        "repository_id": 1,
        "repo": "acme/shop",
        "issue_number": 42,
        "issue_key": "42",
        "branch": "claude/42",
        "token_hash": "",
        "execution_arn": EXECUTION,
        "logs_url": "https://console.example/logs",
        "model": "claude-sonnet-5-5",
        "created_at": "2026-11-22T10:00:00.000Z",
    }
    return Session.model_validate(row | members)


def _view(**members: Any) -> StatusView:  # noqa: ANN401 - any member
    of_session = {name: members.pop(name) for name in list(members) if name in Session.model_fields}
    return StatusView(
        session=_session(**of_session),
        link="https://09e22a8b.uat.example.com/.uat/enter?token=…",
        page_link="https://09e22a8b.uat.example.com/.uat/enter?token=…&return_to=/.uat/",
        execution_url="https://console.example/execution",
        trigger_label="claude-dev",
        max_age=timedelta(hours=8),
        as_of=datetime(2026, 11, 22, 10, 12, tzinfo=UTC),
        **members,
    )
