"""What the Agent API and the container say to each other, as contracts/agent_api.openapi.json describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, SecretStr

from cloud_agent_runner.repository.config import Effort

if TYPE_CHECKING:
    from cloud_agent_runner.repository.config import HostHeader


class Account(BaseModel):
    """An account on GitHub."""

    login: str
    id: int


class Remark(BaseModel):
    """A comment on the issue, or on lines of the pull request: then `place` says which."""

    author: str
    created_at: str = ""
    url: str = ""
    body: str
    place: str = ""


class Prompt(BaseModel):
    """What a person asked for: the issue or pull request itself, or a comment or review on the pull request.

    `author` wrote it, `requested_by` asked for the work. `left_out` names what GitHub doesn't show of it. An issue that
    `is_edited` was edited after the label was added, a comment or review by somebody other than its author. `labels`,
    `discussion` and `mentioned` are what stands beside it, `history` is what earlier sessions did. A review's body has
    as many numbered `threads`. It `has_attachments` where body or discussion name attached files.
    """

    id: str
    kind: Literal["issue", "pull_request", "comment", "review", "review_comment"]
    title: str = ""
    body: str = ""
    author: str = ""
    requested_by: str = ""
    url: str = ""
    created_at: str = ""
    left_out: list[str] = []
    is_edited: bool = False
    edited_by: str = ""
    threads: int = 0
    labels: list[str] = []
    discussion: list[Remark] = []
    mentioned: list[str] = []
    history: str = ""
    requested_by_id: int | None = None
    has_attachments: bool = False

    @property
    def requester(self) -> Account | None:
        """The account of whoever asked for the work, where its id is known."""
        return Account(login=self.requested_by, id=self.requested_by_id) if self.requested_by_id else None


class Requests(BaseModel):
    """All unanswered prompts, the latest request to interrupt, by its id, and the commit the branch was moved to.

    `base_branch` is what its pull request is for by now.
    `model` and `effort` are what somebody chose on the pull request; None where nobody did. `app` is the account that
    acts on GitHub. The session `is_watched` while somebody has its page open; an API that doesn't know says it is.
    """

    prompts: list[Prompt] = []
    interrupt: str | None = None
    branch_sha: str | None = None
    base_branch: str = ""
    model: str | None = None
    effort: Effort | None = None
    app: Account | None = None
    session_url: str = ""
    is_watched: bool = True


class SessionLimits(BaseModel):
    """What the repository says about its session's end and review; None where it says nothing."""

    idle_minutes: int | None
    max_turns: int | None
    budget_usd: float | None
    ready_for_review: bool
    comment_trigger: Literal["all", "mentions"] | None


# Of commits that aren't on GitHub: kept for the branch's next session, in the container alone because they're too large
# or for another reason, all there by now, or an earlier session's that couldn't be taken up.
WorkState = Literal["kept", "too_large", "not_kept", "published", "not_taken_up"]
PreviewState = Literal["starting", "live", "failed", "none"]


@dataclass(frozen=True)
class PreviewReport:
    """How the preview is: `detail` is a line for people, `log` the last lines of what was run, where they say more.

    `host_header` is by which name visitors' requests are to call the dev server; None as before. `revision` counts the
    changes of its pages, each of which has open ones reloaded; None if they aren't to be. `port` is where visitors
    reach it; None where that's the one that the agent was ready with.
    """

    state: PreviewState
    detail: str = ""
    log: str = ""
    host_header: HostHeader | Literal["127.0.0.1"] | None = None
    revision: int | None = None
    port: int | None = None


class GitToken(BaseModel):
    """Credentials for git over HTTP, for this repository alone and at most an hour.

    At `revocation_url` the token is revoked with itself; None for one that others use, too: it only reads, or is a
    personal token.
    """

    username: str
    token: SecretStr
    revocation_url: str | None = None


class Attachment(BaseModel):
    """A file that people attached: its `url` in the text, and the address of that text, which is the `source`.

    `signed_url` is where it can be fetched without credentials, for minutes, and a credential itself.
    """

    url: str
    source: str
    signed_url: SecretStr | None


class DependencyArchives(BaseModel):
    """Where archives of installed dependencies can be, the one to prefer first. A URL is a credential."""

    urls: list[SecretStr]


class Upload(BaseModel):
    """Where an object is to be put, and with which headers; None where none are kept. The URL is a credential."""

    url: SecretStr | None
    headers: dict[str, str]


class TranscriptState(BaseModel):
    """Whether a batch of the transcript was accepted, and which one comes next; none does where it's full."""

    accepted: bool
    next_batch: int
    full: bool


class Picture(BaseModel):
    """The name of a picture that was kept, the SHA-256 of its content; None where the session has too many."""

    sha256: str | None
