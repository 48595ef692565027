"""docs/costs.md: what the script says, and what an hour of a session may cost."""

from __future__ import annotations

from tests.costs.document import BUDGETS_USD, GOAL_USD, PATH, document, orchestration


def test_the_document_is_what_the_template_and_the_prices_come_to() -> None:
    assert PATH.read_text() == document(), "run `make costs`, and read what it changed"


def test_an_hour_of_orchestration_stays_within_a_cent_and_where_somebody_always_watches_within_a_fifth_more() -> None:
    assert {name: usd for name, usd in orchestration().items() if usd > BUDGETS_USD[name]} == {}
    assert {name: usd for name, usd in BUDGETS_USD.items() if usd > GOAL_USD} == {"somebody watches it, too": 0.012}
