"""Pictures after a turn: of which pages, beside what, when, and that a session never depends on one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.virtual_time import run

from cloud_agent_runner.agent_api_connection import AgentApiUnavailableError
from cloud_agent_runner.agent_api_messages import PreviewReport
from cloud_agent_runner.pictures import pictures as room
from cloud_agent_runner.pictures.camera import Picture, TooLittleMemoryError
from cloud_agent_runner.pictures.pictures import Pictures

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

Shown = tuple[str, int, str | None, str]


class Camera:
    """Sees pages as they look at the moment."""

    def __init__(self) -> None:
        self.looks: dict[str, bytes] = {"/": b"front"}
        self.seconds = 1.0
        self.spare_bytes: int | None = None
        self.asked: list[list[str]] = []

    async def take(self, pages: Sequence[str], _: int | None = None) -> AsyncGenerator[Picture]:
        self.asked.append(list(pages))
        if self.spare_bytes is not None:
            raise TooLittleMemoryError(self.spare_bytes)
        for page in pages:
            await asyncio.sleep(self.seconds)
            if page in self.looks:
                yield Picture(page, 1280, self.looks[page])


class Preview:
    """Is live, and shows each turn at once, unless a test says otherwise."""

    def __init__(self) -> None:
        self.report = PreviewReport("live")
        self.has_changed = True
        self.seconds = 0.0

    async def turn_shown(self) -> bool:
        await asyncio.sleep(self.seconds)
        return self.has_changed


class Session:
    """Pictures of a session, and what comes of them."""

    def __init__(self, tasks: asyncio.TaskGroup, *, has_browser: bool = True) -> None:
        self.camera, self.preview = Camera(), Preview()
        self.kept: list[bytes] = []
        self.is_full = False
        self.fault: Exception | None = None
        self.shown: list[Shown] = []
        self.notices: list[str] = []
        stand_ins: tuple[Any, Any, Any, Any] = (self.camera if has_browser else None, self.preview, self, self)
        self.is_untouched = True
        self.pictures = Pictures(*stand_ins, tasks, is_untouched=self._untouched)

    async def _untouched(self) -> bool:
        return self.is_untouched

    async def keep_picture(self, png: bytes) -> str | None:
        if self.fault:
            raise self.fault
        if self.is_full:
            return None
        self.kept.append(png)
        return _name(png)

    def record(self, kind: str, **members: Any) -> None:  # noqa: ANN401 - what an event has
        if kind == "notice":
            self.notices.append(members["text"])
        else:
            assert kind == "picture"
            self.shown.append((members["page"], members["width"], members["before"], members["after"]))


def _name(png: bytes) -> str:
    return Picture("", 0, png).sha256


def with_session(use: Callable[[Session], Awaitable[None]], **members: Any) -> None:  # noqa: ANN401 - a session's
    """Run `use` with a session's pictures, in virtual time."""

    async def go() -> None:
        async with asyncio.TaskGroup() as tasks:
            await use(Session(tasks, **members))
            for task in tasks._tasks:  # noqa: SLF001 - as a session's end does
                task.cancel()

    run(go())


def test_the_front_page_is_shown_beside_how_it_looked_before_claudes_first_change() -> None:
    async def use(session: Session) -> None:
        await asyncio.sleep(2)
        session.is_untouched = False
        session.camera.looks["/"] = b"new"
        assert await session.pictures.after_turn([]) == 1
        assert session.shown == [("/", 1280, _name(b"front"), _name(b"new"))]
        assert session.kept == [b"front", b"new"]

    with_session(use)


def test_that_a_browser_takes_too_much_memory_is_said_once() -> None:
    async def use(session: Session) -> None:
        session.camera.spare_bytes = 400 << 20
        assert [await session.pictures.after_turn([]) for _ in range(2)] == [0, 0]
        session.camera.spare_bytes = None
        assert await session.pictures.after_turn([]) == 1
        (notice,) = session.notices
        assert notice.startswith(
            "No pictures were taken: a browser takes 500 MB of memory, and the container has 400 MB"
        )

    with_session(use)


def test_what_claude_may_have_changed_already_is_not_before() -> None:
    async def use(session: Session) -> None:
        session.preview.report = PreviewReport("starting")
        await asyncio.sleep(5)
        session.is_untouched = False
        session.preview.report = PreviewReport("live")
        await asyncio.sleep(5)
        assert session.camera.asked == []
        await session.pictures.after_turn([])
        assert session.shown == [("/", 1280, None, _name(b"front"))]

    with_session(use)


def test_a_picture_that_was_being_taken_as_claude_began_is_not_before() -> None:
    async def use(session: Session) -> None:
        await asyncio.sleep(0.5)
        session.is_untouched = False
        await asyncio.sleep(2)
        assert session.camera.asked == [["/"]]
        await session.pictures.after_turn([])
        assert session.shown == [("/", 1280, None, _name(b"front"))]

    with_session(use)


def test_a_page_is_shown_beside_its_last_picture_and_not_at_all_where_it_looks_the_same() -> None:
    async def use(session: Session) -> None:
        session.camera.looks["/menu"] = b"1"
        assert await session.pictures.after_turn(["/menu"]) == 1
        assert await session.pictures.after_turn(["/menu"]) == 0
        session.camera.looks["/menu"] = b"2"
        assert await session.pictures.after_turn(["/menu"]) == 1
        one, two = _name(b"1"), _name(b"2")
        assert session.shown == [("/menu", 1280, None, one), ("/menu", 1280, one, two)]
        assert session.kept == [b"1", b"2"]

    with_session(use)


def test_nothing_is_taken_of_a_turn_that_changed_nothing_that_pages_are_made_of() -> None:
    async def use(session: Session) -> None:
        session.is_untouched = False
        session.preview.has_changed = False
        assert await session.pictures.after_turn(["/"]) == 0
        assert session.camera.asked == []

    with_session(use)


def test_without_a_browser_nothing_happens() -> None:
    async def use(session: Session) -> None:
        assert await session.pictures.after_turn(["/"]) == 0
        assert session.camera.asked == []

    with_session(use, has_browser=False)


def test_a_result_waits_no_longer_than_six_seconds_and_what_is_left_follows() -> None:
    async def use(session: Session) -> None:
        session.camera.looks |= {"/a": b"a", "/b": b"b"}
        session.camera.seconds = 4
        began = asyncio.get_running_loop().time()
        assert await session.pictures.after_turn(["/a", "/b"]) == 1
        assert asyncio.get_running_loop().time() - began == 6
        await asyncio.sleep(10)
        assert [page for page, *_ in session.shown] == ["/a", "/b"]

    with_session(use)


def test_a_result_does_not_wait_for_a_preview_that_is_not_there() -> None:
    async def use(session: Session) -> None:
        session.preview.report, session.preview.seconds = PreviewReport("starting"), 60
        began = asyncio.get_running_loop().time()
        assert await session.pictures.after_turn(["/"]) == 0
        assert asyncio.get_running_loop().time() == began
        await asyncio.sleep(90)
        assert len(session.shown) == 1

    with_session(use)


def test_the_next_turn_leaves_no_picture_of_the_last_one_to_be_taken() -> None:
    async def use(session: Session) -> None:
        session.preview.seconds = 60
        await session.pictures.after_turn(["/"])
        session.pictures.turn_begins()
        await asyncio.sleep(90)
        assert session.shown == []

    with_session(use)


def test_pictures_that_nobody_keeps_are_not_reported() -> None:
    async def use(session: Session) -> None:
        session.is_full = True
        assert await session.pictures.after_turn(["/"]) == 0
        assert session.shown == []

    with_session(use)


@pytest.mark.parametrize("fault", [AgentApiUnavailableError("No answer."), RuntimeError("a fault of ours")])
def test_a_fault_costs_pictures_and_nothing_else(fault: Exception) -> None:
    async def use(session: Session) -> None:
        session.is_untouched, session.fault = False, fault
        assert await session.pictures.after_turn(["/"]) == 0
        session.fault = None
        assert await session.pictures.after_turn(["/"]) == 1
        assert session.shown[0][2] is None  # what wasn't kept is nothing to look at

    with_session(use)


def test_so_many_pages_are_remembered_and_the_last_ones_at_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_PAGES_REMEMBERED", 2)

    async def use(session: Session) -> None:
        session.camera.seconds = 0
        session.is_untouched = False
        for look in (b"1", b"2"):
            session.camera.looks = {page: look + page.encode() for page in ("/a", "/b", "/c")}
            await session.pictures.after_turn(["/a", "/b", "/c"] if look == b"1" else ["/c", "/b", "/a"])
        assert [(page, before is None) for page, _, before, _ in session.shown[3:]] == [
            ("/c", False),
            ("/b", False),
            ("/a", True),
        ]

    with_session(use)
