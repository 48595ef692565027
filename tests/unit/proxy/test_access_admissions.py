"""Which cookies HAProxy remembers, and for how many there is room."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from cloud_agent_proxy.access.admissions import Admissions
from cloud_agent_proxy.runtime_api import RuntimeApi, RuntimeApiError

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = "09e22a8b", "a1b2c3d4"
KEY = r"([\w-]{1,8}@[0-9a-f]{8})"


class Haproxy(RuntimeApi):
    """A map as HAProxy keeps it, duplicates included."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, int, str]] = []
        self.lines: list[str] = []
        self.refuses = False

    async def _ask(self, command: str) -> str:
        if self.refuses:
            raise RuntimeApiError(command)
        self.lines.append(command)
        for order in command.split("; "):
            if added := re.fullmatch(
                r"add map admissions\.map ([\w-]{1,8}@[0-9a-f]{8}) (\d{10}):([\w.-]+)", order, re.ASCII
            ):
                self.entries.append((added[1], int(added[2]), added[3]))
            elif removed := re.fullmatch(rf"del map admissions\.map {KEY}", order, re.ASCII):
                self.entries = [entry for entry in self.entries if entry[0] != removed[1]]
            else:
                raise AssertionError(order)
        return ""

    def holds(self, session_id: str, token: str) -> bool:
        key = f"{token.rpartition('.')[2][:8]}@{session_id}"
        return (key, token) in {(entry[0], entry[2]) for entry in self.entries}


@pytest.fixture
def haproxy() -> Haproxy:
    return Haproxy()


async def test_a_cookie_is_remembered_once_with_its_end(haproxy: Haproxy) -> None:
    admissions = Admissions(haproxy)
    for _ in range(2):
        await admissions.remember(FIRST, "token", 1_800_000_000)
    assert haproxy.holds(FIRST, "token")
    assert [expires_at for _, expires_at, _ in haproxy.entries] == [1_800_000_000]


@pytest.mark.parametrize("token", ["", "to ken", "token;show map", "token\nshow map", "tok\\en", "to:ken", "tokén"])
async def test_what_no_token_is_written_in_never_gets_to_haproxys_socket(haproxy: Haproxy, token: str) -> None:
    await Admissions(haproxy).remember(FIRST, token, 1)
    assert haproxy.lines == []


async def test_of_two_cookies_with_one_key_the_first_is_remembered(haproxy: Haproxy) -> None:
    admissions = Admissions(haproxy)
    for token in ("one.signature", "another.signature"):
        await admissions.remember(FIRST, token, 1)
    assert haproxy.holds(FIRST, "one.signature")
    assert len(haproxy.entries) == 1


async def test_the_oldest_of_all_makes_room(haproxy: Haproxy) -> None:
    admissions = Admissions(haproxy, most=3)
    for number in range(5):
        await admissions.remember(f"{number:08x}", "token", 1)
    assert [haproxy.holds(f"{number:08x}", "token") for number in range(5)] == [False, False, True, True, True]
    await admissions.remember("00000000", "token", 1)
    assert haproxy.holds("00000000", "token")


async def test_one_session_cannot_push_out_the_others(haproxy: Haproxy) -> None:
    admissions = Admissions(haproxy, most=10, most_of_one_session=2)
    await admissions.remember(FIRST, "token", 1)
    for number in range(20):
        await admissions.remember(SECOND, f"{number}-token", 1)
    assert haproxy.holds(FIRST, "token")
    assert [haproxy.holds(SECOND, f"{number}-token") for number in (17, 18, 19)] == [False, True, True]


async def test_a_session_that_ends_takes_its_cookies_with_it_in_lines_that_fit_haproxys_buffer(
    haproxy: Haproxy,
) -> None:
    admissions = Admissions(haproxy)
    await admissions.remember(FIRST, "token", 1)
    for number in range(250):
        await admissions.remember(SECOND, f"{number}-token", 1)
    await admissions.forget_session(SECOND)
    assert len(haproxy.entries) == 1
    assert haproxy.holds(FIRST, "token")
    assert max(map(len, haproxy.lines)) < 16_000
    await admissions.remember(SECOND, "0-token", 1)
    assert haproxy.holds(SECOND, "0-token")


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
    assert haproxy.entries == []
    assert [record.message for record in caplog.records] == ["admissions not changed"] * 2
    assert not re.search(r"\btoken\b", caplog.text)


@pytest.mark.parametrize("answer", [None, "refused"])
async def test_no_error_names_the_cookie(answer: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(f"{answer}\n".encode())
        writer.close()

    monkeypatch.chdir(tmp_path)
    server = await asyncio.start_unix_server(answer_all, "haproxy.sock") if answer else None
    try:
        with pytest.raises(RuntimeApiError, match=f"add map admissions.map key@{FIRST}: ") as caught:
            await RuntimeApi().add_admission(f"key@{FIRST}", "secret", 1)
    finally:
        if server:
            server.close()
    assert "secret" not in str(caught.value)
