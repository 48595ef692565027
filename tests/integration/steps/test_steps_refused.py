"""What GitHub or the deployment's credentials refuse for good is an error of the domain, by its own name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.app_key import new_key_pem

from cloud_agent.adapters.table.keys import session_key
from cloud_agent.domain.errors import (
    AppNotInstalledError,
    ConfigurationError,
    DefaultBranchNotFoundError,
    GitHubUnavailableError,
    RepositoryEmptyError,
    RepositoryNotFoundError,
    RepositoryReadOnlyError,
    SessionNotFoundError,
    SessionOverError,
    TaskNotRunningError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.steps.github import GitHub
    from tests.integration.steps.handlers import Steps

GITHUB_STEPS = ["create_branch", "open_draft_pull_request", "announce_session", "report_failure"]


def test_a_repository_without_a_commit_is_empty(steps: Steps, github: GitHub) -> None:
    session = steps.claim(github.new_repository(auto_init=False))
    with pytest.raises(RepositoryEmptyError, match=session.repo):
        steps.run("create_branch", session)


def test_a_default_branch_that_is_gone_leaves_nothing_to_start_from(steps: Steps, repo: str) -> None:
    with pytest.raises(DefaultBranchNotFoundError, match="has no branch gone"):
        steps.run("create_branch", steps.claim(repo, default_branch="gone"))


@pytest.mark.parametrize("step", GITHUB_STEPS)
def test_a_repository_that_is_gone_is_not_found(steps: Steps, repo: str, step: str) -> None:
    session = steps.claim_gone(repo)
    with pytest.raises(RepositoryNotFoundError, match=r"gone|does not exist"):
        steps.run(step, session, **steps.more(step, session))


@pytest.mark.parametrize("step", GITHUB_STEPS)
def test_a_repository_that_a_personal_token_does_not_see_is_not_found(
    steps: Steps, github: GitHub, put_secret: Callable[[str], None], repo: str, step: str
) -> None:
    put_secret(json.dumps({"token": github.credentials["token"]}))
    session = steps.claim_gone(repo)
    with pytest.raises(RepositoryNotFoundError, match="acme/gone"):
        steps.run(step, session, **steps.more(step, session))


@pytest.mark.parametrize("step", GITHUB_STEPS)
def test_an_archived_repository_is_read_only(steps: Steps, github: GitHub, repo: str, step: str) -> None:
    session = steps.claim(repo)
    steps.run_up_to(step, session)
    github.call("PATCH", f"/repos/{repo}", archived=True)
    with pytest.raises(RepositoryReadOnlyError, match="archived"):
        steps.run(step, session, **steps.more(step, session))


@pytest.mark.parametrize("installation_id", [1, None])
@pytest.mark.parametrize("step", GITHUB_STEPS)
def test_an_app_that_is_not_installed_says_so(steps: Steps, repo: str, step: str, installation_id: int | None) -> None:
    session = steps.claim(repo, installation_id=installation_id)
    with pytest.raises(AppNotInstalledError):
        steps.run(step, session, **steps.more(step, session))


BAD_SECRETS: dict[str, Callable[[dict[str, Any]], str]] = {
    "unset": lambda _: "{}",
    "no JSON": lambda _: "ghp_pasted_as_it_is",
    "both kinds": lambda app: json.dumps(app | {"token": "ghp_0"}),
    "key is no PEM": lambda app: json.dumps(app | {"private_key": "paste the key here"}),
    "key of another App": lambda app: json.dumps(app | {"private_key": new_key_pem()}),
    "id of another App": lambda app: json.dumps(app | {"app_id": "1"}),
    "expired token": lambda _: json.dumps({"token": "ghp_expired"}),
}


@pytest.mark.parametrize("secret", BAD_SECRETS)
def test_credentials_that_do_not_work_are_a_fault_of_the_deployment_and_are_not_shown(
    steps: Steps, github: GitHub, put_secret: Callable[[str], None], repo: str, secret: str
) -> None:
    app = {"app_id": str(github.credentials["app_id"]), "private_key": github.credentials["private_key_pem"]}
    put_secret(BAD_SECRETS[secret](app))
    with pytest.raises(ConfigurationError) as raised:
        steps.run("create_branch", steps.claim(repo))
    assert "BEGIN" not in str(raised.value)
    assert "ghp_" not in str(raised.value)
    assert {"main"} == set(github.branches(repo))


def test_a_secret_that_is_gone_is_a_fault_of_the_deployment(
    steps: Steps, repo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:000000000000:secret:gone")
    with pytest.raises(ConfigurationError, match="secret:gone"):
        steps.run("create_branch", steps.claim(repo))


def test_a_missing_variable_is_named(steps: Steps, repo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = steps.claim(repo)
    monkeypatch.delenv("GITHUB_API_URL")
    with pytest.raises(ConfigurationError, match="GITHUB_API_URL"):
        steps.run("create_branch", session)


def test_a_personal_token_does_all_that_the_app_does(
    steps: Steps, github: GitHub, put_secret: Callable[[str], None], repo: str
) -> None:
    put_secret(json.dumps({"token": github.credentials["token"]}))
    session = steps.claim(repo, installation_id=None)
    steps.run_up_to("close_session", session)
    steps.run("report_failure", session, **steps.more("report_failure", session))
    steps.run("close_session", session, **steps.more("close_session", session))
    (pull,) = github.pulls(session)
    assert len(github.comments(repo, pull["number"])) == 2  # the session's and the failure's
    assert [deployment["state"] for deployment in github.deployments(session)] == ["inactive"]


def test_a_task_that_ecs_does_not_know_is_not_running(steps: Steps, repo: str) -> None:
    with pytest.raises(TaskNotRunningError):
        steps.run("register_ip", steps.claim(repo), port=3000)


@pytest.mark.parametrize("port", [0, 22, 1023, 65_536, "http"])
def test_no_port_but_a_dev_servers_is_registered(steps: Steps, repo: str, port: object) -> None:
    session = steps.claim(repo)
    with pytest.raises(ValueError, match="port"):
        steps.run("register_ip", session, port=port)
    assert "port" not in (steps.row(session) or {})


@pytest.mark.parametrize("step", ["create_branch", "open_draft_pull_request", "announce_session"])
def test_a_row_that_is_gone_is_not_written_anew(steps: Steps, repo: str, step: str) -> None:
    session = steps.claim(repo)
    steps.run_up_to(step, session)
    more = steps.more(step, session)
    steps.table.delete_item(Key=session_key(session.session_id))
    with pytest.raises(SessionNotFoundError):
        steps.run(step, session, **more)
    assert steps.row(session) is None


def test_an_address_is_not_registered_for_a_session_that_has_ended(
    steps: Steps, repo: str, running_task: Callable[[str], str]
) -> None:
    session = steps.claim(repo)
    running_task(session.session_id)
    steps.run("close_session", session, status="STOPPED", reason="The label was removed.")
    with pytest.raises(SessionOverError):
        steps.run("register_ip", session, port=3000)
    assert (steps.row(session) or {})["status"] == "STOPPED"


def test_a_github_where_nothing_listens_is_unavailable(
    steps: Steps, repo: str, monkeypatch: pytest.MonkeyPatch, put_secret: Callable[[str], None]
) -> None:
    session = steps.claim(repo)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with pytest.raises(GitHubUnavailableError):
        steps.run("create_branch", session)
    put_secret(json.dumps({"token": "ghp_0"}))
    with pytest.raises(GitHubUnavailableError):
        steps.run("create_branch", session)
