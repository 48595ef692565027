"""Credentials, roles and queued deliveries, without a server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from local_github import deliveries, tracker
from local_github.actors import Installation, Person, identify
from local_github.deliveries import delivering
from local_github.errors import NotFoundError, UnauthenticatedError
from local_github.events import HOOK_ID
from local_github.permissions import role
from local_github.site import Acting, Site, digest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "github", "http://localhost:4580", "acme")
    yield made
    made.storage.close()


def test_an_installation_token_ends_with_its_hour(site: Site) -> None:
    hour_ago, soon = (datetime.now(UTC) + timedelta(seconds=seconds) for seconds in (-1, 60))
    for token, expires_at in (("ghs_old", hour_ago), ("ghs_new", soon)):
        site.storage.insert(
            "tokens",
            digest=digest(token),
            login="acme",
            installation_id=1,
            repositories="null",
            permissions=json.dumps({"contents": "read"}),
            expires_at=expires_at.isoformat(),
        )
    assert isinstance(identify(site, "Bearer ghs_new"), Installation)
    with pytest.raises(UnauthenticatedError):
        identify(site, "Bearer ghs_old")


def test_no_token_is_stored_as_it_is(site: Site) -> None:
    assert site.credentials.token.encode() not in (site.data_dir / "github.sqlite3").read_bytes()
    assert Person("octo-dev") == identify(site, f"token {site.credentials.token}")


def test_the_person_may_be_the_owner_of_all(tmp_path: Path) -> None:
    alone = Site(tmp_path / "github", "http://localhost:4580", "octo-dev")
    repo = alone.create_repository("octo-dev", "app", description=None, private=True)
    assert role(alone, repo, "octo-dev") == "admin"
    installation = alone.installation("octo-dev")
    assert installation
    assert alone.credentials.installation_id == installation["id"]
    assert alone.accounts == ["octo-dev"]
    alone.storage.close()


@pytest.mark.parametrize(
    ("login", "private", "expected"),
    [
        ("acme", True, "admin"),
        ("Octo-Dev", True, "admin"),
        ("zoe", False, "triage"),
        ("zoe", True, "triage"),
        ("eve", False, "read"),
        ("eve", True, "none"),
    ],
)
def test_a_role_is_what_was_given(site: Site, login: str, private: bool, expected: str) -> None:  # noqa: FBT001 - a table of cases
    repo = site.create_repository("acme", "app", description=None, private=private)
    site.storage.insert("collaborators", repository_id=repo.id, login="zoe", permission="triage")
    assert expected == role(site, repo, login)


def test_a_failed_change_leaves_nothing_behind(site: Site) -> None:
    site.storage.update("hook", HOOK_ID, url="http://127.0.0.1:9/")
    repo = site.create_repository("acme", "app", description=None, private=False)
    acting = Acting(site, repo, "octo-dev")

    def open_and_fail() -> None:
        with site.storage.transaction():
            row = tracker.open_issue(acting, title="t", body=None, labels=["x"])
            tracker.remove_label(acting, row, "no such label")

    with pytest.raises(NotFoundError):
        open_and_fail()
    assert site.storage.all("SELECT * FROM issues") == []
    assert site.storage.all("SELECT * FROM deliveries") == []


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _deliver_left_over(site: Site, answer: Answer) -> tuple[int, str]:
    """Let a delivery wait, start delivering to a receiver that answers so, and return how the attempt ended."""
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as receiver:
        port = receiver.sockets[0].getsockname()[1]
        site.storage.update("hook", HOOK_ID, url=f"http://127.0.0.1:{port}/")
        site.storage.insert("deliveries", guid="g", event="ping", redelivery=False, payload="{}")
        async with asyncio.timeout(10), delivering(site):
            while not (rows := site.storage.all("SELECT * FROM deliveries WHERE delivered_at IS NOT NULL")):  # noqa: ASYNC110 - recorded by a thread that sets no event
                await asyncio.sleep(0.01)
    return rows[0]["status_code"], rows[0]["status"]


async def test_a_delivery_left_over_from_the_last_run_is_sent(site: Site) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    assert await _deliver_left_over(site, answer) == (204, "OK")


async def test_a_receiver_that_never_ends_its_answer_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "TIMEOUT_SECONDS", 0.2)

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"X-Slow: 1\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)

    assert await _deliver_left_over(site, answer) == (504, "timed out")
