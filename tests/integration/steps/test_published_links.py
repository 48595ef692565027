"""What leads people into a session: in its comment and its Deployment, as long as it lives, and nowhere else."""

from __future__ import annotations

import io
import json
import logging
import re
from typing import TYPE_CHECKING

import boto3
import jwt
import pytest
from tests.integration.steps.conftest import SIGNING_KEY

from cloud_agent.domain.errors import ConfigurationError
from cloud_agent.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jwt.types import Options
    from tests.integration.steps.github import GitHub
    from tests.integration.steps.handlers import Steps

    from cloud_agent.domain.session.session_request import RequestedSession

URL = "https://{}.uat.example.com"
SHOWN = re.compile(r"\*\*\[Open preview\]\(([^)]+)\) · \[Session\]\(([^)]+)\)\*\*")


def shown(github: GitHub, steps: Steps, session: RequestedSession) -> tuple[str, str] | None:
    """Where the session's comment leads: to the preview, and to the session's page."""
    (comment,) = github.comments(session.repo, (steps.row(session) or {})["pull_number"])
    found = SHOWN.search(comment)
    return (found[1], found[2]) if found else None


def session_entered_by(link: str) -> str:
    """The session that the proxy lets in by this link, on the day of these sessions."""
    token = link.partition("?token=")[2]
    # The token's times are those of the fixed day on which these sessions are created.
    options: Options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, SIGNING_KEY, ["HS256"], audience="uat-entry", options=options)
    return str(claims["sub"])


@pytest.fixture
def set_access(monkeypatch: pytest.MonkeyPatch, environment: None) -> Callable[[str], None]:  # noqa: ARG001 - comes after it
    """Deploy with another UatAccess."""

    def deploy(access: str) -> None:
        monkeypatch.setenv("UAT_ACCESS", access)

    return deploy


@pytest.fixture
def put_keys(access_keys: str, aws_url: str) -> Iterator[Callable[[str], None]]:
    """Give the secret another value; a worker that begins after that sees it."""
    secrets = boto3.client("secretsmanager", endpoint_url=aws_url)
    kept = secrets.get_secret_value(SecretId=access_keys)["SecretString"]

    def put(value: str) -> None:
        secrets.put_secret_value(SecretId=access_keys, SecretString=value)

    yield put
    put(kept)


def test_the_comment_leads_in_from_the_first_and_the_deployment_once_the_session_runs(
    steps: Steps, github: GitHub, repo: str
) -> None:
    session = steps.claim(repo)
    url = URL.format(session.session_id)
    steps.run_up_to("announce_session", session)

    before = shown(github, steps, session)
    assert before is not None
    link, page = before
    assert url == link.partition("/.uat/")[0]
    assert page == f"{link}&return_to=/.uat/"
    assert session.session_id == session_entered_by(link)
    assert [deployment["environment_url"] for deployment in github.deployments(session)] == [""]

    steps.run("announce_session", session, **steps.more("announce_session", session))

    assert before == shown(github, steps, session)
    (deployment,) = github.deployments(session)
    assert (link, page) == (deployment["environment_url"], deployment["log_url"])


def test_after_the_end_nothing_leads_in(steps: Steps, github: GitHub, repo: str) -> None:
    session = steps.claim(repo)
    steps.run_up_to("close_session", session)

    steps.run("close_session", session, **steps.more("close_session", session))

    assert shown(github, steps, session) is None
    (deployment,) = github.deployments(session)
    page = f"https://{session.session_id}.uat.example.com/.uat/"  # which stays
    assert (deployment["environment_url"], deployment["log_url"]) == ("", page)


@pytest.mark.parametrize("access", ["github", "public"])
def test_where_no_token_is_needed_the_plain_url_is_shown(
    steps: Steps, github: GitHub, repo: str, set_access: Callable[[str], None], access: str
) -> None:
    set_access(access)
    session = steps.claim(repo)
    url = URL.format(session.session_id)

    steps.run_up_to("close_session", session)

    assert (url, f"{url}/.uat/") == shown(github, steps, session)
    (deployment,) = github.deployments(session)
    assert (url, f"{url}/.uat/") == (deployment["environment_url"], deployment["log_url"])


def test_the_token_is_in_no_steps_output_and_in_no_log(
    steps: Steps, github: GitHub, repo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", logs)
    monkeypatch.setattr(logger._logger, "level", logging.DEBUG)  # noqa: SLF001 - no other way to set it for a while
    session = steps.claim(repo)
    outputs = [steps.run("create_branch", session), steps.run("open_draft_pull_request", session)]
    outputs += [steps.run("announce_session", session, **steps.more("announce_session", session))]
    steps.publish(session)
    link, _ = shown(github, steps, session) or ("", "")
    outputs += [steps.run("close_session", session, **steps.more("close_session", session))]

    assert URL.format(session.session_id) == outputs[2]["session_url"]
    assert "session announced" in logs.getvalue()
    secrets = link.partition("?token=")[2].split(".")[1:]
    assert len(secrets) == 2
    assert [secret for secret in secrets if secret in logs.getvalue() + str(outputs)] == []


def test_keys_that_are_none_fail_the_step_and_are_named(
    steps: Steps, repo: str, access_keys: str, put_keys: Callable[[str], None]
) -> None:
    put_keys('{"signing_key": "short"}')
    session = steps.claim(repo)
    steps.run("create_branch", session)

    with pytest.raises(ConfigurationError, match=re.escape(access_keys)):
        steps.run("open_draft_pull_request", session)


def test_without_keys_a_session_ends_all_the_same(
    steps: Steps, github: GitHub, repo: str, put_keys: Callable[[str], None]
) -> None:
    session = steps.claim(repo)
    steps.run_up_to("close_session", session)
    put_keys("{}")

    steps.run("close_session", session, **steps.more("close_session", session))

    assert shown(github, steps, session) is None


def test_changed_keys_reach_the_comment_with_the_next_news(
    steps: Steps, github: GitHub, repo: str, put_keys: Callable[[str], None]
) -> None:
    session = steps.claim(repo)
    steps.run_up_to("close_session", session)
    before = shown(github, steps, session)
    put_keys(json.dumps({"signing_key": "n" * 64, "verifying_key": SIGNING_KEY}))

    steps.publish(session)

    after = shown(github, steps, session)
    assert before is not None
    assert after is not None
    assert before[0] != after[0]
    with pytest.raises(jwt.InvalidSignatureError):
        session_entered_by(after[0])
