"""What a call of a model costs, at list prices.

The prices are those of "Claude API: Pricing" on `AS_OF`, in US dollars per million tokens. A test holds them equal to
the catalog inside the pinned Claude Code, so that a new version can't bring a model that has no price here. A discount
isn't known here: a deployment that has one spends less than its budget.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_agent_runner.model.usage import Tokens, Usage

logger = logging.getLogger(__name__)

AS_OF = "2026-11-20"
_MILLION = 1_000_000
_WEB_SEARCH_USD = 0.01
# Inference kept in the United States, and on Bedrock every inference profile that isn't global, costs a tenth more.
# Bedrock's models before Claude 4.5 don't: they are metered too high, never too low.
_REGIONAL = 1.1
_BEDROCK = re.compile(r"^(?:arn:[^/]+/)?(?:(?P<scope>[a-z-]+)\.)?anthropic\.(?P<name>.+)$")
_VERSION = re.compile(r"(?:-latest|[-@]\d{8})?(?:-v\d+(?::\d+)?)?$")


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens; `long_prompt` replaces all of them above that many tokens of input."""

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float
    long_prompt: tuple[int, Price] | None = None

    def usd(self, tokens: Tokens) -> float:
        """Return what one pass over a prompt costs."""
        if self.long_prompt and tokens.prompt > self.long_prompt[0]:
            return self.long_prompt[1].usd(tokens)
        return (
            tokens.input * self.input
            + tokens.output * self.output
            + tokens.cache_write_5m * self.cache_write_5m
            + tokens.cache_write_1h * self.cache_write_1h
            + tokens.cache_read * self.cache_read
        ) / _MILLION


_OPUS_4 = Price(15, 75, 18.75, 30, 1.5)
_OPUS_4_5 = Price(5, 25, 6.25, 10, 0.5)
_SONNET_4 = Price(3, 15, 3.75, 6, 0.3)
_FABLE_5 = Price(10, 50, 12.5, 20, 1)
_FABLE_5_1 = Price(10, 50, 12.5, 20, 0.25)
_FABLE_5_2 = Price(8, 40, 10, 16, 0.2)
_PRICES = {
    "claude-3-5-haiku": Price(0.8, 4, 1, 1.6, 0.08),
    "claude-3-5-sonnet": _SONNET_4,
    "claude-3-7-sonnet": _SONNET_4,
    "claude-fable-5": _FABLE_5,
    "claude-fable-5-1": _FABLE_5_1,
    "claude-fable-5-2": _FABLE_5_2,
    "claude-haiku-4-5": Price(1, 5, 1.25, 2, 0.1),
    "claude-haiku-5-5": Price(0.1, 0.5, 0.125, 0.2, 0.01, (100_000, Price(0.5, 2.5, 0.625, 1, 0.05))),
    "claude-mythos-5": _FABLE_5,
    "claude-mythos-5-1": _FABLE_5_1,
    "claude-mythos-5-2": _FABLE_5_2,
    "claude-opus-4": _OPUS_4,
    "claude-opus-4-0": _OPUS_4,
    "claude-opus-4-1": _OPUS_4,
    "claude-opus-4-5": _OPUS_4_5,
    "claude-opus-4-6": _OPUS_4_5,
    "claude-opus-4-7": _OPUS_4_5,
    "claude-opus-4-8": _OPUS_4_5,
    "claude-opus-5": _OPUS_4_5,
    "claude-opus-5-5": Price(4, 20, 5, 8, 0.2),
    "claude-sonnet-4": _SONNET_4,
    "claude-sonnet-4-0": _SONNET_4,
    "claude-sonnet-4-5": _SONNET_4,
    "claude-sonnet-4-6": _SONNET_4,
    "claude-sonnet-5": Price(2, 10, 2.5, 4, 0.2),
    "claude-sonnet-5-5": Price(2, 10, 2.5, 4, 0.1),
}
_DEAREST = max(_PRICES.values(), key=lambda price: price.output)


def cost_usd(model: str, usage: Usage) -> float:
    """Return what a call of `model` costs.

    The model that responded has the say, where its price is known. A call for which none is known is metered at the
    highest price, and the log says so once.
    """
    usd = sum(_price(tokens.model, model).usd(tokens) for tokens in usage.passes)
    return usd * _surcharge(model, usage) + usage.web_searches * _WEB_SEARCH_USD


def _surcharge(model: str, usage: Usage) -> float:
    bedrock = _BEDROCK.match(model)
    regional = bedrock["scope"] != "global" if bedrock else usage.in_the_us
    return _REGIONAL if regional else 1


@cache
def _price(*models: str | None) -> Price:
    for model in models:
        bedrock = _BEDROCK.match(model or "")
        if price := _PRICES.get(_VERSION.sub("", bedrock["name"] if bedrock else model or "")):
            return price
    logger.warning("model without a price", extra={"models": models, "metered_at": _DEAREST})
    return _DEAREST
