"""How a dev server is to be run."""

from __future__ import annotations

from dataclasses import dataclass, field

from cloud_agent_runner.preview.preparation import NO_PREPARATION, Preparation


@dataclass(frozen=True)
class Process:
    """A process that runs beside the one that is shown: an API, a worker, or what builds the pages' styles.

    `port` is its $PORT. With none, it has neither that nor $HOST, and listens where it does on a developer's machine.
    """

    name: str
    command: str
    port: int | None = None


@dataclass(frozen=True)
class DevServerPlan:
    """How a dev server runs: what to run once before it, its command, where it listens and answers.

    `port` is the one it insists on, or is given; None when it's given the usual one, 3000. `leaves_usual_port` says
    that another server of the repository may want that one: then nobody else takes it, and without `port` the command
    gets none. `health_path` shows whether it works. `reloads` says whether it serves changed files without being
    restarted. `prepare` is what has to be done between the two. `why` names what shows in the repository that it runs
    so; for people, so that another reason alone is no other plan. `processes` run beside it.
    """

    dev: str
    install: str | None = None
    port: int | None = None
    leaves_usual_port: bool = False
    health_path: str = "/"
    reloads: bool = True
    prepare: Preparation = NO_PREPARATION
    processes: tuple[Process, ...] = ()
    why: str = field(default="", compare=False)

    @property
    def commands(self) -> tuple[str, ...]:
        """All that keeps running."""
        return (self.dev, *(process.command for process in self.processes))

    @property
    def in_words(self) -> str:
        """Its command, and what shows that it's the one, for people."""
        return f"`{self.dev}` ({self.why})" if self.why else f"`{self.dev}`"
