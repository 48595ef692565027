"""A session's task, as ECS describes it in its events and in DescribeTasks alike."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

GROUP = "session:"  # and the session's id: the task group that RunTask gives each session's task
FAILED_TO_START = "TaskFailedToStart"  # ECS's stopCode of a task whose containers never ran


def task_group(session_id: str) -> str:
    """Return the task group of a session's tasks."""
    return GROUP + session_id


def session_of_group(group: str) -> str | None:
    """Return the id of the session whose tasks are of this group; None for every other group."""
    return group.removeprefix(GROUP) if group.startswith(GROUP) else None


class Document(BaseModel):
    """A frozen view of a part of ECS's document; members that aren't read are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)  # a cold start builds what it reads


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


class AttachmentDetail(Document):
    """One fact about a network interface."""

    name: str = ""
    value: str = ""


class Attachment(Document):
    """A network interface of the task."""

    details: tuple[AttachmentDetail, ...] = ()


class AgentTask(Document):
    """A task at one moment. `version` grows with each change of it, so that the older of two views is known."""

    taskArn: str  # noqa: N815 - ECS's own spelling
    group: str = ""
    version: int
    createdAt: datetime  # noqa: N815 - ECS's own spelling
    lastStatus: str  # noqa: N815 - ECS's own spelling
    attachments: tuple[Attachment, ...] = ()
    stoppedReason: str = ""  # noqa: N815 - ECS's own spelling
    stopCode: str = ""  # noqa: N815 - ECS's own spelling
    overrides: TaskOverrides = TaskOverrides()
    containers: tuple[TaskContainer, ...] = ()

    @property
    def session_id(self) -> str | None:
        """The session that it was run for; None if it's no session's."""
        return session_of_group(self.group)

    @property
    def is_running(self) -> bool:
        """Whether its containers run."""
        return self.lastStatus == "RUNNING"

    @property
    def has_stopped(self) -> bool:
        """Whether it has come to its end."""
        return self.lastStatus == "STOPPED"

    @property
    def ip(self) -> str | None:
        """The private IPv4 address of its network interface; None while it has none."""
        details = (detail for attachment in self.attachments for detail in attachment.details)
        return next((detail.value for detail in details if detail.name == "privateIPv4Address"), None)

    def variable(self, name: str) -> str | None:
        """Return the value RunTask gave the container for this environment variable."""
        for override in self.overrides.containerOverrides:
            for variable in override.environment:
                if variable.name == name:
                    return variable.value
        return None

    @property
    def end(self) -> str:
        """ECS's reason and exit codes in one sentence, and that the task never ran, if so."""
        never_ran = [self.stopCode] if self.stopCode == FAILED_TO_START else []
        reasons = [self.stoppedReason, *(container.reason or "" for container in self.containers)]
        codes = [f"exit code {c.exitCode}" for c in self.containers if c.exitCode is not None]
        return "; ".join(dict.fromkeys(part for part in [*reasons, *codes, *never_ran] if part)) or "no reason given"
