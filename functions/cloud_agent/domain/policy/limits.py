"""How far one session may go: what the deployment allows, lowered by the repository's own file where that says so."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cloud_agent.domain.session.comment_trigger import CommentTrigger

if TYPE_CHECKING:
    from cloud_agent.domain.session.session import Session


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""For an integer as JSON Schema has it, also where types are strict: 3.0 is one, "3" and true are none."""


class WantedLimits(BaseModel):
    """What `.github/claude-cloud-agent.yml` says, as the agent read it; None where it says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle_minutes: Annotated[int, Field(ge=1, le=1440), WHOLE] | None = None
    max_turns: Annotated[int, Field(ge=1, le=100_000), WHOLE] | None = None
    budget_usd: float | None = Field(default=None, gt=0, le=100_000)
    ready_for_review: bool = True
    comment_trigger: CommentTrigger | None = None


class SessionLimits(BaseModel):
    """What holds for a session: minutes without activity, model turns and US dollars in all."""

    model_config = ConfigDict(frozen=True)

    idle_minutes: int
    max_turns: int
    budget_usd: Decimal

    def lowered_by(self, wanted: WantedLimits) -> SessionLimits:
        """Return these limits, or the repository's where lower: a file that the agent can write never raises one."""
        # To the millionth, as costs are: DynamoDB refuses numbers that are closer to zero than 1e-130.
        budget = self.budget_usd if wanted.budget_usd is None else Decimal(f"{wanted.budget_usd:.6f}")
        return SessionLimits(
            idle_minutes=min(self.idle_minutes, wanted.idle_minutes or self.idle_minutes),
            max_turns=min(self.max_turns, wanted.max_turns or self.max_turns),
            budget_usd=min(self.budget_usd, budget),
        )

    def of(self, session: Session) -> SessionLimits:
        """Return what the session's row says, or these limits where its agent has not reported yet."""
        return SessionLimits(
            idle_minutes=session.idle_minutes or self.idle_minutes,
            max_turns=session.max_turns or self.max_turns,
            budget_usd=self.budget_usd if session.budget_usd is None else session.budget_usd,
        )

    def reached_by(self, turns: int, cost_usd: Decimal) -> str | None:
        """Why a session that has come this far is to end, as a sentence for people; None while it may go on."""
        if cost_usd >= self.budget_usd:
            return f"The session's budget of ${self.budget_usd:.2f} is used up (${cost_usd:.2f} spent)."
        if turns >= self.max_turns:
            return f"The session's limit of {self.max_turns} turns is used up ({turns} taken)."
        return None
