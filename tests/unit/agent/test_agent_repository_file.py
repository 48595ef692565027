from __future__ import annotations

import os
import socket
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from cloud_agent_runner.repository.file import (
    has_repository_file,
    read_repository_file,
    read_repository_object,
    read_repository_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMIT = 1_000


@pytest.fixture
def work_tree(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("of somebody else")
    return folder


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (lambda path: path.mkdir(), "it isn't a regular file"),
    "a FIFO that nobody writes to": (os.mkfifo, "it isn't a regular file"),
    "a socket": (_socket, "No such device or address"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "leads outside the repository"),
    "a link to a terminal": (lambda path: path.symlink_to("/dev/tty"), "leads outside the repository"),
    "a link to an open file": (lambda path: path.symlink_to("/proc/self/fd/0"), "leads outside the repository"),
    "a link out of the repository": (lambda path: path.symlink_to("../outside/file"), "leads outside the repository"),
    "a link to itself": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
}


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_of_the_repository_is_refused_at_once(work_tree: Path, kind: str) -> None:
    make, reason = NO_FILES[kind]
    make(work_tree / "it")

    with pytest.raises(OSError, match=r"it|No such|Too many") as error:
        read_repository_file(work_tree, "it", LIMIT)

    assert reason in str(error.value.strerror)
    assert not isinstance(error.value, FileNotFoundError)
    assert not has_repository_file(work_tree, "it")


@pytest.mark.parametrize("name", ["missing", "file/below", "to/nowhere", "a\0", "a\ud800"])
def test_what_is_not_there_is_told_apart_from_what_cannot_be_read(work_tree: Path, name: str) -> None:
    (work_tree / "file").write_text("x")
    (work_tree / "to").symlink_to("missing-too")

    with pytest.raises(FileNotFoundError):
        read_repository_file(work_tree, name, LIMIT)
    assert not has_repository_file(work_tree, name)


@pytest.mark.parametrize("content", [b"a\0b", b"\xff"])
def test_what_is_no_text_is_not_read(work_tree: Path, content: bytes) -> None:
    (work_tree / "file").write_bytes(content)

    assert not read_repository_text(work_tree, "file")


def test_a_folder_that_leads_out_of_the_repository_holds_no_file_of_it(work_tree: Path) -> None:
    (work_tree / "folder").symlink_to("../outside")

    with pytest.raises(PermissionError, match="leads outside the repository"):
        read_repository_file(work_tree, "folder/file", LIMIT)
    assert not has_repository_file(work_tree, "folder/file")


def test_a_link_within_the_repository_is_followed_also_where_a_link_leads_to_the_repository(work_tree: Path) -> None:
    (work_tree / "file").write_bytes(b"x" * LIMIT)
    (work_tree / "link").symlink_to("file")
    checkout = work_tree.parent / "checkout"
    checkout.symlink_to(work_tree)

    assert read_repository_file(checkout, "link", LIMIT) == b"x" * LIMIT
    assert has_repository_file(checkout, "link")


def test_a_large_file_takes_no_memory(work_tree: Path) -> None:
    with (work_tree / "large").open("wb") as file:
        file.truncate(150 * 1024 * 1024)

    tracemalloc.start()
    try:
        with pytest.raises(OSError, match="it's larger than 1000 bytes"):
            read_repository_file(work_tree, "large", LIMIT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 100 * LIMIT


def test_a_text_of_more_than_256_kib_and_an_object_of_more_than_1_mib_count_as_absent(work_tree: Path) -> None:
    for more in (0, 1):
        (work_tree / "text").write_text("x" * (256 * 1024 + more))
        (work_tree / "object").write_text('{"a": 1}' + " " * (1024 * 1024 - 8 + more))
        assert bool(read_repository_text(work_tree, "text")) is not bool(more)
        assert bool(read_repository_object(work_tree, "object")) is not bool(more)


def test_no_descriptor_stays_open(work_tree: Path) -> None:
    (work_tree / "folder").mkdir()
    (work_tree / "file").write_bytes(b"x" * LIMIT)
    before = os.open(work_tree / "file", os.O_RDONLY)
    os.close(before)

    for name in ("file", "folder", "missing"):
        try:
            read_repository_file(work_tree, name, LIMIT)
        except OSError:
            continue

    after = os.open(work_tree / "file", os.O_RDONLY)
    os.close(after)
    assert before == after
