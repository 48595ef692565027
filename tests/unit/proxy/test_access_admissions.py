"""Which cookies HAProxy remembers, and for how many there is room."""

import hashlib
import re

import pytest

from cloud_agent_proxy.access.admissions import Admissions
from cloud_agent_proxy.runtime_api import RuntimeApi, RuntimeApiError

FIRST, SECOND = "09e22a8b", "a1b2c3d4"


class Haproxy(RuntimeApi):
    """A map as HAProxy keeps it, duplicates included."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, int]] = []
        self.lines: list[str] = []
        self.refuses = False

    async def _ask(self, command: str) -> str:
        if self.refuses:
            raise RuntimeApiError(command)
        self.lines.append(command)
        for order in command.split("; "):
            if added := re.fullmatch(r"add map admissions\.map ([0-9A-F]{64}) (\d+)", order):
                self.entries.append((added[1], int(added[2])))
            elif removed := re.fullmatch(r"del map admissions\.map ([0-9A-F]{64})", order):
                self.entries = [entry for entry in self.entries if entry[0] != removed[1]]
            else:
                raise AssertionError(order)
        return ""

    def holds(self, session_id: str, token: str) -> bool:
        key = hashlib.sha256(f"{token}@{session_id}".encode()).hexdigest().upper()
        return key in {entry[0] for entry in self.entries}


@pytest.fixture
def haproxy() -> Haproxy:
    return Haproxy()


async def test_a_cookie_is_remembered_once_with_its_end(haproxy: Haproxy) -> None:
    admissions = Admissions(haproxy)
    for _ in range(2):
        await admissions.remember(FIRST, "token", 1_800_000_000)
    assert haproxy.holds(FIRST, "token")
    assert [1_800_000_000] == [expires_at for _, expires_at in haproxy.entries]


async def test_the_oldest_of_all_makes_room(haproxy: Haproxy) -> None:
    admissions = Admissions(haproxy, most=3)
    for number in range(5):
        await admissions.remember(f"{number:08x}", "token", 1)
    assert [False, False, True, True, True] == [haproxy.holds(f"{number:08x}", "token") for number in range(5)]
    await admissions.remember("00000000", "token", 1)
    assert haproxy.holds("00000000", "token")


async def test_one_session_cannot_push_out_the_others(haproxy: Haproxy) -> None:
    admissions = Admissions(haproxy, most=10, most_of_one_session=2)
    await admissions.remember(FIRST, "token", 1)
    for number in range(20):
        await admissions.remember(SECOND, f"token-{number}", 1)
    assert haproxy.holds(FIRST, "token")
    assert [False, True, True] == [haproxy.holds(SECOND, f"token-{number}") for number in (17, 18, 19)]


async def test_a_session_that_ends_takes_its_cookies_with_it_in_lines_that_fit_haproxys_buffer(
    haproxy: Haproxy,
) -> None:
    admissions = Admissions(haproxy)
    await admissions.remember(FIRST, "token", 1)
    for number in range(250):
        await admissions.remember(SECOND, f"token-{number}", 1)
    await admissions.forget_session(SECOND)
    assert 1 == len(haproxy.entries)
    assert haproxy.holds(FIRST, "token")
    assert max(map(len, haproxy.lines)) < 16_000
    await admissions.remember(SECOND, "token-0", 1)
    assert haproxy.holds(SECOND, "token-0")


async def test_what_haproxy_did_not_take_is_told_it_again(haproxy: Haproxy, caplog: pytest.LogCaptureFixture) -> None:
    admissions = Admissions(haproxy)
    haproxy.refuses = True
    await admissions.remember(FIRST, "token", 1)
    haproxy.refuses = False
    await admissions.remember(FIRST, "token", 1)
    assert haproxy.holds(FIRST, "token")

    haproxy.refuses = True
    await admissions.forget_session(FIRST)
    haproxy.refuses = False
    await admissions.forget_session(FIRST)
    assert [] == haproxy.entries
    assert ["admissions not changed"] * 2 == [record.message for record in caplog.records]
    assert not re.search(r"\btoken\b", caplog.text)
