"""The clients people use, PyGithub first, work against the local GitHub as against the real one."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import github
import pytest
from github import Auth, Github

if TYPE_CHECKING:
    import httpx


def _client(server: Any, auth: Auth.Auth) -> Github:
    return Github(
        auth=auth,
        base_url=server.api_url,
        lazy=True,
        timeout=10,
        seconds_between_requests=0,
        seconds_between_writes=0,
        retry=None,
    )


@pytest.fixture
def app_github(server: Any) -> Github:
    credentials = server.credentials
    app = Auth.AppAuth(credentials["app_id"], credentials["private_key_pem"])
    return _client(server, app.get_installation_auth(credentials["installation_id"]))


def test_a_session_goes_from_branch_to_merged_pull_request(app_github: Github, repo: str) -> None:
    project = app_github.get_repo(repo)
    issue = project.create_issue("Make it blue", body="please")
    base = project.get_git_commit(project.get_git_ref("heads/main").object.sha)
    first = project.create_git_commit("chore: initialize", base.tree, [base])
    project.create_git_ref("refs/heads/claude/1", first.sha)
    pull = project.create_pull(base="main", head="claude/1", title="Make it blue", body="b", draft=True)
    comment = pull.create_issue_comment("It lives at http://localhost")

    assert pull.draft
    assert comment.user.login == "local-app[bot]"
    assert [first.sha] == [commit.sha for commit in project.get_pull(pull.number).get_commits()]
    assert project.compare(base.sha, "claude/1").ahead_by == 1

    issue.add_to_labels("claude-dev")
    assert [label.name for label in project.get_issue(issue.number).labels] == ["claude-dev"]
    issue.remove_from_labels("claude-dev")
    assert list(project.get_issue(issue.number).labels) == []

    deployment = project.create_deployment(ref="claude/1", environment="pr-1", auto_merge=False, required_contexts=[])
    status = deployment.create_status("success", environment_url="http://09e22a8b.uat.localhost:8080")
    assert status.environment_url == "http://09e22a8b.uat.localhost:8080"

    project.get_pull(pull.number).mark_ready_for_review()
    assert project.get_pull(pull.number).draft is False
    project.get_pull(pull.number).convert_to_draft()
    assert project.get_pull(pull.number).draft is True
    project.get_pull(pull.number).mark_ready_for_review()

    merged = project.get_pull(pull.number).merge()
    assert merged.merged
    assert project.get_git_ref("heads/main").object.sha == merged.sha
    assert project.get_pull(pull.number).is_merged()


def test_statuses_checks_reactions_and_reviews_are_kept(app_github: Github, repo: str) -> None:
    project = app_github.get_repo(repo)
    sha = project.get_git_ref("heads/main").object.sha
    project.get_commit(sha).create_status("success", context="claude")
    assert [status.context for status in project.get_commit(sha).get_statuses()] == ["claude"]
    assert project.create_check_run("claude", sha, conclusion="success").status == "completed"
    comment = project.create_issue("t").create_comment("hello")
    comment.create_reaction("rocket")
    assert [reaction.content for reaction in comment.get_reactions()] == ["rocket"]


def test_an_unknown_issue_is_the_exception_pygithub_has_for_it(app_github: Github, repo: str) -> None:
    with pytest.raises(github.UnknownObjectException):
        app_github.get_repo(repo).get_issue(9999).update()


def test_a_missing_node_is_graphqls_not_found(app_github: Github) -> None:
    with pytest.raises(github.UnknownObjectException):
        app_github.requester.graphql_node("PR_999999", "isDraft", "PullRequest")


def test_graphql_answers_inline_arguments_as_octokit_may_send_them(
    api: httpx.Client,
    server: Any,
    repo: str,
    branch_with_commit: Any,
) -> None:
    branch_with_commit("b")
    pull = {"title": "t", "head": "b", "base": "main", "draft": True}
    node = api.post(f"/repos/{repo}/pulls", json=pull).json()["node_id"]
    ready = f'markPullRequestReadyForReview(input: {{pullRequestId: "{node}"}})'
    query = f"mutation {{ {ready} {{ pullRequest {{ isDraft }} }} }}"
    answer = api.post(f"{server.url}/api/graphql", json={"query": query}).json()
    assert answer == {"data": {"markPullRequestReadyForReview": {"pullRequest": {"isDraft": False}}}}
    viewer = api.post(f"{server.url}/api/graphql", json={"query": "{ viewer { login } }"}).json()
    assert viewer == {"data": {"viewer": {"login": "octo-dev"}}}
