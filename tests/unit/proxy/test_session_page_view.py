"""What the session's page says beside the conversation, and where it leads."""

from __future__ import annotations

import pytest

from cloud_agent_proxy.session import Session, SessionStatus
from cloud_agent_proxy.session_page.conversation import Conversation
from cloud_agent_proxy.session_page.view import PageView, view_of

LOGS = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/agent"


def view(account: str, logs_url: str) -> PageView:
    arn = f"arn:aws:states:eu-west-1:{account}:execution:sessions:acme-shop-42-09e22a8b"
    session = Session(id="09e22a8b", status=SessionStatus.RUNNING, execution_arn=arn, logs_url=logs_url)
    return view_of(session, Conversation())


@pytest.mark.parametrize(
    ("row", "activity"),
    [
        ({"status": "QUEUED"}, "Creating the branch"),
        ({"status": "QUEUED", "pull_number": 7}, "Waiting for capacity"),
        ({"status": "STARTING", "pull_number": 7}, "Starting the container"),
        ({"status": "STARTING", "pull_number": 7, "start_token": "t"}, "Connecting"),
        ({"status": "RUNNING"}, "Waiting for a comment"),
        ({"status": "STOPPED"}, ""),
    ],
)
def test_the_page_says_what_the_session_is_at(row: dict[str, object], activity: str) -> None:
    assert view_of(Session.model_validate({"id": "09e22a8b", **row}), Conversation()).activity == activity


def test_on_aws_the_page_leads_to_the_log_beside_the_execution() -> None:
    links = {text: url for url, text in view("123456789012", LOGS).links}
    assert links["Logs"] == LOGS
    assert links["Execution"].startswith("https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#")
    assert not view("123456789012", LOGS).logs_command


def test_on_one_machine_a_command_shows_the_log() -> None:
    local = view("000000000000", LOGS)
    assert local.logs_command == "cloud-agent local logs 09e22a8b"
    assert not any(url for url, text in local.links if text in {"Logs", "Execution"})


def test_before_there_is_a_container_there_is_no_log() -> None:
    assert not view("000000000000", "").logs_command
    assert ("", "Logs") in view("123456789012", "").links
