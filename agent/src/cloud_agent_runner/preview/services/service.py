"""What a service is: a server beside the dev server, for as long as the session lives."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloud_agent_runner.repository.config import ServiceName

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_PASSWORD = re.compile(r"[!-~]{1,200}")
# Many a program takes one of these alone. SQLAlchemy has no `postgres` any more (its changelog, 1.4), and reads the
# driver behind the plus; Heroku sets `postgres` (apache/airflow#24569), so others look for that.
_URL_SCHEMES: dict[ServiceName, re.Pattern[str]] = {
    "postgres": re.compile(r"(postgres(?:ql)?(?:\+\w{1,30})?)://"),
    "mysql": re.compile(r"((?:mysql2?|mariadb)(?:\+\w{1,30})?)://"),
}


@dataclass(frozen=True)
class Account:
    """Whom the repository wants to sign in as, and to which database; the image's own defaults where it says nothing.

    Everybody who reaches the server may do everything: it's the session's own, and holds nothing of anybody else's.
    """

    user: str = ""
    password: str = ""
    database: str = ""

    def or_else(self, user: str, database: str) -> Account:
        """Return the account with these where the repository says nothing, or what is no name."""
        asked = self.user if _NAME.fullmatch(self.user) else user
        named = self.database if _NAME.fullmatch(self.database) else ""
        return replace(
            self,
            user=asked,
            database=named or (asked if self.user else database),
            password=self.password if _PASSWORD.fullmatch(self.password) else "",
        )

    @property
    def authority(self) -> str:
        """The account as a URL has it."""
        return self.user + (f":{quote(self.password, safe='')}" if self.password else "")


@dataclass(frozen=True)
class Wanted:
    """A service that a repository asks for. `version` is its major version, empty where any will do.

    `url_scheme` is how the repository has DATABASE_URL begin, empty where it doesn't say.
    """

    name: ServiceName
    version: str = ""
    account: Account = Account()
    url_scheme: str = field(default="", compare=False)  # the server is the same one


def url_scheme(kind: ServiceName, urls: Iterable[str]) -> str:
    """Return how the first of these URLs begins that is one of such a database; nothing where none is."""
    pattern = _URL_SCHEMES.get(kind)
    found = (pattern.match(url) for url in urls) if pattern else ()
    return next((scheme[1] for scheme in found if scheme), "")


@dataclass(frozen=True)
class Program:
    """How a service runs: a shell script that ends as the server, and what it logs once it can be used, and of itself.

    The script gets its folder in $DATA and the host that it listens on in $LISTEN; `environment` is for its clients.
    """

    title: str
    executable: str
    package: str
    script: str
    ready: re.Pattern[str]
    version: re.Pattern[str]
    environment: Mapping[str, str]
