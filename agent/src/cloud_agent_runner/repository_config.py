"""What a repository's own settings file may say, checked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from cloud_agent_runner.tool_policy import ALLOWED_TOOLS, Tool

CONFIG_PATH = ".github/claude-cloud-agent.yml"
# Given to every command by the agent itself.
_TAKEN_NAMES = ("HOME", "HOST", "LANG", "PATH", "PORT", "TMPDIR")


def _free(name: str) -> str:
    if name in _TAKEN_NAMES:
        raise ValueError(f"{name} is set by the agent itself; name the secret otherwise")
    return name


HostHeader = Literal["localhost", "public"]
SecretName = Annotated[
    str,
    Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$", json_schema_extra={"not": {"enum": list(_TAKEN_NAMES)}}),
    AfterValidator(_free),
]


class RepositoryConfig(BaseModel):
    """What a repository says about its sessions in `.github/claude-cloud-agent.yml`. Every key may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    install: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "Shell command that is run once, before the dev server. Left out together with `dev`, it is found out "
            "from the repository's files; beside a `dev`, nothing is installed."
        ),
        examples=["npm ci"],
    )
    dev: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "Shell command that starts the dev server, which should listen on the address in $HOST and the port in "
            "$PORT. Left out, it is found out from the repository's files."
        ),
        examples=["npm run dev", "python3 -m flask run --host $HOST --port $PORT"],
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Where the dev server listens, if it does not follow $PORT.",
        examples=[5173],
    )
    health_path: str | None = Field(
        default=None,
        pattern=r"^/[!-~]*$",
        description="Path that answers with a status below 500 once the dev server is up; `/` when left out.",
        examples=["/health"],
    )
    host_header: HostHeader = Field(
        default="localhost",
        description=(
            "The name that visitors' requests call the dev server by: `localhost` with its port, which dev servers "
            "accept unasked, or the `public` one, for an app that is configured to accept it."
        ),
        examples=["public"],
    )
    env: list[SecretName] = Field(
        default=[],
        max_length=50,
        description=(
            "Names of secrets, never values: the install command and the dev server get each as an environment "
            "variable. The values lie in AWS Secrets Manager."
        ),
        examples=[["STRIPE_KEY", "DATABASE_URL"]],
    )
    model: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,199}$",
        description="The model for this repository's sessions; the deployment's own when left out.",
        examples=["claude-sonnet-5"],
    )
    max_turns: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Model turns that a session may take. It can lower the deployment's limit, not raise it.",
        examples=[50],
    )
    budget_usd: float | None = Field(
        default=None,
        ge=0.01,
        le=100_000,
        allow_inf_nan=False,
        description="US dollars that a session may cost. It can lower the deployment's limit, not raise it.",
        examples=[2.5],
    )
    idle_minutes: int | None = Field(
        default=None,
        ge=1,
        le=1440,
        description=(
            "Minutes without a prompt, a turn or a visit after which a session ends. It can lower the deployment's "
            "limit, not raise it."
        ),
        examples=[30],
    )
    ready_for_review: bool = Field(
        default=True,
        description="Whether the draft pull request becomes ready for review when the first turn ends with commits.",
        examples=[False],
    )
    allowed_tools: list[Tool] = Field(
        default=list(ALLOWED_TOOLS),
        min_length=1,
        description="The tools that Claude may use; all of them when left out.",
        examples=[["Read", "Edit", "Write", "Glob", "Grep"]],
    )

    @field_validator("*", mode="before")
    @classmethod
    def _said(cls, value: object) -> object:
        if value is None:
            raise ValueError("there is nothing after the colon; give a value or remove the line")
        return value
