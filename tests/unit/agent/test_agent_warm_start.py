"""What a repository's earlier sessions installed: restored before `install`, and kept for later ones."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from tests.kit.ports import free_port

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.git.workspace import ClonedFiles
from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview.dependency_key import dependency_key
from cloud_agent_runner.preview.dev_server import DevServer, InstallFailedError
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.preview.plan import DevServerPlan
from cloud_agent_runner.preview.warm_start import WarmStart
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from pathlib import Path

FILES = ClonedFiles("c" * 40, {"package-lock.json": "b1", "web/package.json": "b2", "src/main.js": "b3"})
# Like a package manager: what is there already is checked, and not made again.
INSTALL = "test -e node_modules/left-pad && echo found >> log || { mkdir -p node_modules/left-pad; echo made >> log; }"


@dataclass
class Bucket:
    """The Agent API and S3 behind one transport: it takes what was announced, and has it for the next session."""

    objects: dict[str, bytes] = field(default_factory=dict)
    saved: list[dict[str, Any]] = field(default_factory=list)
    is_on: bool = True

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "s3.test":
            return self._s3(request)
        body = json.loads(request.content)
        url = f"https://s3.test/{body['key']}?X-Amz-Signature=secret"
        if request.url.path == "/agent/restore-dependencies":
            urls = [url, url.replace("?", ".branch?")]
            return httpx.Response(200, json={"urls": urls if self.is_on else []})
        self.saved.append(body)
        checksum = base64.b64encode(bytes.fromhex(body["sha256"])).decode()
        headers = {"Content-Length": str(body["size_bytes"]), "x-amz-checksum-sha256": checksum}
        return httpx.Response(200, json={"url": url, "headers": headers})

    def _s3(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            content = self.objects.get(request.url.path)
            return httpx.Response(403) if content is None else httpx.Response(200, content=content)
        digest = base64.b64encode(hashlib.sha256(request.content).digest()).decode()
        assert request.headers["x-amz-checksum-sha256"] == digest
        assert request.headers["Content-Length"] == str(len(request.content))
        self.objects[request.url.path] = request.content
        return httpx.Response(200)


class Sandbox:
    """A session's home, emptied for each session."""

    def __init__(self, folder: Path, bucket: Bucket) -> None:
        self.home = folder / "home"
        self.work_tree = self.home / "repository"
        self._bucket = bucket

    def session(self, *, is_on: bool = True, is_claudes: bool = False, files: ClonedFiles = FILES) -> WarmStart:
        subprocess.run(["rm", "-rf", str(self.home)], check=True)
        self.work_tree.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet"], cwd=self.work_tree, check=True)
        transport = httpx.MockTransport(self._bucket.respond)
        api = AgentApi("http://api.test", SecretStr("s"), SecretStr("t"), transport=transport)
        user = WorkspaceUser(self.home, None)
        return WarmStart(
            api, user, self.work_tree, files, image="sha256:1", is_on=is_on, is_claudes=is_claudes, transport=transport
        )

    async def install(
        self, warm_start: WarmStart, command: str = INSTALL, *, keep: bool = True, claude_follows: bool = False
    ) -> list[str]:
        """Install, keep what is to be kept, and return what the command did. Claude changes something when it may."""
        address = ListenAddress("127.0.0.1", "127.0.0.1", free_port())
        plan = DevServerPlan(dev="true", install=command)
        user = WorkspaceUser(self.home, None)
        keeping = asyncio.create_task(warm_start.keep())
        dev_server = DevServer(plan, user, self.work_tree, address, {}, notices=Notices())
        try:
            await warm_start.install(dev_server, command)
            if claude_follows:
                await warm_start.packed()
                warm_start.claude_changes()
        finally:
            _, pending = await asyncio.wait([keeping], timeout=5 if keep else 0)
            if pending:
                keeping.cancel()
        return (self.work_tree / "log").read_text().split()


def _listed(archive: Path) -> list[str]:
    return subprocess.check_output(["tar", "-tf", str(archive)], text=True).split()


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def sandbox(tmp_path: Path, bucket: Bucket) -> Sandbox:
    return Sandbox(tmp_path, bucket)


async def test_the_next_session_finds_what_the_first_one_installed(sandbox: Sandbox) -> None:
    assert await sandbox.install(sandbox.session()) == ["made"]
    assert await sandbox.install(sandbox.session(), keep=False) == ["found"]


async def test_a_machine_without_zstd_does_with_gzip(
    sandbox: Sandbox, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert await sandbox.install(sandbox.session()) == ["made"]
    assert [archive[:2] for archive in bucket.objects.values()] == [b"\x1f\x8b"]
    assert await sandbox.install(sandbox.session(), keep=False) == ["found"]


async def test_what_was_restored_is_not_kept_again(sandbox: Sandbox, bucket: Bucket) -> None:
    await sandbox.install(sandbox.session())
    await sandbox.install(sandbox.session(), keep=False)
    assert len(bucket.saved) == 1


@pytest.mark.parametrize("broken", [b"no archive", b""])
async def test_a_broken_archive_costs_the_installation_and_is_replaced(
    sandbox: Sandbox, bucket: Bucket, broken: bytes
) -> None:
    await sandbox.install(sandbox.session())
    (path,) = bucket.objects
    bucket.objects[path] = broken or bucket.objects[path][:-10]

    assert await sandbox.install(sandbox.session()) == ["made"]
    assert await sandbox.install(sandbox.session(), keep=False) == ["found"]


async def test_an_archive_that_install_fails_on_is_removed_and_replaced(sandbox: Sandbox, bucket: Bucket) -> None:
    poison = "mkdir -p node_modules/left-pad; echo made >> log"
    await sandbox.install(sandbox.session(), poison)
    ours = "test -e node_modules/left-pad && { echo refused >> log; exit 1; } || echo fresh >> log; mkdir -p .venv"
    key = dependency_key(ours, FILES.blobs, image="sha256:1", home=sandbox.home)
    (archive,) = bucket.objects.values()
    bucket.objects[f"/{key}"] = archive

    assert await sandbox.install(sandbox.session(), ours) == ["refused", "fresh"]
    assert [saved["key"] for saved in bucket.saved][1:] == [key]


async def test_an_api_that_says_nothing_of_use_costs_nothing_else(
    sandbox: Sandbox, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "respond", lambda _: httpx.Response(200, json={}))
    assert await sandbox.install(sandbox.session(), keep=False) == ["made"]


async def test_npm_ci_does_not_delete_what_was_restored(sandbox: Sandbox) -> None:
    programs = 'npm() { echo "npm-$1" >> log; mkdir -p node_modules/x; }; '
    assert await sandbox.install(sandbox.session(), f"{programs}npm ci") == ["npm-ci"]
    assert await sandbox.install(sandbox.session(), f"{programs}npm ci", keep=False) == ["npm-install"]


async def test_what_claude_can_have_changed_is_said_to_be(sandbox: Sandbox, bucket: Bucket) -> None:
    warm_start = sandbox.session()
    warm_start.claude_changes()
    await sandbox.install(warm_start)
    await sandbox.install(sandbox.session(files=ClonedFiles("d" * 40, {"go.mod": "b1"})))
    assert [(saved["head_sha"], saved["before_claude"]) for saved in bucket.saved] == [
        ("c" * 40, False),
        ("d" * 40, True),
    ]


async def test_what_is_packed_before_claude_changes_anything_is_for_all_sessions(
    sandbox: Sandbox, bucket: Bucket
) -> None:
    warm_start = sandbox.session()
    await asyncio.wait_for(warm_start.packed(), 1)  # nothing is to be kept yet
    await sandbox.install(warm_start, claude_follows=True)
    assert [saved["before_claude"] for saved in bucket.saved] == [True]


async def test_an_archive_of_the_branch_makes_none_for_all_sessions(sandbox: Sandbox, bucket: Bucket) -> None:
    """Its code has run, whatever becomes of the installation on it."""
    await sandbox.install(sandbox.session())
    (path,) = bucket.objects
    bucket.objects[f"{path}.branch"] = bucket.objects.pop(path)[:-10]

    await sandbox.install(sandbox.session())

    assert [saved["before_claude"] for saved in bucket.saved] == [True, False]


async def test_what_is_installed_from_an_earlier_sessions_work_is_not_for_all_sessions(
    sandbox: Sandbox, bucket: Bucket
) -> None:
    await sandbox.install(sandbox.session(is_claudes=True))
    assert [saved["before_claude"] for saved in bucket.saved] == [False]


async def test_nothing_is_kept_where_the_repository_or_the_deployment_says_no(sandbox: Sandbox, bucket: Bucket) -> None:
    await sandbox.install(sandbox.session(is_on=False), keep=False)
    bucket.is_on = False
    await sandbox.install(sandbox.session(), keep=False)
    assert (bucket.saved, bucket.objects) == ([], {})


async def test_a_failing_installation_is_not_kept(sandbox: Sandbox, bucket: Bucket) -> None:
    with pytest.raises(InstallFailedError):
        await sandbox.install(sandbox.session(), "mkdir node_modules; exit 1", keep=False)
    assert bucket.saved == []


async def test_an_installation_of_changed_files_is_not_kept(sandbox: Sandbox, bucket: Bucket) -> None:
    warm_start = sandbox.session()
    with pytest.raises(InstallFailedError):
        await sandbox.install(warm_start, "exit 1", keep=False)
    await sandbox.install(warm_start, keep=False)
    assert bucket.saved == []


async def test_only_what_is_known_to_be_installed_is_kept(sandbox: Sandbox, bucket: Bucket, tmp_path: Path) -> None:
    """An install command may have written a token into the home, and what Git tracks comes from Git."""
    folders = "mkdir -p vendor node_modules/a node_modules/.cache $HOME/.venv"
    write = f"{folders} && echo t > $HOME/.npmrc && echo v > vendor/tracked"
    sources = "git add vendor && touch node_modules/.cache/b node_modules/a/c .env $HOME/.venv/d && echo done > log"
    await sandbox.install(sandbox.session(), f"{write} && {sources}")

    (archive,) = bucket.objects.values()
    (tmp_path / "archive").write_bytes(archive)
    listed = _listed(tmp_path / "archive")
    assert {name for name in listed if not name.endswith("/")} == {".venv/d", "repository/node_modules/a/c"}


async def test_no_url_is_ever_logged(
    sandbox: Sandbox, bucket: Bucket, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "cloud_agent_runner")
    monkeypatch.setattr(bucket, "_s3", lambda request: httpx.Response(500 if request.method == "GET" else 400))

    await sandbox.install(sandbox.session())

    reasons = [vars(record).get("reason") for record in caplog.records if record.levelname == "WARNING"]
    assert reasons == ["HTTP 500", "HTTP 400"]
    assert "Signature" not in str([vars(record) for record in caplog.records])


# ------------------------------------------------------------ the key


def _key(tmp_path: Path, install: str = "npm ci", image: str = "a", **blobs: str) -> str | None:
    files = {name.replace("_", "."): blob for name, blob in blobs.items()}
    return dependency_key(install, files, image=image, home=tmp_path)


def test_another_lock_file_command_or_image_is_another_key(tmp_path: Path) -> None:
    keys = {
        _key(tmp_path, package_json="1"),
        _key(tmp_path, package_json="2"),
        _key(tmp_path, "npm i", package_json="1"),
        _key(tmp_path, image="b", package_json="1"),
        _key(tmp_path / "another", package_json="1"),
    }
    assert len(keys) == 5
    assert _key(tmp_path, package_json="1", main_js="1") == _key(tmp_path, package_json="1", main_js="2")


@pytest.mark.parametrize("what", ["machine", "python_version"])
def test_another_processor_or_python_is_another_key(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = _key(tmp_path, package_json="1")
    monkeypatch.setattr(platform, what, lambda: "another")
    assert _key(tmp_path, package_json="1") not in {here, None}


def test_a_repository_that_names_no_dependencies_has_no_key(tmp_path: Path) -> None:
    assert _key(tmp_path, main_js="1") is None


@pytest.mark.parametrize(
    "path",
    ["a/b/pnpm-lock.yaml", "requirements-dev.txt", "requirements/base.txt", "uv.lock", ".python-version", "x/go.mod"],
)
def test_dependency_files_count_wherever_they_are(path: str, tmp_path: Path) -> None:
    assert dependency_key("", {path: "1"}, image="", home=tmp_path)
