"""A task that has stopped, as ECS describes it in an event and in DescribeTasks alike."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """A frozen view of a part of ECS's document; members that aren't read are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class EnvironmentVariable(Document):
    """One variable of a RunTask override."""

    name: str
    value: str


class ContainerOverride(Document):
    """What RunTask changed for one container."""

    environment: tuple[EnvironmentVariable, ...] = ()


class TaskOverrides(Document):
    """What RunTask changed for the task."""

    containerOverrides: tuple[ContainerOverride, ...] = ()  # noqa: N815 - ECS's own spelling


class TaskContainer(Document):
    """A container's end as ECS saw it."""

    exitCode: int | None = None  # noqa: N815 - ECS's own spelling
    reason: str | None = None


FAILED_TO_START = "TaskFailedToStart"  # ECS's stopCode of a task whose containers never ran


class StoppedTask(Document):
    """The detail of an `ECS Task State Change` event whose lastStatus is STOPPED."""

    taskArn: str  # noqa: N815 - ECS's own spelling
    stoppedReason: str = ""  # noqa: N815 - ECS's own spelling
    stopCode: str = ""  # noqa: N815 - ECS's own spelling
    overrides: TaskOverrides = TaskOverrides()
    containers: tuple[TaskContainer, ...] = ()

    def variable(self, name: str) -> str | None:
        """Return the value RunTask gave the container for this environment variable."""
        for override in self.overrides.containerOverrides:
            for variable in override.environment:
                if variable.name == name:
                    return variable.value
        return None

    @property
    def words(self) -> str:
        """ECS's reason and exit codes in one sentence, and that the task never ran, if so."""
        never_ran = [self.stopCode] if self.stopCode == FAILED_TO_START else []
        reasons = [self.stoppedReason, *(container.reason or "" for container in self.containers)]
        codes = [f"exit code {c.exitCode}" for c in self.containers if c.exitCode is not None]
        return "; ".join(dict.fromkeys(part for part in [*reasons, *codes, *never_ran] if part)) or "no reason given"
