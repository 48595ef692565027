"""Commits that aren't on GitHub: whose they are, for whom they're kept, and when they go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.kit.sessions import a_row

from cloud_agent.adapters.aws.signed_objects import URL_SECONDS
from cloud_agent.adapters.table.keys import session_key
from cloud_agent.agent_api.requests import open_recent_session
from cloud_agent.agent_api.unpublished import report_unpublished, restore_unpublished, save_unpublished
from cloud_agent.domain.errors import SessionOverError
from cloud_agent.domain.session.agent_reports import BUNDLE_LIMIT_BYTES, UnpublishedBundle, UnpublishedReport
from cloud_agent.domain.session.session import Session, timestamp
from cloud_agent.domain.session.unpublished_work import WorkState, kept_until, object_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.service_resource import Bucket

ID, SHA = "6020583d", "a1" * 32
KEY = "unpublished/5/claude/42"
NOW = datetime(2026, 11, 29, 23, 59, tzinfo=UTC)


def _session(**attributes: object) -> Session:
    row: dict[str, Any] = {
        "token_hash": "",
        "execution_arn": "",
        "repository_id": 5,
        "branch": "claude/42",
        **attributes,
    }
    return Session.model_validate(a_row(ID, **row))


def test_they_are_for_the_sessions_of_one_branch_of_one_repository(
    environment: Callable[..., None], bucket: Bucket
) -> None:
    environment()
    assert restore_unpublished(_session()).url is None
    bucket.put_object(Key=KEY, Body=b"kept")
    assert object_key(_session()) == KEY
    others = [_session(repository_id=6), _session(branch="claude/43")]
    assert [restore_unpublished(other).url for other in others] == [None, None]

    url = urlsplit(restore_unpublished(_session()).url or "")

    assert (url.hostname, url.path) == ("artifacts.s3.us-east-1.amazonaws.com", f"/{KEY}")
    assert parse_qs(url.query)["X-Amz-Expires"] == [str(URL_SECONDS)]


def test_an_upload_is_bound_to_the_length_and_the_checksum_of_its_bytes(environment: Callable[..., None]) -> None:
    environment()

    given = save_unpublished(_session(), UnpublishedBundle(size_bytes=BUNDLE_LIMIT_BYTES, sha256=SHA))

    assert urlsplit(given.url or "").path == f"/{KEY}"
    query = parse_qs(urlsplit(given.url or "").query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]
    assert given.headers["Content-Length"] == str(BUNDLE_LIMIT_BYTES)


def test_nothing_is_kept_or_handed_out_where_it_is_turned_off(environment: Callable[..., None], bucket: Bucket) -> None:
    environment(UNPUBLISHED_WORK_DAYS="0")
    bucket.put_object(Key=KEY, Body=b"kept")

    assert restore_unpublished(_session()).url is None
    assert save_unpublished(_session(), UnpublishedBundle(size_bytes=1, sha256=SHA)).url is None


def test_no_url_is_ever_logged(
    environment: Callable[..., None], bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    environment()
    bucket.put_object(Key=KEY, Body=b"kept")

    restore_unpublished(_session())
    save_unpublished(_session(), UnpublishedBundle(size_bytes=1, sha256=SHA))

    messages = [record.message for record in caplog.records]
    assert messages == ["unpublished work handed out", "unpublished work to be kept"]
    assert "X-Amz-Signature" not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("state", WorkState)
def test_what_is_kept_goes_once_all_of_it_is_on_github_and_not_before(
    environment: Callable[..., None], table: Table, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, state: WorkState
) -> None:
    environment()
    monkeypatch.setattr("cloud_agent.agent_api.unpublished.kept_until", lambda days: kept_until(days, NOW))
    table.put_item(Item=a_row(ID, repository_id=5, branch="claude/42"))
    others = ["unpublished/5/claude/4", "unpublished/6/claude/42", f"{KEY}-2"]
    for key in (KEY, *others):
        bucket.put_object(Key=key, Body=b"kept")

    report_unpublished(_session(), UnpublishedReport(commits=2, state=state, taken_up=1))

    is_published, is_kept = state is WorkState.PUBLISHED, state is WorkState.KEPT
    assert {one.key for one in bucket.objects.all()} == {*others, *[KEY] * (not is_published)}
    row = table.get_item(Key=session_key(ID))["Item"]
    until = "2026-12-29" if is_kept else None
    assert (row["unpublished"], row["unpublished_work"]) == (2, {"state": state, "taken_up": 1, "kept_until": until})


@pytest.mark.parametrize(
    ("now", "last"),
    [(NOW, "2026-12-29"), (datetime(2028, 1, 30, 0, 0, tzinfo=UTC), "2028-02-29")],
    ids=["before midnight", "in a leap year"],
)
def test_the_last_day_is_one_that_s3_surely_keeps_it(now: datetime, last: str) -> None:
    """S3 rounds the time up to the next midnight in UTC ("Amazon S3: Lifecycle configuration elements")."""
    assert kept_until(30, now) == last


@pytest.mark.parametrize(("seconds", "opens"), [(1, True), (120, False), (None, False)])
def test_a_container_may_leave_its_work_right_after_its_session_ended_and_no_later(
    monkeypatch: pytest.MonkeyPatch, *, seconds: int | None, opens: bool
) -> None:
    ended_at = timestamp(datetime.now(UTC) - timedelta(seconds=seconds)) if seconds else None
    session = _session(status="STOPPED", ended_at=ended_at, end_reason="Enough.")
    monkeypatch.setattr("cloud_agent.agent_api.requests._opened", lambda _event: session)
    event: Any = None
    if opens:
        assert open_recent_session(event) is session
        return
    with pytest.raises(SessionOverError, match=r"has ended: Enough\."):
        open_recent_session(event)
