"""A session as the proxy sees it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from pydantic import BaseModel, ConfigDict, Field, field_validator

_LOWEST_PORT, _HIGHEST_PORT = 1024, 65535


class AddressRefusedError(Exception):
    """The session's row names an address that no session can have."""


class SessionStatus(StrEnum):
    """Where a session is in its life."""

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether the session is over; no session leaves such a status."""
        return self in {SessionStatus.COMPLETED, SessionStatus.STOPPED, SessionStatus.FAILED}


class HostHeader(StrEnum):
    """By which name a dev server is called."""

    LOCALHOST = "localhost"
    LOOPBACK = "127.0.0.1"
    PUBLIC = "public"


@dataclass(frozen=True)
class Address:
    """Where a session's dev server listens, and by which name it is called."""

    ip: IPv4Address
    port: int
    host_header: HostHeader = HostHeader.LOCALHOST

    def __str__(self) -> str:
        """Return where it listens, as HAProxy lists its connections."""
        return f"{self.ip}:{self.port}"

    @property
    def route(self) -> str:
        """It as the map of HAProxy holds it: `10.0.0.7:3000`, `10.0.0.7:3000:127.0.0.1`, `10.0.0.7:3000:public`."""
        return str(self) if self.host_header is HostHeader.LOCALHOST else f"{self}:{self.host_header}"


class PreviewState(StrEnum):
    """How far a session's dev server is; NONE where its repository has none."""

    STARTING = "starting"
    LIVE = "live"
    FAILED = "failed"
    NONE = "none"


class Preview(BaseModel):
    """What the container has reported of its dev server."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: PreviewState
    detail: str = ""
    """What it waits for, or what is wrong, in a sentence."""
    log: str = ""
    """The last lines of what was run."""


class Session(BaseModel):
    """What the sessions table says of one session; what the proxy does not need is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    id: str
    status: SessionStatus
    ip: IPv4Address | None = None
    port: int | None = None
    repo: str = ""
    """The repository it works on (owner/name), whose readers may see it in mode `github`."""
    host_header: HostHeader = HostHeader.LOCALHOST
    end_reason: str = ""
    pull_url: str = ""
    pull_number: int | None = None
    initial_sha: str | None = None
    container_reported: bool = Field(default=False, validation_alias="start_token")
    """Whether the container of a STARTING session has reported to the Agent API."""
    preview: Preview | None = None
    preview_port: int | None = None
    """Where visitors reach it, if that isn't `port`."""
    page_revision: int | None = None
    """How many changes of its pages there have been; None if they aren't to be reloaded."""
    issue_number: int | None = None
    issue_title: str = ""
    issue_url: str = ""
    branch: str = ""
    execution_arn: str = ""
    logs_url: str = ""
    """Where the AWS console shows what its container wrote; empty until it has one."""
    model: str = ""
    created_at: str = ""
    ended_at: str = ""
    idle_ends_at: str = ""
    """When it ends by itself if nobody comes and nothing happens."""
    turns: int = 0
    max_turns: int | None = None
    cost_usd: float = 0
    budget_usd: float | None = None

    @field_validator("container_reported", mode="before")
    @classmethod
    def _keep_no_token(cls, start_token: object) -> bool:
        """Return whether there is a token; the token itself is none of the proxy's business."""
        return bool(start_token)

    @property
    def has_live_preview(self) -> bool:
        """Whether there is a dev server to show."""
        is_live = self.preview is None or self.preview.state is PreviewState.LIVE
        return self.status is SessionStatus.RUNNING and is_live

    @property
    def visited_port(self) -> int | None:
        """The port at which visitors reach its dev server."""
        return self.preview_port or self.port

    def address_within(self, network: IPv4Network) -> Address | None:
        """Return where visitors are sent, None while there is no such place.

        Raises:
            AddressRefusedError: the place is outside `network`, link-local (the metadata service of the
                machine lives there) or a system port.
        """
        # Without a live preview visitors get the page that says why, and not that of a refused connection.
        port = self.visited_port
        if not self.has_live_preview or self.ip is None or port is None:
            return None
        if self.ip not in network or self.ip.is_link_local:
            raise AddressRefusedError(f"session {self.id}: {self.ip} is not an address of {network}")
        if not _LOWEST_PORT <= port <= _HIGHEST_PORT:
            raise AddressRefusedError(f"session {self.id}: port {port} is not in 1024..65535")
        return Address(self.ip, port, self.host_header)
