"""Where the session's page leads."""

from __future__ import annotations

from cloud_agent_proxy.session import Session, SessionStatus
from cloud_agent_proxy.session_page.conversation import Conversation
from cloud_agent_proxy.session_page.view import PageView, view_of

LOGS = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/agent"


def view(account: str, logs_url: str) -> PageView:
    arn = f"arn:aws:states:eu-west-1:{account}:execution:sessions:acme-shop-42-09e22a8b"
    session = Session(id="09e22a8b", status=SessionStatus.RUNNING, execution_arn=arn, logs_url=logs_url)
    return view_of(session, Conversation())


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
