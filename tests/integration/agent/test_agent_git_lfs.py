"""Files in Git LFS have their content in a session, and what Claude makes of them gets to GitHub."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from tests.kit.lfs_branch import ATTRIBUTES, LfsBranch, needs_git_lfs
from tests.kit.shared_branch import BRANCH

from cloud_agent_runner.git import supplements
from cloud_agent_runner.git.lfs import files as files_module
from cloud_agent_runner.git.lfs import server as server_module
from cloud_agent_runner.git.lfs.lfs_object import OBJECTS, OUTGOING
from cloud_agent_runner.git.publish_errors import PublishFailedError, PublishRefusedError
from cloud_agent_runner.git.update import NOTHING_NEW
from local_github.testing import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_git_lfs
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("github")) as running:
        yield running


@pytest.fixture
def branch(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> LfsBranch:
    monkeypatch.setattr(supplements, "_HEAD_START_SECONDS", 60)
    monkeypatch.setattr(server_module, "_PAUSES_SECONDS", (0.0,))
    return LfsBranch(tmp_path, server)


def pointer(content: bytes) -> bytes:
    oid = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n".encode()


async def test_content_is_in_the_place_of_pointers(branch: LfsBranch) -> None:
    (branch.person / "a picture.png").touch(0o755)
    branch.person_pushes({"a picture.png": PICTURE, "docs/ä.png": PICTURE[1:], "fixture.txt": pointer(PICTURE)})
    branch.person_pushes({"b.png": PICTURE})
    session = await branch.clone()
    tree = session.work_tree
    assert [(tree / name).read_bytes() for name in ("a picture.png", "b.png")] == [PICTURE] * 2
    assert (tree / "docs" / "ä.png").read_bytes() == PICTURE[1:]
    assert (tree / "a picture.png").stat().st_mode & 0o777 == 0o755
    assert (tree / "fixture.txt").read_bytes() == pointer(PICTURE)  # which .gitattributes doesn't assign
    assert branch.git("status", "--porcelain", at=tree) == ""
    assert session.missing() == NOTHING_NEW
    assert not (branch.agent / "repository.git" / "lfs" / "incoming").exists()
    (tree / "b.png").unlink()
    branch.git("checkout", "--quiet", "b.png", at=tree)
    assert (tree / "b.png").read_bytes() == PICTURE


async def test_what_people_push_comes_with_its_content(branch: LfsBranch) -> None:
    branch.person_pushes({"page.png": PICTURE})
    session = await branch.clone()
    branch.person_pushes({"page.png": PICTURE + b"more", "new.png": PICTURE[2:]})
    assert "others pushed" in (await session.bring_up_to_date()).for_claude
    assert (session.work_tree / "page.png").read_bytes() == PICTURE + b"more"
    assert (session.work_tree / "new.png").read_bytes() == PICTURE[2:]
    assert (await session.publish()).head_sha is None


async def test_what_is_not_to_be_had_is_named(branch: LfsBranch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "TOTAL_BYTES", 3 * len(PICTURE))
    gone, forged, large = PICTURE[1:], PICTURE[2:], PICTURE * 2
    branch.person_pushes({"gone.png": gone, "forged.png": forged, "large.png": large, "good.png": PICTURE})
    branch.stored(hashlib.sha256(gone).hexdigest()).unlink()
    branch.stored(hashlib.sha256(forged).hexdigest()).write_bytes(PICTURE[:-2])
    session = await branch.clone()
    update = session.missing()
    assert update.for_people == (
        "(This session doesn't have the content of files in Git LFS: `forged.png`, `gone.png`, `large.png`.)"
    )
    assert "pointers: `forged.png`, `gone.png`, `large.png`." in update.for_claude
    assert session.missing() == NOTHING_NEW
    assert (session.work_tree / "forged.png").read_bytes() == pointer(forged)
    assert (session.work_tree / "good.png").read_bytes() == PICTURE
    assert branch.git("status", "--porcelain", at=session.work_tree) == ""
    (session.work_tree / "gone.png").unlink()
    branch.git("checkout", "--quiet", "gone.png", at=session.work_tree)  # as Claude might: it's no error
    assert (session.work_tree / "gone.png").read_bytes() == pointer(gone)


async def test_a_server_of_its_own_is_left_alone(branch: LfsBranch) -> None:
    branch.person_pushes({"page.png": PICTURE})
    branch.person_pushes({".lfsconfig": b"[lfs]\n\turl = https://lfs.example.com/acme\n"})
    session = await branch.clone()
    assert "`page.png`" in session.missing().for_people


async def test_a_file_that_is_whole_all_the_same_stays_so_until_it_is_changed(branch: LfsBranch) -> None:
    branch.person_pushes({'old "[1].png': b"whole since long ago\n", "b.png": PICTURE}, filtered=False)
    session = await branch.clone()
    (session.work_tree / "page.txt").write_text("x\n")
    (session.work_tree / 'old "[1].png').touch()
    assert (await session.publish()).head_sha
    assert branch.git("diff", "--name-only", "HEAD~1", "HEAD", at=session.work_tree) == "page.txt"
    (session.work_tree / "b.png").write_bytes(PICTURE[::-1])
    assert (await session.publish()).head_sha
    assert branch.git("show", f"{BRANCH}:b.png", at=branch.bare) == pointer(PICTURE[::-1]).decode().strip()


async def test_what_claude_makes_is_stored_before_it_is_pushed(branch: LfsBranch) -> None:
    branch.person_pushes({"page.png": PICTURE, "same.png": PICTURE[3:]})
    session = await branch.clone()
    tree = session.work_tree
    (tree / "page.png").write_bytes(PICTURE + b"edited")
    (tree / "same.png").rename(tree / "moved.png")
    branch.git("add", "--all", at=tree)
    branch.git("commit", "--quiet", "--message", "with Git LFS at work", at=tree)
    (tree / "new.png").write_bytes(PICTURE[1:])
    assert (await session.publish()).head_sha == branch.git("rev-parse", BRANCH, at=branch.bare)
    assert branch.git("show", f"{BRANCH}:new.png", at=branch.bare) == pointer(PICTURE[1:]).decode().strip()
    assert not (branch.agent / "repository.git" / OUTGOING).exists()

    again = tree.parent.parent / "again"
    branch.clone_as_a_person(again)
    branch.git("checkout", "--quiet", BRANCH, at=again)
    branch.git("lfs", "pull", at=again)
    contents = {path.name: path.read_bytes() for path in again.glob("*.png")}
    assert contents == {"page.png": PICTURE + b"edited", "moved.png": PICTURE[3:], "new.png": PICTURE[1:]}


async def test_a_file_that_can_be_locked_is_claudes_to_change(branch: LfsBranch) -> None:
    """GitHub's own client makes it read-only, and looks locks up before it pushes; nothing else does."""
    lockable = ATTRIBUTES.replace("-text", "-text lockable").encode()
    branch.person_pushes({".gitattributes": lockable, "page.png": PICTURE})
    assert (branch.person / "page.png").stat().st_mode & 0o222 == 0
    session = await branch.clone()
    page = session.work_tree / "page.png"
    assert page.stat().st_mode & 0o777 == 0o644
    page.write_bytes(PICTURE[1:])
    assert (await session.publish()).head_sha == branch.git("rev-parse", BRANCH, at=branch.bare)
    assert branch.git("show", f"{BRANCH}:page.png", at=branch.bare) == pointer(PICTURE[1:]).decode().strip()


async def test_a_secret_in_git_lfs_is_found(branch: LfsBranch) -> None:
    session = await branch.clone()
    before = branch.git("rev-parse", BRANCH, at=branch.bare)
    value = "shpat" + "_1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"  # in two parts, for the scanners of those who push this file
    (session.work_tree / "notes.png").write_text("first\n" * 300 + f"token = {value}\n")
    with pytest.raises(PublishRefusedError, match=r"notes\.png"):
        await session.publish()
    assert branch.git("rev-parse", BRANCH, at=branch.bare) == before
    assert not (branch.bare / "lfs").exists()


async def test_an_object_other_than_its_pointer_says_is_not_sent(branch: LfsBranch) -> None:
    session = await branch.clone()
    (session.work_tree / "new.png").write_bytes(PICTURE)
    branch.git("add", "--all", at=session.work_tree)
    oid = hashlib.sha256(PICTURE).hexdigest()
    stored = session.work_tree / OBJECTS / oid[:2] / oid[2:4] / oid
    (other := branch.agent / "other").write_bytes(PICTURE[::-1])
    stored.unlink()
    stored.symlink_to(other)
    with pytest.raises(PublishFailedError, match="isn't what its pointer says"):
        await session.publish()
    assert not (branch.bare / "lfs").exists()


async def test_github_says_why_it_stores_nothing(branch: LfsBranch, server: Server) -> None:
    session = await branch.clone()
    (session.work_tree / "new.png").write_bytes(PICTURE)
    with server.client(server.credentials["token"]) as api:
        fault = {"kind": "status", "status": 503, "path": f"/acme/{branch.name}.git/info/lfs/objects/batch", "count": 9}
        api.post("/admin/faults", json=fault).raise_for_status()
        try:
            with pytest.raises(PublishFailedError, match=r"couldn't be stored\. .*HTTP 503"):
                await session.publish()
        finally:
            api.delete("/admin/faults").raise_for_status()
    assert (await session.publish()).head_sha
