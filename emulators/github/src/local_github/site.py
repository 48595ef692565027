"""The parts that every request works with."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from local_github.bare_repository import BareRepository, clean_environment
from local_github.credentials import PERSON, Credentials, load_or_create
from local_github.errors import InvalidError, MovedError, NotFoundError
from local_github.faults import Faults
from local_github.request_log import RequestLog
from local_github.storage import Row, Storage, now

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
APP_NAME = "Local App"


@dataclass(frozen=True)
class Repository:
    """A repository's row, its git and its addresses."""

    row: Row
    git: BareRepository
    api_url: str
    html_url: str

    @property
    def id(self) -> int:
        """The number that stays when all else changes."""
        return int(self.row["id"])

    @property
    def owner(self) -> str:
        """Login of the account it belongs to."""
        return str(self.row["owner"])

    @property
    def name(self) -> str:
        """Its name below the owner."""
        return str(self.row["name"])

    @property
    def full_name(self) -> str:
        """owner/name."""
        return f"{self.owner}/{self.name}"


class Site:
    """The whole of this GitHub: where it answers, what it stores, who it knows.

    `data_dir` is created when missing, and `owner` and `app_name` matter only then: afterwards the credentials that are
    kept there have them.
    `callback_urls` are those of the App's settings: where its users may be sent back to.
    """

    def __init__(
        self,
        data_dir: Path,
        base_url: str,
        owner: str,
        callback_urls: tuple[str, ...] = (),
        app_name: str = APP_NAME,
    ) -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data_dir = data_dir.resolve()
        self.base_url = base_url
        self.api_url = f"{base_url}/api/v3"
        self.callback_urls = callback_urls
        self.credentials: Credentials = load_or_create(self.data_dir / "credentials.json", owner, app_name)
        self.storage = Storage(self.data_dir / "github.sqlite3")
        self.request_log = RequestLog()
        self.faults = Faults()
        with self.storage.transaction():
            self._know_everybody()

    @cached_property
    def git_environment(self) -> dict[str, str]:
        """Environment of every git process: nothing of the machine's configuration."""
        return clean_environment(self.data_dir)

    @property
    def repositories_dir(self) -> Path:
        """Folder of the bare repositories, OWNER/NAME.git."""
        return self.data_dir / "repositories"

    def _know_everybody(self) -> None:
        if not self.storage.one("SELECT 1 FROM installations"):
            for place, account in enumerate(self.accounts):
                self.storage.insert("installations", id=self.credentials.installation_id + place, account=account)
        if self.user(PERSON):
            return
        self.add_user(PERSON)
        if self.credentials.owner != PERSON:
            self.add_user(self.credentials.owner, "Organization")
        self.add_user(self.credentials.bot, "Bot")
        self.storage.insert("tokens", digest=digest(self.credentials.token), login=PERSON)
        stamp = now()
        self.storage.insert(
            "hook",
            url="",
            secret=self.credentials.webhook_secret,
            content_type="json",
            insecure_ssl="0",
            created_at=stamp,
            updated_at=stamp,
        )

    # accounts

    def user(self, login: str) -> Row | None:
        """Return the account of that login, upper and lower case being one."""
        return self.storage.one("SELECT * FROM users WHERE login = ?", login)

    def add_user(self, login: str, kind: str = "User") -> Row:
        """Make an account.

        Raises:
            InvalidError: the login is taken, or is none.
        """
        if kind != "Bot" and not is_login(login):
            raise InvalidError.of("User", "invalid", field="login")
        if self.user(login):
            raise InvalidError.of("User", "already_exists", field="login")
        return self.storage.insert("users", login=login, type=kind, created_at=now())

    def installation(self, login: str) -> Row | None:
        """Return the App's installation on an account, or None where it is not installed."""
        return self.storage.one("SELECT * FROM installations WHERE account = ? AND deleted_at IS NULL", login)

    def is_member(self, login: str) -> bool:
        """Tell whether a person belongs to the organization."""
        return login.lower() in {account.lower() for account in self.accounts}

    @property
    def accounts(self) -> list[str]:
        """The accounts the App can be installed on: the organization and `octo-dev`, which may be one."""
        return list(dict.fromkeys([self.credentials.owner, PERSON]))

    # repositories

    def repository(self, owner: str, name: str) -> Repository:
        """Return a repository by the names in an address, upper and lower case being one.

        Raises:
            NotFoundError: there is none.
            MovedError: it has another name now.
        """
        row = self.storage.one("SELECT * FROM repositories WHERE owner = ? AND name = ?", owner, name)
        if row:
            return self._repository(row)
        former = self.storage.one("SELECT repository_id FROM former_names WHERE owner = ? AND name = ?", owner, name)
        if not former:
            raise NotFoundError
        current = self.repository_by_id(former["repository_id"])
        raise MovedError(f"{owner}/{name}", current.full_name, current.id)

    def repository_by_id(self, repository_id: int) -> Repository:
        """Return the repository of that id, which must exist."""
        return self._repository(self.storage.get("repositories", repository_id))

    def repositories(self) -> list[Repository]:
        """Return all repositories, by name."""
        rows = self.storage.all("SELECT * FROM repositories ORDER BY owner, name")
        return [self._repository(row) for row in rows]

    def _repository(self, row: Row) -> Repository:
        full_name = f"{row['owner']}/{row['name']}"
        git = BareRepository(self.repositories_dir / f"{full_name}.git", self.git_environment)
        return Repository(row, git, f"{self.api_url}/repos/{full_name}", f"{self.base_url}/{full_name}")

    def require_free_name(self, owner: str, name: str) -> None:
        """Let a repository be called so.

        Raises:
            InvalidError: the name is taken, or is none.
        """
        if not _NAME.fullmatch(name) or name in {".", ".."} or name.lower().endswith(".git"):
            raise InvalidError.of("Repository", "custom", field="name", message="name is invalid")
        if self.storage.one("SELECT 1 FROM repositories WHERE owner = ? AND name = ?", owner, name):
            raise InvalidError.of("Repository", "custom", field="name", message="name already exists on this account")

    def create_repository(self, owner: str, name: str, *, description: str | None, private: bool) -> Repository:
        """Make an empty repository of an existing account.

        Raises:
            InvalidError: the name is taken, or is none.
        """
        self.require_free_name(owner, name)
        self.storage.all("DELETE FROM former_names WHERE owner = ? AND name = ?", owner, name)
        stamp = now()
        row = self.storage.insert(
            "repositories",
            owner=owner,
            name=name,
            description=description,
            private=private,
            archived=False,
            created_at=stamp,
            updated_at=stamp,
            pushed_at=stamp,
        )
        repository = self._repository(row)
        repository.git.create()
        return repository


def is_login(text: str) -> bool:
    """Tell whether an account may be called so."""
    return _LOGIN.fullmatch(text) is not None


def digest(token: str) -> str:
    """Return what is stored of a token: enough to know it again, not to use it."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class Acting:
    """Somebody at work on a repository: what is changed is changed, and announced, in the name of `login`."""

    site: Site
    repo: Repository
    login: str
