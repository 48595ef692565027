"""Who is shown a session: whoever comes by the link on its pull request, as long as it lives, and nobody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.e2e.browser import Browser
from tests.e2e.system import System, wait_for

if TYPE_CHECKING:
    from tests.e2e.system import Session

PAGE = "hello"  # what the scripted agent's dev server shows


def running(stage: System, title: str) -> Session:
    """A session whose dev server answers."""
    session = stage.start(title, "Please.")
    stage.wait_for_row(session, lambda row: row.get("status") == "RUNNING")
    return session


def test_the_link_in_the_comment_opens_the_session_and_its_bare_url_does_not(stage: System) -> None:
    session = running(stage, "Open me")
    visitor, stranger = stage.visitor(session), stage.stranger(session)

    assert (visitor.fetch().status, visitor.fetch().text) == (200, PAGE)
    refused = stranger.fetch()
    assert refused.status == 401
    assert PAGE not in refused.text


def test_the_link_of_one_session_does_not_open_another(stage: System) -> None:
    first, second = running(stage, "Mine"), running(stage, "Theirs")
    other = urlsplit(stage.link(second))
    visitor = stage.visitor(first)

    stranger = stage.stranger(first)
    refused = stranger.enter(f"{other.path}?{other.query}")

    assert refused.status == 401
    assert stranger.fetch().status == 401
    assert visitor.fetch().status == 200


def test_who_has_the_link_signs_in_to_write(stage: System) -> None:
    session = running(stage, "Write to me")
    page = f"http://{urlsplit(stage.installation.sign_in_callback_url).netloc}/sessions/{session.id}"
    writer = Browser(stage.installation, "octo-dev")

    sent = writer.fill_in(page, writer.visit(page), text="Make it green.")

    assert sent.status == 200
    number = int(stage.row(session.id)["pull_number"])
    comments = [(one["user"]["login"], one["body"]) for one in stage.comments(number)]
    assert ("octo-dev", "Make it green.") in comments


def test_the_deployment_leads_where_the_comment_leads(stage: System) -> None:
    session = running(stage, "Deployed")
    link, branch = stage.link(session), stage.row(session.id)["branch"]

    def environment_urls() -> list[str]:
        (deployment,) = stage.github.call("GET", f"/repos/{stage.repository}/deployments?ref={branch}")
        path = f"/repos/{stage.repository}/deployments/{deployment['id']}/statuses"
        return [status["environment_url"] for status in stage.github.call("GET", path)]

    wait_for(environment_urls, lambda urls: urls == [link])


def test_after_the_end_the_link_opens_no_dev_server(stage: System) -> None:
    session = running(stage, "Soon over")
    visitor, link = stage.visitor(session), stage.link(session)
    assert visitor.fetch().status == 200

    stage.unlabel(session.issue_number)
    stage.wait_until_over(session)

    assert wait_for(visitor.fetch, lambda page: page.status == 410, 10).status == 410
    assert stage.stranger(session).enter(link).status == 410
    assert stage.stranger(session).fetch().status == 401
    assert "/.uat/enter" not in stage.wait_for_status(session, "Stopped")


def test_the_link_is_in_no_log_and_in_no_executions_history(stage: System) -> None:
    session = running(stage, "Keep it to yourself")
    visitor = stage.visitor(session)
    visitor.fetch()
    secret = stage.link(session).rpartition(".")[2]  # the token's signature
    stage.unlabel(session.issue_number)
    stage.wait_until_over(session)

    pages = stage.executions.client.get_paginator("get_execution_history").paginate(executionArn=session.execution_arn)
    history = json.dumps([event for page in pages for event in page["events"]], default=str)
    assert session.id in history
    assert secret not in history
    logs = {path.name: path.read_text(errors="replace") for path in stage.installation.log_dir.rglob("*.log")}
    assert any(session.id in text for text in logs.values())
    assert [name for name, text in logs.items() if secret in text] == []
