"""The index of sessions: who sees what of it, what GitHub and the table are asked for it, and how it's grouped."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request

from cloud_agent_proxy.access_mode import access_mode
from cloud_agent_proxy.index.overviews import MOST_SESSIONS, Overview, Overviews
from cloud_agent_proxy.index.paths import IndexPaths
from cloud_agent_proxy.index.renderer import IndexRenderer
from cloud_agent_proxy.index.view import view_of
from cloud_agent_proxy.index.visitors import MOST_QUESTIONS, Everybody, GitHubVisitors, Seen, visitors_at
from cloud_agent_proxy.page_renderer import PageRenderer
from cloud_agent_proxy.proxy import ASSETS
from cloud_agent_proxy.session import Session, SessionStatus
from cloud_agent_proxy.sessions_table import Occupancy, TableUnavailableError
from cloud_agent_proxy.settings import Settings
from cloud_agent_proxy.sign_in.github import UserTokenRefusedError
from cloud_agent_proxy.sign_in.results import Redirect
from cloud_agent_proxy.writing.writers import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HOUR = 3_600


def a_session(session_id: str, status: str = "RUNNING", repo: str = "acme/shop", minute: int = 0) -> Session:
    created_at = f"2026-11-22T08:{minute:02d}:00.000Z"
    return Session(id=session_id, status=SessionStatus(status), repo=repo, created_at=created_at)


class Table:
    """A table in memory that counts what it's asked for."""

    def __init__(self, *sessions: Session, occupancy: Occupancy | None = None) -> None:
        self.sessions = {session.id: session for session in sessions}
        self.slots = occupancy or Occupancy()
        self.asked = 0

    async def newest(self, most: int) -> list[str]:
        assert most == MOST_SESSIONS
        self.asked += 1
        await asyncio.sleep(0)
        return list(self.sessions)[:2]

    async def occupancy(self) -> Occupancy:
        return self.slots

    async def get_many(self, session_ids: Sequence[str]) -> dict[str, Session | None]:
        return {session_id: self.sessions.get(session_id) for session_id in session_ids}


class GitHub:
    """Lets everybody read what isn't secret, and counts what it's asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self.refuses = False

    async def login(self, token: str) -> str:
        if self.refuses:
            raise UserTokenRefusedError(token)
        return f"the owner of {token}"

    async def may_read(self, token: str, repository: str) -> bool:
        self.asked.append(f"{token} {repository}")
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return "secret" not in repository


class Writers:
    """Knows the one who shows a cookie."""

    def writer(self, cookies: dict[str, str]) -> Writer | None:
        return Writer(cookies["token"], "sealed") if "token" in cookies else None


class SignIn:
    """Sends to GitHub."""

    def begin_here(self, origin: str, cookies: dict[str, str], *, choose_account: bool) -> Redirect:
        del cookies
        return Redirect(f"{origin}/github?{choose_account}")


class Clock:
    def __init__(self) -> None:
        self.now = 10_000.0

    def __call__(self) -> float:
        return self.now


def asking(token: str = "", query: str = "") -> Request:
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "sign-in.uat.example.com"}
    headers |= {"cookie": f"token={token}"} if token else {}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "headers": raw, "query_string": query.encode(), "path": "/"})


def visitors_of(github: GitHub, clock: Clock | None = None) -> GitHubVisitors:
    sign_in: Any = SignIn()
    asked: Any = github
    writers: Any = Writers()
    return GitHubVisitors(sign_in, asked, writers, clock or Clock())


async def test_github_is_asked_once_an_hour_about_each_repository_and_for_each_visitor() -> None:
    github, clock = GitHub(), Clock()
    visitors, repositories = visitors_of(github, clock), ["acme/shop", "acme/secret"]

    for token in ("a", "a", "b"):
        assert await visitors.seen(asking(token), repositories) == Seen(
            frozenset({"acme/shop"}), f"the owner of {token}", 0
        )
    assert github.asked == [f"{token} {one}" for token in "ab" for one in repositories]
    for seconds, asked in ((59, 4), (1, 5), (HOUR - 61, 6), (1, 7)):  # a no is asked about again after a minute
        clock.now += seconds
        await visitors.seen(asking("a"), repositories)
        assert len(github.asked) == asked


async def test_one_page_asks_a_bounded_number_of_questions_and_the_next_one_the_rest() -> None:
    github = GitHub()
    visitors, repositories = visitors_of(github), [f"acme/r{number}" for number in range(MOST_QUESTIONS + 3)]

    first, second = [await visitors.seen(asking("a"), repositories) for _ in range(2)]

    assert (len(first.repositories), first.unchecked) == (MOST_QUESTIONS, 3)
    assert first.repositories == frozenset(repositories[:MOST_QUESTIONS])
    assert (len(second.repositories), second.unchecked) == (MOST_QUESTIONS + 3, 0)
    assert len(github.asked) == MOST_QUESTIONS + 3
    assert github.most_at_once <= 8


async def test_those_that_a_visitor_cannot_read_keep_none_that_they_can_from_being_asked_about() -> None:
    github, clock = GitHub(), Clock()
    visitors = visitors_of(github, clock)
    secret = [f"acme/secret-{number}" for number in range(MOST_QUESTIONS + 5)]
    for _ in range(2):
        await visitors.seen(asking("a"), secret)
    clock.now += 61  # they'd all be asked about again

    seen = await visitors.seen(asking("a"), [*secret, "acme/shop"])

    assert (seen.repositories, seen.unchecked) == (frozenset({"acme/shop"}), 0)
    assert github.asked[-MOST_QUESTIONS] == "a acme/shop"


def test_who_has_no_token_or_wants_another_signs_in() -> None:
    visitors = visitors_of(GitHub())
    assert visitors.sign_in(asking("a")) is None
    for request, chooses in ((asking(), False), (asking("a", "account"), True)):
        where = visitors.sign_in(request)
        assert isinstance(where, Redirect)
        assert where.url.endswith(f"/github?{chooses}")


@pytest.mark.parametrize(("address", "has_index"), [("127.0.0.9", True), ("10.0.0.7", False)])
def test_without_a_sign_in_only_a_proxy_on_loopback_has_an_index(address: str, has_index: bool) -> None:  # noqa: FBT001 - a case
    assert (visitors_at(IPv4Address(address)) is not None) == has_index


@pytest.mark.parametrize("mode", ["link", "public"])
@pytest.mark.parametrize(("address", "whose"), [("127.0.0.9", Everybody), ("10.0.0.7", GitHubVisitors)])
async def test_with_a_sign_in_visitors_see_the_index_by_githubs_word(mode: str, address: str, whose: type) -> None:
    settings = Settings.model_validate(
        {
            "sessions_table": "t",
            "artifacts_bucket": "b",
            "uat_domain": "uat.example.test",
            "max_sessions": 20,
            "agent_cidr": "10.0.0.0/8",
            "uat_access": mode,
            "uat_access_keys": {"signing_key": "k" * 32},
            "uat_sign_in": {"client_id": "Iv23", "client_secret": "secret"},
        }
    )
    unasked: Any = None
    async with access_mode(settings, IPv4Address(address), unasked, unasked, unasked) as access:
        assert isinstance(access.visitors, whose)


async def test_the_table_is_read_once_for_all_who_ask_together_and_soon_again() -> None:
    table, clock = Table(a_session("00000001")), Clock()
    overviews = Overviews(table, clock)

    await asyncio.gather(*(overviews.current() for _ in range(20)))
    clock.now += 1.9
    await overviews.current()
    assert table.asked == 1
    clock.now += 0.2
    await overviews.current()
    assert table.asked == 2


async def test_live_sessions_are_listed_however_old_and_the_canary_and_rows_that_are_gone_are_not() -> None:
    sessions = [a_session("00000003", minute=3), a_session("00000000", repo=""), a_session("00000001", minute=1)]
    occupancy = Occupancy(running=("00000001", "0000000f"), waiting=("0000000e",))

    overview = await Overviews(Table(*sessions, occupancy=occupancy)).current()

    assert [session.id for session in overview.sessions] == ["00000003", "00000001"]
    assert (overview.running, overview.queue) == (2, ("0000000e",))


def test_sessions_are_grouped_by_state_and_repository_and_the_queue_is_in_its_order() -> None:
    sessions = (
        a_session("00000005", "QUEUED", minute=5),
        a_session("00000004", "QUEUED", "acme/docs", minute=4),
        a_session("00000003", "QUEUED", minute=3),
        a_session("00000002", "FAILED", minute=2),
        a_session("00000001", "RUNNING", "acme/secret", minute=1),
        a_session("00000000", "RUNNING", minute=0),
    )
    overview = Overview(sessions, 1, ("00000003", "00000004", "00000005"))

    view = view_of(overview, Seen(frozenset({"acme/shop", "acme/docs"})), most=20, url_of=str, now=NOW)

    assert [
        (group.heading, repository, [(row.session.id, row.place, row.lasts) for row in rows])
        for group in view.groups
        for repository, rows in group.repositories.items()
    ] == [
        ("Running", "acme/shop", [("00000000", 0, "1h 0m")]),
        ("Queued", "acme/shop", [("00000003", 1, "57m 0s"), ("00000005", 3, "55m 0s")]),
        ("Queued", "acme/docs", [("00000004", 2, "56m 0s")]),
        ("Ended", "acme/shop", [("00000002", 0, "58m 0s")]),
    ]
    assert (view.running, view.queued) == (1, 3)


def index_of(table: Table, github: GitHub) -> IndexPaths:
    class Settings:
        uat_domain, max_sessions = "uat.example.com", 20

    settings: Any = Settings()
    renderer = IndexRenderer(ASSETS / "pages/session")
    return IndexPaths(settings, visitors_of(github), Overviews(table), renderer, PageRenderer(ASSETS / "pages"))


async def test_a_token_that_github_refuses_is_asked_for_again() -> None:
    github = GitHub()
    github.refuses = True
    answer = await index_of(Table(), github).respond(asking("a"))
    assert (answer.status_code, answer.headers["location"]) == (303, "https://sign-in.uat.example.com/github?False")


async def test_a_table_that_cannot_be_read_is_said() -> None:
    class Unavailable(Table):
        async def newest(self, most: int) -> list[str]:
            raise TableUnavailableError(most)

    answer = await index_of(Unavailable(), GitHub()).respond(asking("a"))
    assert answer.status_code == 503
