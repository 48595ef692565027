"""State "Create Branch": the session's branch with its empty first commit, or that of a labelled pull request."""

from __future__ import annotations

from typing import Any

from cloud_agent.adapters.github.connection import connect_for_all
from cloud_agent.adapters.table.branches import Branches
from cloud_agent.adapters.table.publications import Publications
from cloud_agent.adapters.table.sessions_table import SessionsTable
from cloud_agent.domain.conversation.branch_rules import rules_to_keep
from cloud_agent.domain.conversation.messages import commit_message
from cloud_agent.observability import StepEvent, logger, step
from cloud_agent.session_branch import BranchFinder, branch_of_pull
from cloud_agent.settings import GitHubSettings, load


@step(StepEvent)
def handler(event: StepEvent) -> dict[str, Any]:
    """Guarantees that the branch exists on GitHub and that the row has its name, its rules and the commits at its root.

    The row is looked at first: the state that claims a session goes on where a row of this id is there already, for
    then an earlier try of its own has written it. Unless the id is another session's.
    """
    settings, session = load(GitHubSettings), event.session
    table = SessionsTable(settings.sessions_table)
    table.get_own(session.session_id, event.execution_arn)
    repository = connect_for_all(settings, session.repository).repository
    previous = table.find(session.previous_session_id) if session.previous_session_id else None
    if session.is_of_pull_request:
        branch = branch_of_pull(repository, session, previous)
    else:
        message = commit_message(session.issue_key.upper())
        branch = BranchFinder(repository, Branches(settings.sessions_table), session, message).find(previous)
    rules = rules_to_keep(repository.rules(branch.name))
    table.record(
        session.session_id,
        branch=branch.name,
        branch_rules=[rule.model_dump(mode="json", exclude_none=True) for rule in rules],
        base_sha=branch.at.base_sha,
        initial_sha=branch.at.initial_sha,
        installation_id=session.installation_id,
        **({"blocking_branch": branch.blocked_by} if branch.blocked_by else {}),
        **({"base_branch": branch.at.base} if branch.at.base else {}),
    )
    if branch.at.initial_sha:
        publications = Publications(settings.sessions_table)
        publications.claim_commits(session.repository_id, branch.name, [branch.at.initial_sha])
    logger.info("branch ready", extra={"branch": branch.name, "base_sha": branch.at.base_sha})
    return {"branch": branch.name, "base_sha": branch.at.base_sha}
