"""What GitHub says of the App and of its webhook, judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.functions.doctor.inside_account import stack_of

from cloud_agent_doctor.checks.github_app import EVENTS, PERMISSIONS, lacking
from cloud_agent_doctor.checks.webhook import Attempt, configuration_faults, lost

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
API = "https://abcdef1234.execute-api.eu-central-1.amazonaws.com/webhook"
CONFIG = {"url": API, "content_type": "json", "secret": "********", "insecure_ssl": "0"}


def attempt(number: int, guid: str, status_code: int, *, hours_ago: float = 1, event: str = "issues") -> Attempt:
    delivered_at = NOW - timedelta(hours=hours_ago)
    return Attempt(
        id=number,
        guid=guid,
        delivered_at=delivered_at,
        redelivery=False,
        status_code=status_code,
        event=event,
        status="OK",
    )


def lost_ids(*attempts: Attempt) -> list[int]:
    return [one.id for one in lost(attempts, NOW - timedelta(days=1))]


def test_what_the_documentation_asks_for_is_enough() -> None:
    assert PERMISSIONS == {
        "contents": "write",
        "deployments": "write",
        "issues": "write",
        "pull_requests": "write",
        "metadata": "read",
    }
    assert lacking(PERMISSIONS) == []
    assert {
        "issues",
        "issue_comment",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "push",
    } == EVENTS


def test_a_permission_that_is_missing_or_too_low_is_lacking_and_a_higher_one_is_not() -> None:
    granted = PERMISSIONS | {"issues": "read", "contents": "admin"}
    del granted["deployments"]
    assert lacking(granted) == ["deployments: write", "issues: write"]


def test_the_webhook_of_this_stack_has_no_fault() -> None:
    assert configuration_faults(CONFIG, stack_of()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"url": "https://elsewhere.example.com/webhook"},
            f"its URL is https://elsewhere.example.com/webhook, not {API}",
        ),
        ({"url": None}, f"its URL is empty, not {API}"),
        ({"content_type": "form"}, "its content type is form, not json"),
        ({"secret": None}, "it has no secret"),
        ({"insecure_ssl": "1"}, "it doesn't verify certificates"),
        ({"insecure_ssl": 1}, "it doesn't verify certificates"),
    ],
)
def test_what_is_otherwise_is_a_fault(change: dict[str, object], words: str) -> None:
    assert [words] == configuration_faults(CONFIG | change, stack_of())


@pytest.mark.parametrize("url", ["https://hooks.example.com/webhook", API])
def test_with_a_domain_for_webhooks_either_address_is_the_stacks(url: str) -> None:
    stack = stack_of()
    stack.outputs["HttpApiUrl"] = "https://hooks.example.com"  # type: ignore[index]  # a dict, which a test may change
    assert configuration_faults(CONFIG | {"url": url}, stack) == []


def test_certificates_play_no_part_where_there_are_none() -> None:
    stack = stack_of()
    stack.outputs["HttpApiUrl"] = "http://127.0.0.1:4566/api"  # type: ignore[index]  # as above
    config = CONFIG | {"url": "http://127.0.0.1:4566/api/webhook", "insecure_ssl": "1"}
    assert configuration_faults(config, stack) == []


def test_a_delivery_that_failed_is_lost() -> None:
    assert lost_ids(attempt(1, "a", 502), attempt(2, "b", 202)) == [1]


def test_a_delivery_that_arrived_at_its_second_attempt_is_not() -> None:
    assert lost_ids(attempt(1, "a", 502, hours_ago=2), attempt(2, "a", 200)) == []


def test_a_delivery_that_failed_twice_is_lost_once_by_its_latest_attempt() -> None:
    assert lost_ids(attempt(1, "a", 502, hours_ago=2), attempt(2, "a", 504)) == [2]


def test_what_was_lost_more_than_a_day_ago_is_left() -> None:
    assert lost_ids(attempt(1, "a", 502, hours_ago=25)) == []


def test_a_lost_ping_counts_until_something_has_arrived() -> None:
    ping = attempt(1, "a", 504, hours_ago=2, event="ping")
    assert lost_ids(ping) == [1]
    assert lost_ids(ping, attempt(2, "b", 202, hours_ago=3)) == [1]
    assert lost_ids(ping, attempt(2, "b", 202)) == []
    assert lost_ids(attempt(1, "a", 504, hours_ago=2), attempt(2, "b", 202)) == [1]
