"""A session as a person sees it on GitHub: its one status comment, Claude's answers, its pull request."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from cloud_agent_local.errors import DemoError
from cloud_agent_local.sessions import sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_agent_local.github_client import GitHubClient
    from cloud_agent_local.installation import Installation

POLL_SECONDS = 0.2
_BUTTON = "**["
# A session without a preview has its page alone.
_LIVE = re.compile(re.escape(_BUTTON) + r"(?:Open preview|Session)\]\((\S+?)\)")


def live_link(comment: str) -> str | None:
    """Where the session's URL leads in its status comment; None while, or once, there is none."""
    found = _LIVE.search(comment)
    return found[1] if found else None


class SessionOnGitHub:
    """One session's pull request, and the row that leads there."""

    def __init__(self, installation: Installation, github: GitHubClient, session_id: str) -> None:
        self._installation = installation
        self._github = github
        self._id = session_id

    def row(self) -> dict[str, str]:
        """Return the session's row.

        Raises:
            DemoError: there is none.
        """
        for row in sessions(self._installation):
            if row["session_id"] == self._id:
                return row
        raise DemoError(f"The sessions table has no row for {self._id}.")

    def pull_request(self) -> dict[str, Any]:
        """Return the pull request as GitHub has it now."""
        return dict(self._github.call("GET", self._path("pulls")))

    def commits(self) -> list[dict[str, Any]]:
        """Return the pull request's commits, oldest first."""
        return list(self._github.call("GET", f"{self._path('pulls')}/commits"))

    def comment(self, body: str) -> dict[str, Any]:
        """Write on the pull request."""
        return dict(self._github.call("POST", self._comments_path, {"body": body}))

    def status_comment(self, words: str, seconds: float) -> dict[str, Any]:
        """Return the session's one status comment once it says these words.

        Raises:
            DemoError: it does not within `seconds`.
        """
        return self._wait(
            lambda body: self._marker in body and words in body, f"The status comment with {words!r}", seconds
        )

    def current_link(self) -> str | None:
        """Return the link in the status comment as it is now; None where there is no comment or link yet."""
        bodies = [comment["body"] for comment in self._github.call("GET", self._comments_path)]
        return next((live_link(body) for body in bodies if self._marker in body), None)

    def link(self, seconds: float) -> str:
        """Return the link to the live session that people find in its status comment.

        Raises:
            DemoError: there is none within `seconds`.
        """
        body = self.status_comment(_BUTTON, seconds)["body"]
        link = live_link(body)
        if link is None:
            raise DemoError("The status comment names the live session without linking it.")
        return link

    def reply(self, url: str, seconds: float) -> dict[str, Any]:
        """Claude's reply to the issue or comment at this address.

        Raises:
            DemoError: it is not there within `seconds`.
        """
        marker = "<!-- claude-cloud-agent:turn:"
        return self._wait(lambda body: marker in body and f"({url})" in body, f"Claude's reply to {url}", seconds)

    def _wait(self, is_wanted: Callable[[str], bool], name: str, seconds: float) -> dict[str, Any]:
        """Return the one comment that is wanted, as soon as there is any."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [comment for comment in self._github.call("GET", self._comments_path) if is_wanted(comment["body"])]
            if len(found) > 1:
                raise DemoError(f"{name} is on the pull request {len(found)} times, not once.")
            if found:
                return dict(found[0])
            time.sleep(POLL_SECONDS)
        raise DemoError(f"{name} was not on the pull request within {seconds:.0f} s.")

    @property
    def _marker(self) -> str:
        return f"<!-- claude-cloud-agent:session:{self._id} -->"

    @property
    def _comments_path(self) -> str:
        return f"{self._path('issues')}/comments"

    def _path(self, kind: str) -> str:
        """Return where the API has the pull request: in the session's repository, which needn't be the sample."""
        row = self.row()
        return f"/repos/{row['repo']}/{kind}/{row['pull_number']}"
