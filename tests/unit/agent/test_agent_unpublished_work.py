"""What a session couldn't push outlasts it, whatever ends it, and is kept no longer than it's needed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr
from tests.kit.shared_branch import SharedBranch, git

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.git import bundle
from cloud_agent_runner.git.publish_errors import PublishRefusedError
from cloud_agent_runner.git.update import NOTHING_NEW
from cloud_agent_runner.unpublished_work import UnpublishedWork

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_runner.git.workspace import GitWorkspace

URL = "https://s3.test/unpublished?X-Amz-Signature=secret"


@dataclass
class Bucket:
    """The Agent API and S3 behind one transport: what one session leaves is there for the next."""

    content: bytes | None = None
    is_on: bool = True
    s3_status: int = 200
    reports: list[tuple[int, str, int]] = field(default_factory=list)
    uploads: int = 0

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "s3.test":
            return self._s3(request)
        match request.url.path:
            case "/agent/restore-unpublished":
                return httpx.Response(200, json={"url": URL if self.content is not None else None})
            case "/agent/save-unpublished":
                self._announced = json.loads(request.content)
                headers = {"Content-Length": str(self._announced["size_bytes"])}
                return httpx.Response(200, json={"url": URL if self.is_on else None, "headers": headers})
        report = json.loads(request.content)
        self.reports.append((report["commits"], report["state"], report["taken_up"]))
        if report["state"] == "published":
            self.content = None
        return httpx.Response(200, json={})

    def _s3(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" or self.s3_status != httpx.codes.OK:
            return httpx.Response(self.s3_status, content=self.content)
        assert hashlib.sha256(request.content).hexdigest() == self._announced["sha256"]
        assert len(request.content) == self._announced["size_bytes"]
        self.content = request.content
        self.uploads += 1
        return httpx.Response(200)


@dataclass
class Session:
    """A session's own, beside its workspace."""

    workspace: GitWorkspace
    work: UnpublishedWork
    tree: Path


class Sessions:
    """One branch and its sessions, one after the other."""

    def __init__(self, root: Path) -> None:
        self.branch = SharedBranch(root)
        self.bucket = Bucket()
        self._root = root
        self._count = 0

    async def begin(self) -> Session:
        self._count += 1
        transport = httpx.MockTransport(self.bucket.respond)
        api = AgentApi("http://api.test", SecretStr("s"), SecretStr("t"), patience_seconds=0, transport=transport)
        work = UnpublishedWork(api, self._root, transport=transport)
        found = await work.find()
        workspace = await self.branch.clone(f"agent-{self._count}")
        self.update = await work.begin(workspace, with_found=found)
        return Session(workspace, work, workspace.work_tree)


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path)


async def refused(session: Session) -> None:
    with pytest.raises(PublishRefusedError):
        await session.workspace.publish()


async def test_what_was_refused_is_pushed_by_the_next_session_once_the_rule_is_gone(sessions: Sessions) -> None:
    rule = sessions.branch.refuse("no commits on Fridays")
    first = await sessions.begin()
    first.work.turn_began()
    mine = sessions.branch.commit(first.tree, "mine.txt", "x\n")
    await refused(first)
    assert await first.work.keep() == 1
    await first.work.aclose()
    rule.unlink()

    second = await sessions.begin()
    assert "1 commit that wasn't on GitHub" in sessions.update.for_claude
    await second.work.push_taken_up()

    assert sessions.branch.head() == mine
    assert sessions.bucket.reports == [(1, "kept", 0), (1, "kept", 0), (0, "published", 1)]
    assert (sessions.bucket.content, sessions.bucket.uploads) == (None, 1)  # the end had nothing new
    third = await sessions.begin()
    assert (sessions.update, third.work.taken_up) == (NOTHING_NEW, 0)


async def test_what_is_refused_again_is_kept_on(sessions: Sessions) -> None:
    sessions.branch.refuse("no commits on Fridays")
    first = await sessions.begin()
    sessions.branch.commit(first.tree, "mine.txt", "x\n")
    await first.work.keep()
    second = await sessions.begin()
    (second.tree / "made-by-install.txt").write_text("x\n")

    await second.work.push_taken_up()

    assert sessions.bucket.reports[-1] == (1, "kept", 1)
    assert git("status", "--porcelain", at=second.tree) == "?? made-by-install.txt"
    await second.work.aclose()
    assert "made-by-install.txt" not in git("ls-tree", "--name-only", "HEAD", at=second.tree)
    third = await sessions.begin()
    assert third.work.taken_up == 1


async def test_a_turn_that_the_end_cuts_short_leaves_its_commits_and_its_changes(sessions: Sessions) -> None:
    first = await sessions.begin()
    first.work.turn_began()
    sessions.branch.commit(first.tree, "committed.txt", "x\n")
    (first.tree / "changed.txt").write_text("x\n")
    (first.tree / ".git/index.lock").touch()  # of a `git add` that was killed
    git("init", "--quiet", "nested", at=first.tree)  # which keeps `git add` from adding anything

    closing = asyncio.create_task(first.work.aclose())
    await asyncio.sleep(0.01)
    closing.cancel()  # by the signal that the container gets a moment after the session's end
    with pytest.raises(asyncio.CancelledError):
        await closing

    assert sessions.bucket.reports == [(2, "kept", 0)]
    second = await sessions.begin()
    assert git("ls-tree", "--name-only", "HEAD", at=second.tree).split() == ["changed.txt", "committed.txt", "page.txt"]


async def test_what_claude_undid_is_not_kept_any_longer(sessions: Sessions) -> None:
    sessions.branch.refuse("no commits on Fridays")
    first = await sessions.begin()
    sessions.branch.commit(first.tree, "mine.txt", "x\n")
    await first.work.keep()
    git("reset", "--quiet", "--hard", "HEAD~1", at=first.tree)

    assert (await first.workspace.publish()).head_sha is None
    await first.work.all_published()

    assert sessions.bucket.content is None
    await first.work.aclose()
    assert sessions.bucket.reports == [(1, "kept", 0), (0, "published", 0)]


async def test_what_conflicts_is_neither_pushed_nor_lost_before_claude_has_seen_to_it(sessions: Sessions) -> None:
    first = await sessions.begin()
    sessions.branch.commit(first.tree, "page.txt", "one\n2\nthree\n")
    await first.workspace.publish()
    sessions.branch.commit(first.tree, "page.txt", "one\n2 and more\nthree\n")
    await first.work.keep()
    sessions.branch.person_removes()
    second = await sessions.begin()

    await second.work.push_taken_up()

    assert sessions.branch.show("page.txt") == "one\ntwo\nthree"
    assert sessions.bucket.reports[-1] == (1, "kept", 1)
    assert sessions.bucket.content is not None


@pytest.mark.parametrize("s3_status", [200, 503, 404])
async def test_what_cannot_be_taken_up_stays_where_it_is(sessions: Sessions, s3_status: int) -> None:
    sessions.bucket.content, sessions.bucket.s3_status = b"no bundle", s3_status

    session = await sessions.begin()
    await session.work.push_taken_up()
    await session.work.aclose()

    assert sessions.bucket.reports == [(0, "not_taken_up", 0)]
    assert sessions.bucket.content == b"no bundle"


@pytest.mark.parametrize(("obstacle", "state"), [("large", "too_large"), ("off", "not_kept"), ("s3", "not_kept")])
async def test_what_cannot_be_kept_is_said_to_be_and_costs_the_turn_nothing(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, obstacle: str, state: str
) -> None:
    if obstacle == "large":
        monkeypatch.setattr(bundle, "BUNDLE_LIMIT_BYTES", 10)
    sessions.bucket.is_on = obstacle != "off"
    sessions.bucket.s3_status = 503 if obstacle == "s3" else 200
    session = await sessions.begin()
    sessions.branch.commit(session.tree, "mine.txt", "x\n")

    assert await session.work.keep() == 1

    assert sessions.bucket.reports == [(1, state, 0)]
    assert "secret" not in caplog.text


async def test_a_session_that_pushed_everything_asks_nothing_of_anybody(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.work.turn_began()
    sessions.branch.commit(session.tree, "mine.txt", "x\n")
    await session.workspace.publish()
    await session.work.all_published()
    await session.work.aclose()

    assert (sessions.bucket.reports, sessions.bucket.uploads) == ([], 0)
