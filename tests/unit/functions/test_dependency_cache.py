"""Whose installed dependencies a session gets, and who gets its own."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.kit.sessions import a_row

from cloud_agent.adapters.aws.signed_objects import URL_SECONDS, SignedObjects
from cloud_agent.agent_api.dependencies import restore_dependencies, save_dependencies
from cloud_agent.domain.session.agent_reports import ARCHIVE_LIMIT_BYTES, DependencyArchive, DependencyKey
from cloud_agent.domain.session.dependency_cache import place_to_write, places_to_read
from cloud_agent.domain.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

KEY, SHA, INITIAL = "5f" * 32, "a1" * 32, "c" * 40


def _session(**attributes: object) -> Session:
    row: dict[str, Any] = {"token_hash": "", "execution_arn": "", "initial_sha": INITIAL, **attributes}
    return Session.model_validate(a_row("6020583d", **row))


def _archive(**changes: Any) -> DependencyArchive:  # noqa: ANN401 - the members of the report
    archive: dict[str, Any] = {
        "key": KEY,
        "size_bytes": 1_000,
        "sha256": SHA,
        "head_sha": INITIAL,
        "before_claude": True,
    }
    return DependencyArchive(**archive | changes)


def _key_of(session: Session, **changes: object) -> str:
    return place_to_write(session, _archive(**changes)).object_key


def test_all_sessions_of_a_repository_share_what_a_new_branch_installs_before_claude() -> None:
    key = _key_of(_session(repository_id=5))

    assert key == f"cache/5/default/{KEY}.tar.zst"
    other_issue = _session(repository_id=5, branch="claude/43")
    assert key == places_to_read(other_issue, KEY)[0].object_key


@pytest.mark.parametrize("change", [{"before_claude": False}, {"head_sha": "d" * 40}])
def test_what_claude_or_a_branch_can_have_changed_is_for_its_own_branch_alone(change: dict[str, Any]) -> None:
    session = _session(branch="claude/42")

    key = _key_of(session, **change)

    assert key in [place.object_key for place in places_to_read(session, KEY)]
    other_issue = _session(branch="claude/43")
    assert key not in [place.object_key for place in places_to_read(other_issue, KEY)]


def test_a_branch_without_an_initial_commit_of_its_own_shares_nothing() -> None:
    assert "/branches/" in _key_of(_session(initial_sha=None))


def test_no_repository_reaches_anothers() -> None:
    mine, other = (_session(repository_id=repository_id) for repository_id in (5, 6))
    assert not {place.object_key for place in places_to_read(mine, KEY)} & {
        place.object_key for place in places_to_read(other, KEY)
    }


@pytest.mark.parametrize("key", ["", "../" * 20, f"{KEY}0", KEY.upper(), "default/" + "5" * 56])
def test_a_key_is_a_hash_and_no_path(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        DependencyKey(key=key)


def test_an_upload_is_bound_to_the_length_and_the_checksum_of_its_bytes(environment: Callable[..., None]) -> None:
    environment()

    given = save_dependencies(_session(), _archive(size_bytes=ARCHIVE_LIMIT_BYTES))

    assert given.url is not None
    query = parse_qs(urlsplit(given.url).query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]
    assert query["X-Amz-Expires"] == [str(URL_SECONDS)]
    assert given.headers == {
        "Content-Length": str(ARCHIVE_LIMIT_BYTES),
        "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(SHA)).decode(),
    }


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "eu-south-1"])
def test_each_url_is_at_the_buckets_own_regional_name(environment: Callable[..., None], region: str) -> None:
    """`AgentEgress=listed` admits that name alone, and the global one redirects, which signatures don't outlast."""
    environment(AWS_DEFAULT_REGION=region)
    objects, (place, _) = SignedObjects("artifacts"), places_to_read(_session(repository_id=5), KEY)

    for url in (objects.download_url(place.object_key), objects.upload(place.object_key, 1, SHA)[0]):
        parts = urlsplit(url)
        assert (parts.hostname, parts.path) == (f"artifacts.s3.{region}.amazonaws.com", f"/{place.object_key}")


def test_nothing_is_kept_or_looked_for_where_it_is_turned_off(environment: Callable[..., None]) -> None:
    environment(DEPENDENCY_CACHE_DAYS="0")

    assert restore_dependencies(_session(), DependencyKey(key=KEY)).urls == ()
    assert save_dependencies(_session(), _archive()).url is None


def test_no_url_is_ever_logged(environment: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    environment()

    restore_dependencies(_session(), DependencyKey(key=KEY))
    save_dependencies(_session(), _archive())

    assert [record.message for record in caplog.records] == ["dependencies to be kept"]
    assert "X-Amz-Signature" not in str([vars(record) for record in caplog.records])
