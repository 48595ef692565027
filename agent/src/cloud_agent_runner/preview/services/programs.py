"""How each service is made and run, by its own documentation, for one session that nobody else reaches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.preview.services.service import Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_runner.preview.services.service import Wanted
    from cloud_agent_runner.repository.config import ServiceName


# Nothing has to outlive the session, so nothing is waited for until it is on the disk. There is no Unix socket, whose
# path may have 107 bytes (unix(7)): a home in local mode is deeper than that.
_POSTGRES = """\
set -e
if [ ! -e "$DATA/made" ]; then
  rm -rf "$DATA/cluster"
  initdb --pgdata="$DATA/cluster" --username=postgres --auth=trust --encoding=UTF8 --no-locale --no-sync
  postgres --single -D "$DATA/cluster" postgres <<'SQL'
{statements}
SQL
  touch "$DATA/made"
fi
exec postgres -D "$DATA/cluster" -h "$LISTEN" -p 5432 -k "" -c fsync=off -c full_page_writes=off
"""
_REDIS = """\
exec redis-server --bind "$LISTEN" --port 6379 --dir "$DATA" --save "" --appendonly no --protected-mode no
"""
_MYSQL = """\
set -e
if [ ! -e "$DATA/made" ]; then
  rm -rf "$DATA/cluster"
  mariadb-install-db --no-defaults --datadir="$DATA/cluster" --auth-root-authentication-method=normal --skip-test-db
  touch "$DATA/made"
fi
cat >"$DATA/accounts.sql" <<'SQL'
{statements}
SQL
exec mariadbd --no-defaults --datadir="$DATA/cluster" --bind-address="$LISTEN" --port=3306 --skip-name-resolve \
  --socket="$DATA/mysqld.sock" --pid-file="$DATA/mysqld.pid" --init-file="$DATA/accounts.sql" \
  --innodb-flush-log-at-trx-commit=0
"""


def _urls(url: str) -> dict[str, str]:
    """Return the variables for the URL of a database: the usual one, and Laravel's since 11."""
    return {"DATABASE_URL": url, "DB_URL": url}


def postgres(wanted: Wanted, host: str) -> Program:
    """Return PostgreSQL with the account as its superuser: Extensions and test databases are then no question."""
    account = wanted.account.or_else("postgres", "postgres")
    scheme = wanted.url_scheme or "postgresql"
    statements = []
    if account.user != "postgres":
        statements.append(f'CREATE ROLE "{account.user}" SUPERUSER LOGIN;')
    if account.database != "postgres":
        statements.append(f'CREATE DATABASE "{account.database}" OWNER "{account.user}";')
    return Program(
        title="PostgreSQL",
        executable="postgres",
        package="postgresql",
        script=_POSTGRES.format(statements="\n".join(statements)),
        ready=re.compile("database system is ready to accept connections"),
        version=re.compile(r"starting PostgreSQL (\d+)"),
        environment={
            **_urls(f"{scheme}://{account.authority}@{host}:5432/{account.database}"),
            "PGHOST": host,
            "PGPORT": "5432",
            "PGUSER": account.user,
            "PGPASSWORD": account.password,
            "PGDATABASE": account.database,
            "POSTGRES_HOST": host,
            "POSTGRES_PORT": "5432",
            "POSTGRES_USER": account.user,
            "POSTGRES_PASSWORD": account.password,
            "POSTGRES_DB": account.database,
        },
    )


def redis(wanted: Wanted, host: str) -> Program:
    """Return Redis, which keeps everything in memory."""
    del wanted
    return Program(
        title="Redis",
        executable="redis-server",
        package="redis-server",
        script=_REDIS,
        ready=re.compile("Ready to accept connections", re.IGNORECASE),
        version=re.compile(r"(?:Redis|Valkey) version=(\d+)"),
        environment={"REDIS_URL": f"redis://{host}:6379/0", "REDIS_HOST": host, "REDIS_PORT": "6379"},
    )


def mysql(wanted: Wanted, host: str) -> Program:
    """Return MariaDB, which speaks MySQL's protocol, with the account allowed everything from everywhere."""
    account = wanted.account.or_else("root", "app")
    scheme = wanted.url_scheme or "mysql"
    who = f"'{account.user}'@'%'"
    password = account.password.replace("\\", "\\\\").replace("'", "''")
    statements = [
        f"CREATE DATABASE IF NOT EXISTS `{account.database}`;",
        f"CREATE OR REPLACE USER {who} IDENTIFIED BY '{password}';",
        f"GRANT ALL PRIVILEGES ON *.* TO {who} WITH GRANT OPTION;",
    ]
    return Program(
        title="MySQL (MariaDB)",
        executable="mariadbd",
        package="mariadb-server",
        script=_MYSQL.format(statements="\n".join(statements)),
        ready=re.compile("ready for connections"),
        version=re.compile(r"\(server (\d+)"),
        environment={
            **_urls(f"{scheme}://{account.authority}@{host}:3306/{account.database}"),
            "MYSQL_HOST": host,
            "MYSQL_PORT": "3306",
            "MYSQL_USER": account.user,
            "MYSQL_PASSWORD": account.password,
            "MYSQL_DATABASE": account.database,
        },
    )


PROGRAMS: dict[ServiceName, Callable[[Wanted, str], Program]] = {"postgres": postgres, "redis": redis, "mysql": mysql}
