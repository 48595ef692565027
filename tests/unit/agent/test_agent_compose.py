"""What a repository's Compose files say of databases, and where in a session is what they name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.kit.repository_shapes import lay_out

from cloud_agent_runner.preview.services.compose import services_in_compose
from cloud_agent_runner.preview.services.compose_hosts import compose_hosts
from cloud_agent_runner.preview.services.service import Account, Wanted

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.91.7"
VARIABLES = "services: {db: {image: postgres, environment: {POSTGRES_USER: %s}}}"
SHOP = "services: {db: {image: 'mysql:8', environment: {MYSQL_DATABASE: shop}}}"


def _compose(work_tree: Path, text: str, name: str = "compose.yaml") -> tuple[Wanted, ...]:
    (work_tree / name).write_text(text)
    return services_in_compose(work_tree)


def test_the_services_of_a_compose_file_are_found_with_their_accounts(tmp_path: Path) -> None:
    text = """
services:
  web: {build: ., ports: ["3000:3000"], environment: {DATABASE_URL: postgres://db}}
  db:
    image: docker.io/library/postgres:16-alpine
    environment: &variables
      POSTGRES_USER: ${DB_USER:-shop}
      POSTGRES_PASSWORD: secret
      POSTGRES_DB: ${DB_NAME-shop_dev}
  cache: {image: "valkey/valkey:8"}
  other: {image: "postgres:12"}
"""
    assert _compose(tmp_path, text, "docker-compose.yml") == (
        Wanted("postgres", "16", Account("shop", "secret", "shop_dev")),
        Wanted("redis", "8"),
    )


@pytest.mark.parametrize(
    ("image", "environment", "found"),
    [
        (
            "mariadb:11.4",
            "[MARIADB_DATABASE=shop, MARIADB_ROOT_PASSWORD=pw]",
            Wanted("mysql", "11", Account("", "pw", "shop")),
        ),
        ("mysql", "{MYSQL_USER: u, MYSQL_PASSWORD: p}", Wanted("mysql", "", Account("u", "p", ""))),
        ("pgvector/pgvector:pg17", "{}", Wanted("postgres", "", Account())),
        ("redis@sha256:0123", "{}", Wanted("redis")),
        ("nginx:1", "{}", None),
    ],
)  # fmt: skip
def test_images_are_known_by_their_names(tmp_path: Path, image: str, environment: str, found: Wanted | None) -> None:
    text = f'services: {{one: {{image: "{image}", environment: {environment}}}}}'
    assert _compose(tmp_path, text) == ((found,) if found else ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "services: 3",
        "services: {a: 1, b: {image: [x]}}",
        "a: [",
        "!!python/x y",
        "services: {a: {env_file: [[], '\\0', 1], environment: 1}}",
    ],
)
def test_what_is_no_compose_file_names_no_service(tmp_path: Path, text: str) -> None:
    assert _compose(tmp_path, text) == ()


@pytest.mark.parametrize(
    ("written", "user"),
    [
        ("${DB_USER}", "shop"),
        ("$DB_USER", "shop"),
        ("${DB_USER:-other}", "shop"),
        ("${DB_USER:?is missing}", "shop"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY-other}", ""),
        ("${NOBODY}", ""),
        ("${NOBODY:-other}", "other"),
        ("${DB_USER:+other}", "other"),
        ("$$DB_USER", "$DB_USER"),
        ("null", ""),
        ("null, POSTGRES_USER_FILE: ''", ""),
    ],
)
@pytest.mark.parametrize("environment", [".env", ".env.example"])
def test_variables_of_a_compose_file_are_those_of_the_environment_file(
    tmp_path: Path, environment: str, written: str, user: str
) -> None:
    variables = "# of the shop\nexport DB_USER='shop' # who\nEMPTY=\n"
    lay_out(
        tmp_path,
        {"compose.yaml": VARIABLES % (written if "null" in written else f"'{written}'"), environment: variables},
    )
    assert [one.account.user for one in services_in_compose(tmp_path)] == [user]


@pytest.mark.parametrize(
    ("named", "files"),
    [
        ("db.env", {"db.env": "POSTGRES_USER=shop"}),
        ("[db.env]", {"db.env.example": "POSTGRES_USER=shop"}),
        ("[{path: ./db.env, required: false}]", {"db.env": "A=sh\nPOSTGRES_USER=${A}op"}),
        (".envs/.local/.postgres", {".envs/.local/.postgres": "POSTGRES_USER=shop"}),
        (".env", {".env.sample": "POSTGRES_USER=shop"}),
    ],
)
def test_a_service_has_the_variables_of_its_files(tmp_path: Path, named: str, files: dict[str, str]) -> None:
    lay_out(tmp_path, {"compose.yaml": f"services: {{db: {{image: postgres, env_file: {named}}}}}", **files})
    assert services_in_compose(tmp_path) == (Wanted("postgres", account=Account("shop")),)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        *(
            ([name], True)
            for name in (
                *("docker-compose.dev.yml", "docker-compose-dev.yaml", "compose.local.yaml", "local.yml"),
                *("docker-compose.override.yml", "docker/docker-compose.yml", "backend/compose.yaml"),
            )
        ),
        *(([name], False) for name in ("compose.prod.yaml", "docker-compose.test.yml", "docs/compose.yaml")),
        (["docker-compose.dev.yml", "docker-compose.cache.yml"], True),
    ],
)
def test_compose_files_for_development_have_many_names(tmp_path: Path, files: list[str], *, found: bool) -> None:
    lay_out(tmp_path, {**dict.fromkeys(files, "services: {cache: {image: redis}}"), files[0]: SHOP})
    assert services_in_compose(tmp_path) == ((Wanted("mysql", "8", Account(database="shop")),) if found else ())


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ("postgres: {image: shop_postgres, build: {context: .}}", "postgres"),
        ("db: {build: ., environment: [POSTGRES_PASSWORD=x]}", "postgres"),
        ("db: {build: ., environment: [MARIADB_DATABASE=x]}", "mysql"),
        ("db: {build: .}", None),
        ("web: {build: ., environment: [POSTGRES_PASSWORD=x]}", None),
        ("redis-worker: {build: .}", None),
    ],
)
def test_a_database_that_the_repository_builds_is_known_by_its_name(
    tmp_path: Path, service: str, kind: str | None
) -> None:
    assert [one.name for one in _compose(tmp_path, f"services: {{{service}}}")] == ([kind] if kind else [])


COMPOSE = """
services:
  db: {image: postgres, container_name: shop-db}
  redis: {image: redis}
  postgres: {build: ., environment: {PGDATA: "//db/x"}}
  api: {build: ./api, environment: {CACHE: "redis://redis", MODE: "redis", HOST: redis, SAID: "//db"}}
  web: {build: ./web, environment: [API_URL=http://api:8000/v1, CACHE_2=//redis]}
  search: {image: elasticsearch}
"""


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("db", None),
        ("postgres://postgres:postgres@postgres:5432/postgres?x", f"postgres://postgres:postgres@{HOST}:5432/postgres?x"),
        ("postgres://postgres:1234@db.acme.io/postgres", None),
        ("jdbc:postgresql://db:5432/shop", f"jdbc:postgresql://{HOST}:5432/shop"),
        ("me:secret@tcp(db:3306)/shop", f"me:secret@tcp({HOST}:3306)/shop"),
        ("Server=db;Port=5432;Database=db", f"Server={HOST};Port=5432;Database=db"),
        ("host=shop-db user=db dbname=db", f"host={HOST} user=db dbname=db"),
        ("redis:6379", f"{HOST}:6379"),
        ("redis://${NAME}:6379/0", f"redis://{HOST}:6379/0"),
        ("redis://:$SECRET@redis:6379/0", None),
        ("http://api:8000", "http://localhost:8000"),
        ("http://search:9200", None),
        ("http://localhost:3000/db", None),
    ],
)  # fmt: skip
def test_what_names_a_service_as_a_host_names_where_it_is(tmp_path: Path, written: str, given: str | None) -> None:
    lay_out(tmp_path, {"compose.yaml": COMPOSE, "web/.env.example": f"NAME=redis\nWHAT={written}\n"})
    assert compose_hosts(tmp_path, HOST).get("WHAT") == given


def test_hosts_are_of_the_files_that_count_and_of_what_the_repository_builds(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "compose.yaml": COMPOSE,
            ".env": "DB_HOST=db\nDB_USER=redis\nSAID=here\nTWO=//redis/1\nHOST=db\nOWN=//redis/1\n",
            ".env.example": "DB_HOST=shop-db\nEXAMPLE=//db\n",
            ".env.local": "OWN=//redis/2\n",
            "web/.env": "TWO=//redis/2\nREDIS_SERVER=redis\n",
        },
    )
    assert compose_hosts(tmp_path, HOST) == {
        "API_URL": "http://localhost:8000/v1",
        "CACHE": f"redis://{HOST}",
        "CACHE_2": f"//{HOST}",
        "DB_HOST": HOST,
        "OWN": f"//{HOST}/2",
        "REDIS_SERVER": HOST,
    }
    (tmp_path / "compose.yaml").unlink()
    assert compose_hosts(tmp_path, HOST) == {}


def test_small_files_do_not_ask_for_much(tmp_path: Path) -> None:
    variables = f"A={'a' * 100_000}\n" + "".join(f"V{n}={'$A' * 1_000}\n" for n in range(400))
    services = ", ".join(f"s{n}: {{build: ., env_file: .env, environment: {{X: '{'$A' * 500}'}}}}" for n in range(99))
    lay_out(tmp_path, {".env": variables, "compose.yaml": f"services: {{db: {{image: postgres}}, {services}}}"})
    began = time.process_time()
    assert compose_hosts(tmp_path, HOST) == {}
    assert (tmp_path / "compose.yaml").stat().st_size < 128 * 1024
    assert time.process_time() - began < 20
