"""The preview beside Claude, with real commands: how it stands, and when it is tried again."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from tests.kit.ports import free_port

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.agent_api_messages import PreviewReport
from cloud_agent_runner.notices import Notices
from cloud_agent_runner.preview import dev_server, kept_process, source
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.preview.plan import DevServerPlan, Process
from cloud_agent_runner.preview.preview import Preview
from cloud_agent_runner.preview.reporting import keep_log, report_changes
from cloud_agent_runner.preview.services.services import Services
from cloud_agent_runner.preview.source import PreviewSource
from cloud_agent_runner.repository.config import CONFIG_PATH
from cloud_agent_runner.repository.config_file import OtherSettings
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

SERVER = f'exec {sys.executable} -u -m http.server --bind "$HOST" "$PORT"'
SERVER_PROGRAM = (
    "import http.server as s, os\n"
    "address = os.environ['HOST'], int(os.environ['PORT'])\n"
    "s.HTTPServer(address, s.SimpleHTTPRequestHandler).serve_forever()\n"
)
LOOK = 0.05


class Session:
    """A repository's files and its preview."""

    def __init__(self, folder: Path) -> None:
        self.work_tree = folder / "repository"
        self.work_tree.mkdir()
        self.address = ListenAddress("127.0.0.1", "127.0.0.1", free_port())
        self.user = WorkspaceUser(folder, None)
        self.reports: list[dict[str, Any]] = []
        self.secrets: dict[str, str] = {}
        self.installed = 0
        self.services = Services(self.user, "127.0.0.1")
        transport = httpx.MockTransport(self._answer)
        self.api = AgentApi("http://api.test", SecretStr("s"), SecretStr("t"), transport=transport)
        self.source = PreviewSource(
            self.work_tree,
            self.user,
            self.address,
            self.services,
            self.api,
            otherwise=OtherSettings(),
            notices=Notices(),
            installed=self._has_installed,
        )
        self.preview = Preview(self.source, look_seconds=LOOK)

    def says(self, **keys: str) -> None:
        """Write the repository's own file."""
        file = self.work_tree / CONFIG_PATH
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()))

    def commit(self, name: str, text: str) -> None:
        """Commit a file, as a turn does."""
        file = self.work_tree / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        author = ["-c", "user.name=Claude", "-c", "user.email=claude@example.com"]
        for arguments in (["init"], ["add", "--all"], [*author, "commit", "--message", "A turn"]):
            subprocess.run(["git", *arguments], cwd=self.work_tree, check=True, capture_output=True)

    async def until(self, state: str, condition: Callable[[PreviewReport], bool] = lambda _: True) -> PreviewReport:
        """Wait until the preview stands so."""
        async with asyncio.timeout(20):
            while not (self.preview.report.state == state and condition(self.preview.report)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return self.preview.report

    @asynccontextmanager
    async def running(self, log: Path | None = None) -> AsyncIterator[None]:
        """Run the preview, and what reports it."""
        tasks = [
            asyncio.create_task(self.preview.run()),
            asyncio.create_task(report_changes(self.preview, self.api, look_seconds=LOOK)),
        ]
        if log is not None:
            tasks.append(asyncio.create_task(keep_log(self.preview, log, look_seconds=LOOK)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.api.aclose()

    async def _has_installed(self) -> None:
        self.installed += 1

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = httpx.Response(200, content=request.content).json()
        if request.url.path == "/agent/preview":
            self.reports.append(body)
            return httpx.Response(200, json={})
        missing = [name for name in body["names"] if name not in self.secrets]
        if missing:
            return httpx.Response(400, json={"message": f"There is no secret for {missing[0]}; create it."})
        return httpx.Response(200, json={"values": self.secrets})


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session whose repository has no file yet."""
    return Session(tmp_path)


async def test_install_and_dev_server_come_up_and_each_state_is_reported(session: Session, tmp_path: Path) -> None:
    session.says(install="echo fetching; sleep 0.3", dev=f"echo serving; {SERVER}")
    async with session.running(tmp_path / "preview" / "log"):
        await session.until("live")
        async with httpx.AsyncClient() as http:
            assert (await http.get(session.address.url)).status_code == 200
        async with asyncio.timeout(5):
            while session.reports[-1]["state"] != "live":  # noqa: ASYNC110
                await asyncio.sleep(LOOK)
    states = [report["state"] for report in session.reports]
    assert (states[0], states[-1], {"starting", "live"} == set(states)) == ("starting", "live", True)
    details = [report["detail"] for report in session.reports]
    assert "`echo fetching; sleep 0.3` is running" in details
    live = {"state": "live", "detail": "", "log": "", "host_header": "localhost", "revision": 1, "port": None}
    assert session.reports[-1] == live
    assert session.installed == 1
    assert (tmp_path / "preview" / "log").read_text().startswith("serving\n")


@pytest.mark.parametrize(
    "keys", [{"install": "sleep 0.3", "dev": SERVER}, {"install": "sleep 0.3; exit 4", "dev": SERVER}, {"dev": "none"}]
)
async def test_the_first_installation_is_over_whatever_comes_of_it(session: Session, keys: dict[str, str]) -> None:
    session.says(**keys)
    async with session.running():
        await asyncio.wait_for(session.preview.first_installed(), 5)
        assert "sleep" not in session.preview.report.detail or session.preview.report.state == "failed"


@pytest.mark.parametrize(("procfile", "seen"), [("Procfile", "development a b sea 1"), ("Procfile.prod", "")])
async def test_what_runs_has_the_env_file_of_a_repository_with_a_procfile(
    session: Session, procfile: str, seen: str
) -> None:
    variables = "MODE=development\nWORDS='a b'\nC=\"sea\"\nPORT=1\nD=1 \n# E=1\nnot one\n"
    for name, text in {procfile: "web: gunicorn lunch\n", ".env": variables}.items():
        session.commit(name, text)
    session.says(install="'echo $MODE $WORDS $C $D > seen'", dev="sleep 60")
    async with session.running():
        await session.until("starting", lambda _: session.installed == 1)
    assert (session.work_tree / "seen").read_text().strip() == seen


async def test_what_runs_finds_composes_services_where_they_are(session: Session) -> None:
    compose = "services: {db: {image: postgres}, cache: {image: redis}}"
    for name, text in {"compose.yaml": compose, ".env.example": "DB_HOST=db\nCACHE=redis://cache/1\n"}.items():
        session.commit(name, text)
    session.says(install="'echo $DB_HOST $CACHE > seen'", dev="sleep 60", services="[]")
    async with session.running():
        await session.until("starting", lambda _: session.installed == 1)
    assert (session.work_tree / "seen").read_text().strip() == "127.0.0.1 redis://127.0.0.1/1"


async def test_an_install_that_fails_is_tried_again_once_a_file_has_changed(session: Session) -> None:
    session.says(install="echo no such package; exit 4", dev=SERVER)
    async with session.running():
        failed = await session.until("failed")
        assert failed == PreviewReport(
            "failed", "`echo no such package; exit 4` ended with status 4.", "no such package"
        )
        await asyncio.sleep(4 * LOOK)
        assert session.preview.report == failed  # nothing has changed, so nothing is tried
        session.says(dev=SERVER)
        await session.until("live")
    assert session.installed == 1


async def test_an_install_that_failed_for_another_reason_is_tried_again_after_a_turn(session: Session) -> None:
    marker = session.work_tree.parent / "the registry is back"
    session.says(install=f"test -e '{marker}'", dev=SERVER)
    async with session.running():
        await session.until("failed")
        marker.touch()
        await asyncio.sleep(4 * LOOK)
        assert session.preview.report.state == "failed"
        session.preview.turn_ended()
        await session.until("live")


async def test_a_server_that_keeps_dying_fails_with_its_words_and_goes_live_once_it_is_fixed(session: Session) -> None:
    session.says(dev=f"test -e fixed || {{ no-such-program; exit 127; }}; {SERVER}")
    async with session.running():
        failed = await session.until("failed")
        assert f"(`dev` in {CONFIG_PATH}) ended 3 times before it responded" in failed.detail
        assert "`no-such-program` isn't installed. Install it in" in failed.detail
        assert "no-such-program: not found" in failed.log
        (session.work_tree / "fixed").touch()
        await session.until("live")


async def test_a_live_server_that_goes_away_starts_again_and_says_so(session: Session) -> None:
    session.says(dev=f"test ! -e broken || {{ echo it broke; exit 3; }}; {SERVER}")
    async with session.running():
        await session.until("live")
        (session.work_tree / "broken").touch()
        await session.user.end("dev server")
        await session.until("starting", lambda report: "it broke" in report.log)
        await session.until("failed")
        (session.work_tree / "broken").unlink()
        await session.until("live")


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
async def test_a_live_app_that_ends_under_what_watches_its_files_says_so_and_is_live_once_one_changes(
    session: Session,
) -> None:
    app = session.work_tree / "app.mjs"
    serves = "import http from 'node:http'; const { HOST, PORT } = process.env;\n"
    serves += "http.createServer((_, response) => response.end('up')).listen(PORT, HOST);\n"
    app.write_text(f"{serves} setTimeout(() => {{ throw Error('it broke') }}, 1000);\n")
    session.says(dev="exec node --watch app.mjs", reload="false")
    async with session.running():
        await session.until("live")
        said = "It has ended, and starts again once a file changes."
        ended = await session.until("starting", lambda report: report.detail == said)
        assert "it broke" in ended.log

        app.write_text(serves)
        await session.until("live")
    assert session.installed == 1


async def test_a_live_server_that_shows_an_error_says_so_until_a_turn_has_fixed_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev_server, "_ERROR_STANDS_SECONDS", 0.2)
    session.says(dev=SERVER, health_path="/page.html")
    async with session.running():
        live = await session.until("live")
        assert live.detail.startswith("it responds with HTTP 404: Error response; Error response; Error code: 404")
        (session.work_tree / "page.html").touch()
        session.preview.turn_ended()
        await session.until("live", lambda report: not report.detail)


@pytest.mark.parametrize(
    ("names", "wanted", "detail", "host_header"),
    [
        (["127.0.0.1"], "localhost", "", "127.0.0.1"),
        (["lunch.example.com"], "localhost", "it responds with HTTP 400", "localhost"),
        (["lunch.example.com"], "public", "", "public"),
    ],
)
async def test_the_name_that_a_server_takes_is_reported(  # noqa: PLR0913, PLR0917 - a table
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    wanted: str,
    detail: str,
    host_header: str,
) -> None:
    monkeypatch.setattr(dev_server, "_ERROR_STANDS_SECONDS", 0.1)
    (session.work_tree / "server.py").write_text(
        "import http.server as s, os\n"
        "class H(s.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        f"        self.send_response(200 if self.headers['Host'].split(':')[0] in {names} else 400)\n"
        "        self.end_headers()\n"
        "s.HTTPServer((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()\n"
    )
    session.says(dev=f"exec {sys.executable} server.py", host_header=wanted)
    async with session.running():
        live = await session.until("live")
        assert (live.detail, live.host_header) == (detail, host_header)


async def test_a_server_that_does_not_follow_its_files_is_restarted_after_a_turn_that_changed_them(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = session.work_tree.parent / "starts"
    plan = DevServerPlan(dev=f"echo started >>{starts}; {SERVER}", reloads=False)
    monkeypatch.setattr(source, "dev_server_plan", lambda *_: plan)
    session.commit("page.py", "before")
    async with session.running():
        await session.until("live")

        session.commit("docs/README.md", "Nothing that a page shows.")
        session.preview.turn_ended()
        await asyncio.sleep(6 * LOOK)
        assert starts.read_text() == "started\n"

        session.commit("page.py", "after")
        session.preview.turn_ended()
        async with asyncio.timeout(20):
            while starts.read_text() != "started\n" * 2:  # noqa: ASYNC110
                await asyncio.sleep(LOOK)
        await asyncio.sleep(6 * LOOK)
        assert (await session.until("live")).detail == ""
        assert starts.read_text() == "started\n" * 2


def _has_revision(expected: int, report: PreviewReport) -> bool:
    return report.revision == expected


@pytest.mark.parametrize("reloads", [True, False], ids=["follows its files", "is restarted"])
async def test_pages_are_reloaded_after_each_turn_that_changed_files_and_no_other(
    session: Session, monkeypatch: pytest.MonkeyPatch, *, reloads: bool
) -> None:
    monkeypatch.setattr(source, "dev_server_plan", lambda *_: DevServerPlan(dev=SERVER, reloads=reloads))
    session.commit("page.py", "before")
    async with session.running():
        assert (await session.until("live", lambda report: report.revision is not None)).revision == 1

        session.commit("docs/README.md", "Nothing that a page shows.")
        session.preview.turn_ended()
        await asyncio.sleep(6 * LOOK)
        assert session.preview.report.revision == 1

        for revision in (2, 3):
            session.commit("page.py", f"after {revision}")
            session.preview.turn_ended()
            await session.until("live", partial(_has_revision, revision))
        async with asyncio.timeout(5):
            while session.reports[-1]["revision"] != 3:  # noqa: ASYNC110
                await asyncio.sleep(LOOK)


@pytest.mark.parametrize("reloads", [True, False], ids=["follows its files", "is restarted"])
async def test_whoever_waits_for_what_a_turn_changed_learns_when_pages_show_it_or_that_they_never_will(
    session: Session, monkeypatch: pytest.MonkeyPatch, *, reloads: bool
) -> None:
    starts = session.work_tree.parent / "starts"
    plan = DevServerPlan(dev=f"echo started >>{starts}; {SERVER}", reloads=reloads)
    monkeypatch.setattr(source, "dev_server_plan", lambda *_: plan)
    session.commit("page.py", "before")
    async with session.running():
        await session.until("live")
        async with asyncio.timeout(20):
            session.commit("docs/README.md", "Nothing that a page shows.")
            session.preview.turn_ended()
            assert not await session.preview.turn_shown()

            session.commit("page.py", "after")
            session.preview.turn_ended()
            assert await session.preview.turn_shown()
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{session.address.url}/page.py")).text == "after"
    assert starts.read_text() == "started\n" * (1 if reloads else 2)


async def test_a_turn_is_looked_at_as_soon_as_it_has_ended(session: Session) -> None:
    session.preview = Preview(session.source, look_seconds=60)
    session.says(dev=SERVER)
    session.commit("page.py", "before")
    async with session.running(), asyncio.timeout(20):
        await session.until("live")
        session.commit("page.py", "after")
        session.preview.turn_ended()
        assert await session.preview.turn_shown()


@pytest.mark.parametrize(
    ("reload", "program"), [("false", "server.py"), ("true", "node_modules/vite/bin/vite.js")], ids=["nobody", "Vite"]
)
async def test_pages_that_are_left_alone_or_to_their_dev_server_have_no_revision(
    session: Session, reload: str, program: str
) -> None:
    file = session.work_tree / program
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SERVER_PROGRAM)
    session.commit("page.py", "before")
    session.says(dev=f"{sys.executable} {program}", reload=reload)
    async with session.running():
        await session.until("live")
        session.commit("page.py", "after")
        session.preview.turn_ended()
        await asyncio.sleep(10 * LOOK)
        assert session.preview.report.revision is None


async def test_a_repository_without_a_dev_server_has_none_until_there_is_one(session: Session) -> None:
    async with session.running():
        none = await session.until("none")
        assert none.detail.startswith("No ")
        assert "\n" not in none.detail
        session.preview.turn_ended()  # looks again, and says nothing of that
        await asyncio.sleep(6 * LOOK)
        assert [report["state"] for report in session.reports][1:] in ([], ["none"])
        session.says(dev=SERVER)
        await session.until("live")


async def test_a_file_that_cannot_be_used_fails_the_preview_alone(session: Session) -> None:
    session.says(dve=SERVER)
    async with session.running():
        failed = await session.until("failed")
        assert "did you mean `dev`?" in failed.detail
        session.says(dev=SERVER)
        await session.until("live")


async def test_a_secret_that_is_missing_fails_before_anything_is_run_until_somebody_creates_it(
    session: Session,
) -> None:
    session.says(install="touch ran", dev=SERVER, env="[STRIPE_KEY]")
    async with session.running():
        failed = await session.until("failed")
        assert failed.detail == "There is no secret for STRIPE_KEY; create it."
        assert not (session.work_tree / "ran").exists()
        session.secrets = {"STRIPE_KEY": "sk_test_123"}
        session.preview.turn_ended()
        await session.until("live")


async def test_a_turn_that_changes_how_the_server_runs_has_it_run_so(session: Session) -> None:
    session.says(dev=SERVER)
    async with session.running():
        await session.until("live")
        (session.work_tree / "notes.txt").write_text("Nothing that matters.")
        session.preview.turn_ended()
        await asyncio.sleep(4 * LOOK)
        assert session.installed == 1

        (session.work_tree / "public").mkdir()
        (session.work_tree / "public" / "index.html").write_text("another")
        session.says(dev=f"cd public; {SERVER}")
        session.preview.turn_ended()
        async with httpx.AsyncClient() as http, asyncio.timeout(20):
            while session.installed < 2:  # noqa: ASYNC110
                await asyncio.sleep(LOOK)
            await session.until("live")
            assert (await http.get(session.address.url)).text == "another"


async def test_the_supervisor_adds_its_own_lines_to_the_log(session: Session) -> None:
    session.preview.note("nobody is listening")
    session.says(dev="echo hello; sleep 60")
    async with session.running():
        await session.until("starting", lambda report: "hello" in report.log)
        session.preview.note("(Stopped: the disk is full.)")
        assert session.preview.report.log == "hello\n(Stopped: the disk is full.)"


async def test_a_service_that_the_repository_asks_for_and_that_is_not_there_fails_the_preview(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.services, "has", lambda _: False)
    (session.work_tree / "compose.yaml").write_text("services: {db: {image: redis}}\n")
    session.says(dev=SERVER, services="[redis]")
    async with session.running():
        failed = await session.until("failed")
        assert failed.detail.startswith("Redis isn't installed here.")
        session.says(dev=SERVER)
        await session.until("live")  # what is merely found in a Compose file is done without


async def test_databases_are_prepared_before_the_server_and_seeds_once(session: Session) -> None:
    (session.work_tree / "app.txt").write_text("")
    migrate = "sleep 0.3; echo migrated >> done.txt"
    session.says(install="echo", prepare=migrate, dev=f"test -e done.txt || exit 3; {SERVER}")
    async with session.running():
        await session.until("live")
        assert (session.work_tree / "done.txt").read_text() == "migrated\n"
        assert f"`{migrate}` is running" in [report["detail"] for report in session.reports]


async def test_a_preparation_that_fails_keeps_no_server_from_starting_and_is_said(session: Session) -> None:
    session.says(install="echo", prepare="echo no database; exit 3", dev=SERVER)
    async with session.running():
        assert (await session.until("live")).detail == "`echo no database; exit 3` ended with status 3."


async def test_a_preparation_is_found_unless_the_repository_wants_none(session: Session) -> None:
    (session.work_tree / "alembic.ini").write_text("")
    session.says(install="echo", dev=SERVER)
    async with session.running():
        assert "alembic upgrade head` ended with status" in (await session.until("live")).detail
        session.says(install="echo", dev=SERVER, prepare="none")
        session.preview.turn_ended()
        await session.until("live", lambda report: not report.detail)


async def test_a_process_beside_the_page_is_named_for_as_long_as_it_keeps_ending(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Process("worker", "test -e queue || { echo no queue; exit 3; }; exec sleep 60")
    plan = DevServerPlan(dev=SERVER, processes=(worker,))
    monkeypatch.setattr(source, "dev_server_plan", lambda *_: plan)
    monkeypatch.setattr(kept_process, "_FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(kept_process, "_FINE_AFTER_SECONDS", 0.5)
    async with session.running():
        await session.until("live", lambda report: report.detail == "the dev server (worker) keeps ending: no queue")
        (session.work_tree / "queue").touch()
        await session.until("live", lambda report: not report.detail)
