"""Who a turn's commits are by, and who asked for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cloud_agent_runner.agent_api_messages import Account

CommitAuthor = Literal["app", "requester", "claude"]
SESSION_TRAILER = "Claude-Session"
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?")


@dataclass(frozen=True)
class Identity:
    """A name and an address, as Git writes them."""

    name: str
    email: str

    def __str__(self) -> str:
        """Return it as trailers have it."""
        return f"{self.name} <{self.email}>"


CLAUDE = Identity("Claude", "noreply@anthropic.com")


@dataclass(frozen=True)
class Credit:
    """What Git says of commits that Claude makes: their author, and lines at the end of their messages."""

    author: Identity = CLAUDE
    trailers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Credits:
    """How a session's commits are credited: the author is whom the repository's settings say.

    GitHub links commits to an account by its noreply address, on the host of `github_url` (GitHub Docs, "Setting your
    commit email address").
    """

    author: CommitAuthor
    github_url: str

    def of(self, app: Account | None, requester: Account | None, session_url: str) -> Credit:
        """Return the credit of a turn, as far as the accounts are known."""
        by_app, by_requester = self._identity(app), self._identity(requester)
        author = {"app": by_app, "requester": by_requester, "claude": None}[self.author] or CLAUDE
        other = by_app if author == by_requester else by_requester
        credited = [f"Co-authored-by: {other}"] if other and other != author else []
        return Credit(author, (*credited, f"{SESSION_TRAILER}: {session_url}"))

    def _identity(self, account: Account | None) -> Identity | None:
        if account is None or not _LOGIN.fullmatch(account.login):
            return None
        host = urlsplit(self.github_url).hostname
        return Identity(account.login, f"{account.id}+{account.login}@users.noreply.{host}")
