"""How a dev server is to be run."""

from __future__ import annotations

from dataclasses import dataclass, field

from cloud_agent_runner.preview.preparation import NO_PREPARATION, Preparation


@dataclass(frozen=True)
class DevServerPlan:
    """How a dev server runs: what to run once before it, its command, where it listens and answers.

    `port` is the one it insists on; None when it follows $PORT. `health_path` shows whether it works. `reloads` says
    whether it serves changed files without being restarted. `prepare` is what has to be done between the two. `why`
    names what shows in the repository that it runs so; for people, so that another reason alone is no other plan.
    """

    dev: str
    install: str | None = None
    port: int | None = None
    health_path: str = "/"
    reloads: bool = True
    prepare: Preparation = NO_PREPARATION
    why: str = field(default="", compare=False)

    @property
    def in_words(self) -> str:
        """Its command, and what shows that it's the one, for people."""
        return f"`{self.dev}` ({self.why})" if self.why else f"`{self.dev}`"
