"""The settings that a repository may make for its sessions, and their limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from cloud_agent_runner.claude.tools import ALLOWED_TOOLS, Tool
from cloud_agent_runner.git.credit import CommitAuthor

NOTHING = "none"  # what a command is where there is to be none
CONFIG_PATH = ".github/claude-cloud-agent.yml"
# Given to every command by the agent itself.
_RESERVED_NAMES = ("HOME", "HOST", "LANG", "PATH", "PORT", "TMPDIR")


def _free(name: str) -> str:
    if name in _RESERVED_NAMES:
        raise ValueError(f"{name} is reserved for the agent; choose another name for the secret")
    return name


PATTERNS = {
    "health_path": "must be a path that starts with /, such as /health, without spaces",
    "ports": "must be the names of processes, such as api, each with a port",
    "env": "must be the names of secrets in capital letters, digits and underscores, such as DATABASE_URL",
    "model": "must be the name of a model, such as claude-sonnet-5-5",
    "tracker_keys": "must be project keys in capital letters and digits, such as AGNTS",
}
"""What the pattern of a key asks for, for people."""

Effort = Literal["low", "medium", "high", "xhigh", "max"]
ServiceName = Literal["postgres", "redis", "mysql"]
HostHeader = Literal["localhost", "public"]
SecretName = Annotated[
    str,
    Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$", json_schema_extra={"not": {"enum": list(_RESERVED_NAMES)}}),
    AfterValidator(_free),
]
ProcessName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
TrackerKey = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}$")]
ProcessPort = Annotated[int, Field(ge=1, le=65535)]


class RepositoryConfig(BaseModel):
    """A repository's settings for its sessions, from `.github/claude-cloud-agent.yml`. Every key is optional."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    install: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "Shell command to run once, before the dev server. If neither this nor `dev` is set, it's detected from "
            "the repository's files. If only `dev` is set, nothing is installed."
        ),
        examples=["npm ci"],
    )
    prepare: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "Shell command to run after `install` and before the dev server, such as one that makes the database. "
            "Detected from the repository's files if not set; `none` runs nothing."
        ),
        examples=["bin/rails db:prepare", "none"],
    )
    dev: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "Shell command that starts the dev server, which should listen on the address in $HOST and the port in "
            "$PORT. Detected from the repository's files if not set."
        ),
        examples=["npm run dev", "python3 -m flask run --host $HOST --port $PORT"],
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description=(
            "Port that the dev server listens on, if it ignores $PORT and shows pages on several. Found by itself if "
            "not set."
        ),
        examples=[5173],
    )
    ports: dict[ProcessName, ProcessPort] = Field(
        default={},
        max_length=10,
        description=(
            "What $PORT is for processes that run beside the dev server, by their names: those of a Procfile.dev, or "
            "the names of folders. Chosen by itself if not set."
        ),
        examples=[{"api": 8000}],
        json_schema_extra={"additionalProperties": False},
    )
    health_path: str | None = Field(
        default=None,
        pattern=r"^/[!-~]*$",
        description="Path whose response says whether the dev server works. Defaults to `/`.",
        examples=["/health"],
    )
    host_header: HostHeader = Field(
        default="localhost",
        description=(
            "Host header of the requests to the dev server: `localhost` with its port, which dev servers accept by "
            "default, or the `public` host name, for an app that is configured to accept it."
        ),
        examples=["public"],
    )
    reload: bool = Field(
        default=True,
        description=(
            "Whether open pages of the dev server reload in the browser after a turn that changed files. Pages of a "
            "dev server that does so itself are left to it."
        ),
        examples=[False],
    )
    services: list[ServiceName] | None = Field(
        default=None,
        max_length=3,
        description=(
            "Databases that run beside the dev server. Detected from the repository's files if not set; `[]` "
            "starts none."
        ),
        examples=[["postgres", "redis"]],
    )
    cache: bool = Field(
        default=True,
        description="Whether installed dependencies are kept for the repository's next sessions.",
        examples=[False],
    )
    env: list[SecretName] = Field(
        default=[],
        max_length=50,
        description=(
            "Names of secrets, never their values: the install command and the dev server get each as an environment "
            "variable. The values are stored in AWS Secrets Manager."
        ),
        examples=[["STRIPE_KEY", "DATABASE_URL"]],
    )
    model: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,199}$",
        description=(
            "Model for this repository's sessions, one that the deployment allows. Defaults to the deployment's. "
            "`/model` on a pull request outranks it."
        ),
        examples=["claude-opus-5-5"],
    )
    effort: Effort | None = Field(
        default=None,
        description="How much effort Claude puts into a turn. Defaults to the model's own.",
        examples=["high"],
    )
    commit_author: CommitAuthor = Field(
        default="app",
        description=(
            "Author of Claude's commits: the GitHub App (`app`), whoever requested the turn (`requester`), or "
            "`claude`. Whoever requested it is co-author, or else the App."
        ),
        examples=["requester"],
    )
    max_turns: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Maximum model turns of a session. Can lower the deployment's limit, not raise it.",
        examples=[50],
    )
    budget_usd: float | None = Field(
        default=None,
        ge=0.01,
        le=100_000,
        allow_inf_nan=False,
        description="Maximum cost of a session in US dollars. Can lower the deployment's limit, not raise it.",
        examples=[2.5],
    )
    idle_minutes: int | None = Field(
        default=None,
        ge=1,
        le=1440,
        description=(
            "Minutes without a prompt, a turn or a visit after which a session ends. Can lower the deployment's "
            "limit, not raise it."
        ),
        examples=[30],
    )
    ready_for_review: bool = Field(
        default=True,
        description="Whether to mark the draft pull request as ready for review when a first turn ends with commits.",
        examples=[False],
    )
    comment_trigger: Literal["all", "mentions"] | None = Field(
        default=None,
        description=(
            "Comments that Claude works on: `all` that ask for something, or only those that mention `@claude`. "
            "Defaults to the deployment's."
        ),
        examples=["mentions"],
    )
    tracker_keys: list[TrackerKey] = Field(
        default=[],
        max_length=20,
        description=(
            "Projects of an issue tracker such as Jira, beside the deployment's. With `AGNTS`, an issue titled "
            "`AGNTS-124 Show the total` has the branch `claude/agnts-124`. Only the default branch's list counts."
        ),
        examples=[["AGNTS", "SHOP"]],
    )
    secret_scan_ignore: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[],
        max_length=100,
        description=(
            "Paths of files whose new commits may contain what looks like a secret, such as test keys. `*` matches any "
            "characters, slashes too. Only the default branch's list counts."
        ),
        examples=[["tests/fixtures/*", "docs/authentication.md"]],
    )
    allowed_tools: list[Tool] = Field(
        default=list(ALLOWED_TOOLS),
        min_length=1,
        description="Tools that Claude may use. Defaults to all of them.",
        examples=[["Read", "Edit", "Write", "Glob", "Grep"]],
    )

    claude_settings: bool = Field(
        default=True,
        description="Whether Claude follows the repository's own CLAUDE.md, `.claude` folder and `.mcp.json`.",
        examples=[False],
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_given(cls, value: object) -> object:
        if value is None:
            raise ValueError("has no value; add one or remove the line")
        return value
