"""Why commits didn't get to GitHub."""

from __future__ import annotations

from cloud_agent_runner.errors import AgentError


class PublishFailedError(AgentError):
    """Commits could not be pushed; they are still in the work tree, and the next turn tries again."""


class PublishRefusedError(PublishFailedError):
    """The commits must not be pushed as they are. `request` tells Claude what to change in them."""

    def __init__(self, text: str, request: str) -> None:
        super().__init__(text)
        self.request = request
