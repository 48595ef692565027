"""The account is brought back to what it was, and what is alive lives on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.testing import EmbeddedAws


@pytest.fixture(scope="module")
def own_aws(start_aws: Callable[..., EmbeddedAws]) -> EmbeddedAws:
    """One that nobody else has: the whole account is brought back."""
    return start_aws()


def test_without_a_snapshot_there_is_nothing_to_bring_back(own_aws: EmbeddedAws) -> None:
    assert httpx.put(f"{own_aws.url}/_local/snapshot").status_code == 409


def test_what_was_added_changed_and_deleted_since_is_undone(own_aws: EmbeddedAws) -> None:
    secrets, sns = own_aws.client("secretsmanager"), own_aws.client("sns")
    secret = secrets.create_secret(Name="changed", SecretString="before")["ARN"]
    kept = sns.create_topic(Name="deleted")["TopicArn"]
    for _ in range(2):
        httpx.post(f"{own_aws.url}/_local/snapshot").raise_for_status()
        secrets.put_secret_value(SecretId=secret, SecretString="after")
        sns.delete_topic(TopicArn=kept)
        sns.create_topic(Name="added")
        httpx.put(f"{own_aws.url}/_local/snapshot").raise_for_status()
        assert secrets.get_secret_value(SecretId=secret)["SecretString"] == "before"
        assert [{"TopicArn": kept}] == sns.list_topics()["Topics"]


def test_tasks_and_executions_live_on(own_aws: EmbeddedAws) -> None:
    task = own_aws.run_task("time.sleep(60)")
    own_aws.task_when(task, "RUNNING")
    execution = own_aws.begin({"Wait": {"Type": "Wait", "Seconds": 1, "End": True}})
    httpx.post(f"{own_aws.url}/_local/snapshot").raise_for_status()
    assert own_aws.ended(execution)["status"] == "SUCCEEDED"
    httpx.put(f"{own_aws.url}/_local/snapshot").raise_for_status()
    assert own_aws.ended(execution)["status"] == "SUCCEEDED"
    assert own_aws.task(task)["lastStatus"] == "RUNNING"
