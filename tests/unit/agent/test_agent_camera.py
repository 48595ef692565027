"""What is made of the output of the program that takes pictures: it opened pages that may do anything to it."""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64encode
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from tests.kit.cgroups import MIB, cgroup_v2, machine
from tests.kit.pictures import png

from cloud_agent_runner.browser.installed import Browser
from cloud_agent_runner.pictures import camera
from cloud_agent_runner.pictures.camera import LIMIT_BYTES, WIDTHS, Camera, Picture, TooLittleMemoryError
from cloud_agent_runner.workspace.container_memory import ContainerMemory
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from pathlib import Path

DESKTOP, PHONE = WIDTHS
GOOD = png(DESKTOP, 800)


def _line(page: object = "/", width: object = DESKTOP, content: bytes | str = GOOD) -> str:
    encoded = b64encode(content).decode() if isinstance(content, bytes) else content
    return json.dumps({"page": page, "width": width, "png": encoded})


async def _taken(
    folder: Path,
    *lines: str,
    then: str = "",
    pages: tuple[str, ...] = ("/",),
    memory: ContainerMemory | None = None,
) -> list[Picture]:
    """Return what is made of these lines, written by a program in the place of Node.js."""
    (folder / "lines").write_text("".join(f"{line}\n" for line in lines))
    node = folder / "node"
    node.write_text(
        f"#!{sys.executable}\nimport sys, time\nsys.stdout.write(open({str(folder / 'lines')!r}).read())\n{then}\n"
    )
    node.chmod(0o755)
    browser = Browser(folder / "chromium", node, folder, "http://localhost:3000", None, {})
    return [picture async for picture in Camera(browser, WorkspaceUser(folder, None), memory).take(pages)]


async def test_each_page_is_taken_at_both_widths(tmp_path: Path) -> None:
    lines = [_line("/a"), _line("/a", PHONE, png(PHONE, 2_400)), _line("/b")]
    taken = await _taken(tmp_path, *lines, pages=("/a", "/b"))
    assert [(one.page, one.width) for one in taken] == [("/a", DESKTOP), ("/a", PHONE), ("/b", DESKTOP)]
    assert taken[0].png == GOOD


async def test_a_picture_of_just_the_limit_is_one(tmp_path: Path) -> None:
    assert await _taken(tmp_path, _line(content=png(DESKTOP, 2_400, size=LIMIT_BYTES)))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        "[" * 100_000,
        _line("/other"),
        _line(width=PHONE),
        _line(width="wide"),
        _line(width=None),
        _line(width=7, content=png(7, 7)),
        _line(content="not base64"),
        _line(content=b""),
        _line(content=b"<svg>" + bytes(40)),
        _line(content=b"RIFF" + bytes(4) + GOOD[8:]),
        _line(content=png(PHONE, 800)),
        _line(content=png(DESKTOP, 2_401)),
        _line(content=png(DESKTOP, 0)),
        _line(content=png(DESKTOP, 800, size=LIMIT_BYTES + 1)),
        _line(content=png(DESKTOP, 800, size=3 * LIMIT_BYTES)),
    ],
    ids=range(19),
)
async def test_what_is_no_picture_that_was_asked_for_ends_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    with caplog.at_level("INFO"):
        assert await _taken(tmp_path, line, _line()) == []
    logged = [record.message for record in caplog.records if record.name.startswith("cloud_agent_runner")]
    assert logged == ["pictures not taken"]


async def test_a_picture_comes_once(tmp_path: Path) -> None:
    assert len(await _taken(tmp_path, _line(), _line())) == 1


@pytest.mark.parametrize(("left", "words"), [(710, None), (600, "has 395 MB to spare"), (100, "has 0 MB to spare")])
async def test_a_browser_is_not_started_where_the_preview_would_be_ended_for_it(
    tmp_path: Path, left: int, words: str | None
) -> None:
    cgroup = cgroup_v2(tmp_path / "cgroup", limit=4096 * MIB, used=(4096 - left) * MIB)
    memory = ContainerMemory(None, cgroup=cgroup, proc=machine(tmp_path / "proc"))
    with pytest.raises(TooLittleMemoryError, match=words) if words else nullcontext():
        assert await _taken(tmp_path, _line(), memory=memory)


async def test_what_never_ends_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(camera, "_SECONDS", 0.5)
    async with asyncio.timeout(60):
        await _taken(tmp_path, then="time.sleep(600)")
    assert [record.__dict__["reason"] for record in caplog.records] == ["TimeoutError"]


async def test_why_a_page_has_none_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert await _taken(tmp_path, then="sys.exit('/: it failed')") == []
    (record,) = caplog.records
    assert (record.message, record.__dict__["reason"]) == ("pages not pictured", "/: it failed")
