"""What a session's pull request is for, which people may change during the session."""

from __future__ import annotations

from cloud_agent_runner.git.update import NOTHING_NEW, Update


class Base:
    """The branch that the pull request is for, as it was when the session began, and as it is by now."""

    def __init__(self, first: str) -> None:
        self._first = self._now = self._told = first

    def changes_to(self, base: str) -> bool:
        """Whether this is news; an empty name says nothing."""
        if base in {"", self._now}:
            return False
        self._now = base
        if not self._first:  # nobody knew when the session began
            self._first = self._told = base
        return True

    def update(self) -> Update:
        """Return what Claude has to know: its instructions name the first one for good, so each turn says another."""
        before, self._told = self._told, self._now
        if self._now != self._first:
            return Update(
                f"The pull request is for {self._now} by now, not for {self._first}: "
                f"`github/{self._now}` is the branch to merge or rebase from."
            )
        return NOTHING_NEW if self._now == before else Update(f"The pull request is for {self._now} again.")
