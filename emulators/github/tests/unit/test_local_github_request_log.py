"""The log of requests keeps the newest ones, and knows the API's addresses from the others."""

from __future__ import annotations

import pytest

from local_github.request_log import LIMIT, RequestLog, api_path


def test_the_log_keeps_the_newest_requests_under_the_ids_they_were_given() -> None:
    log = RequestLog()
    for number in range(1, LIMIT + 3):
        log.add(number=number)
    kept = log.since(0)
    assert (len(kept), kept[0]["id"], kept[-1]["id"]) == (LIMIT, 3, LIMIT + 2)
    assert all(entry["id"] == entry["number"] for entry in kept)
    assert [entry["id"] for entry in log.since(LIMIT + 1)] == [LIMIT + 2]


@pytest.mark.parametrize(
    ("path", "known_as"),
    [
        ("/api/v3/repos/a/b", "/repos/a/b"),
        ("/api/graphql", "/graphql"),
        ("/a/b.git/git-receive-pack", "/a/b.git/git-receive-pack"),
        ("/api/v3/admin/faults", None),
        ("/api/v3/administrators", "/administrators"),
        ("/a/b/pull/1", None),
        ("/", None),
    ],
)
def test_an_address_of_the_api_is_known_without_its_prefix(path: str, known_as: str | None) -> None:
    assert known_as == api_path(path)
