"""What the Agent API answers, as contracts/agent_api.openapi.json describes it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from cloud_agent.domain.conversation.prompts import PromptKind
from cloud_agent.domain.session.agent_reports import PromptId, SecretName
from cloud_agent.domain.session.app import App
from cloud_agent.domain.session.model_choice import Effort
from cloud_agent.domain.session.session import SessionStatus


class ApiResponse(BaseModel):
    """A response body of the Agent API."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # a cold start builds what it reads


class Accepted(ApiResponse):
    """The report was accepted; there is nothing to add."""


class Remark(ApiResponse):
    """A comment on the issue, or on lines of the pull request: then `place` says which. Untrusted text."""

    author: str
    created_at: str
    url: str
    body: str
    place: str


class OpenPrompt(ApiResponse):
    """What a person asked for: the issue itself, or a comment or review on its pull request. Untrusted text.

    `author` wrote it and may be anybody; `requested_by` asked for the work and has write access. `left_out` names what
    GitHub doesn't show of the text. An issue that `is_edited` was edited after the label was added, by `edited_by` if
    that's known; a comment or review, by somebody other than its author. `labels`, `discussion` and `mentioned` are
    what stands beside an issue: what people of the repository had said about it until the work was asked for, and the
    titles of issues that its text mentions. `history` is what earlier sessions did, and why they ended. A review's text
    has as many numbered `threads`; Claude's message has a part for each. Where text or discussion name attached files,
    it `has_attachments`.
    """

    id: PromptId
    kind: PromptKind
    title: str
    body: str
    author: str
    requested_by: str
    url: str
    created_at: str
    left_out: tuple[str, ...]
    is_edited: bool
    edited_by: str
    threads: int
    labels: tuple[str, ...]
    discussion: tuple[Remark, ...]
    mentioned: tuple[str, ...]
    history: str
    requested_by_id: int | None
    has_attachments: bool


class OpenPrompts(ApiResponse):
    """The prompts without a reply yet, oldest first, and the id of the latest request to interrupt a turn.

    `branch_sha` is the commit that GitHub last said the session's branch was moved to, by anybody; null before that.
    `base_branch` is what its pull request is for by now: people may change it.
    `model` and `effort` are what somebody chose on the pull request; null where nobody did. `app` is the account that
    acts on GitHub, null where that isn't known yet, and `session_url` the address of the session's page, which somebody
    has open while it `is_watched`: then the transcript's events are wanted within a second.
    """

    prompts: tuple[OpenPrompt, ...]
    interrupt: str | None
    branch_sha: str | None
    base_branch: str
    model: str | None
    effort: Effort | None
    app: App | None
    session_url: str
    is_watched: bool


class Alive(OpenPrompts):
    """The session is live, where it is in its life, and what is asked of it."""

    status: SessionStatus


class GitToken(ApiResponse):
    """Credentials for Git over HTTP.

    A `DELETE` of `revocation_url` with the token revokes it; null for one that others use, too: it only reads, or is a
    personal access token.
    """

    username: str
    token: str
    expires_at: str
    revocation_url: str | None


class Attachment(ApiResponse):
    """A file that people attached: its `url` in the text, and the address of that text, which is the `source`.

    `signed_url` is where it can be fetched without credentials, for minutes, and so a credential itself; null where
    GitHub gives no such address.
    """

    url: str
    source: str
    signed_url: str | None


class Attachments(ApiResponse):
    """The files that a prompt's text and discussion name, in order. The first ones alone have a `signed_url`."""

    attachments: tuple[Attachment, ...]


class Environment(ApiResponse):
    """The values of the secrets asked for, by name."""

    values: dict[SecretName, str]


class DependencyArchives(ApiResponse):
    """Where archives of the installed dependencies can be, the one to prefer first; none where none are kept.

    Each URL is a credential, for minutes. A GET of one that leads to nothing is answered with 403 or 404.
    """

    urls: tuple[str, ...]


class Upload(ApiResponse):
    """Where an object is to be put, with these headers; null where none are kept. The URL is a credential."""

    url: str | None
    headers: dict[str, str]


class UnpublishedWork(ApiResponse):
    """Where the commits are that an earlier session of the branch couldn't push; null where none are kept.

    The URL is a credential, for minutes.
    """

    url: str | None


class TranscriptState(ApiResponse):
    """Whether the batch is part of the transcript, and which one comes next; none does where the transcript is full."""

    accepted: bool
    next_batch: int
    full: bool


class Picture(ApiResponse):
    """The picture's name in the transcript, its SHA-256; null where the session has as many as may be kept."""

    sha256: str | None


class Problem(ApiResponse):
    """Why the request was refused, in words that can be shown to a person."""

    message: str
