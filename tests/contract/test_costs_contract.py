"""docs/costs.md: what the script says, and what an hour of a session may cost."""

from __future__ import annotations

from tests.costs.document import BUDGET_USD, PATH, document, orchestration


def test_the_document_is_what_the_template_and_the_prices_come_to() -> None:
    assert PATH.read_text() == document(), "run `make costs`, and read what it changed"


def test_whatever_claude_does_an_hour_of_orchestration_stays_within_its_budget() -> None:
    assert {name: usd for name, usd in orchestration().items() if usd > BUDGET_USD} == {}
