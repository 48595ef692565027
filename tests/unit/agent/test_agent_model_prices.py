"""The prices, held equal to the catalog that the pinned Claude Code carries inside its program."""

from __future__ import annotations

import logging
import mmap
import re
from pathlib import Path

import claude_agent_sdk
import pytest
from tests.kit.stack_template import MODES, read_template, refusals

from cloud_agent_runner.model.prices import cost_usd
from cloud_agent_runner.model.usage import Tokens, Usage

TEMPLATE = (Path(__file__).parents[3] / "template.yaml").read_text()
CLAUDE_CODE = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
A_MILLION_OF_EACH = {
    "input": Tokens(input=1_000_000),
    "output": Tokens(output=1_000_000),
    "cache_write_5m": Tokens(cache_write_5m=1_000_000),
    "cache_write_1h": Tokens(cache_write_1h=1_000_000),
    "cache_read": Tokens(cache_read=1_000_000),
}


@pytest.fixture(scope="module")
def catalog() -> str:
    """The models that Claude Code knows, with their ids and prices, as it has them in its source."""
    with CLAUDE_CODE.open("rb") as program, mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ) as content:
        begin = content.find(b"schema_version:1,pricing_tiers:{")
        return content[begin : content.find(b"alias_migration:", begin)].decode()


def _numbers(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"(\w+):([\d.e]+)", text)}


def _parameter(name: str) -> str:
    found = re.search(rf"^  {name}:\n(?:    .*\n)*", TEMPLATE, re.MULTILINE)
    assert found
    return found[0]


def _cost(model: str, tokens: Tokens) -> float:
    return cost_usd(model, Usage((tokens,)))


def test_every_model_that_claude_code_knows_has_the_price_that_it_has_there(catalog: str) -> None:
    tiers = dict(re.findall(r"(\w+):\{(input:[^{}]*(?:\{[^{}]*\})?)\}", catalog))
    model = r'\{id:"([\w-]+)",family:.*?first_party:"([^"]+)",bedrock:(?:null|"([^"]+)").*?pricing:"(\w+)"'
    models = re.findall(model, catalog)
    assert len(models) > 20
    for name, first_party, bedrock, tier in models:
        usual, _, above = tiers[tier].partition("long_prompt:")
        # A million tokens is a long prompt, where that has a price of its own; output alone isn't.
        prices = _numbers(usual) | ({} if not above else _numbers(above) | {"output": _numbers(usual)["output"]})
        for kind, tokens in A_MILLION_OF_EACH.items():
            costs = {id_: _cost(id_, tokens) for id_ in (name, first_party, bedrock) if id_}
            expected = {id_: prices[kind] * (1.1 if id_ == bedrock else 1) for id_ in costs}
            assert costs == pytest.approx(expected), (name, kind)


def test_every_alias_of_claude_code_and_our_default_are_models_with_a_price(
    catalog: str, caplog: pytest.LogCaptureFixture
) -> None:
    aliases = re.findall(r'"(claude-[\w-]+)"', catalog[catalog.index("aliases:") :])
    default = re.search(r"Default: (\S+)", _parameter("ClaudeModel"))
    assert default
    assert "claude-haiku-4-5" in aliases
    for model in {*aliases, default[1]}:
        assert _cost(model, Tokens(input=1_000_000)) > 0
    assert caplog.records == []


def test_our_default_is_the_latest_sonnet_that_claude_code_knows_here_and_on_bedrock(catalog: str) -> None:
    latest = re.search(r'latest_per_family:\{.*?sonnet:"([^"]+)"', catalog)
    assert latest
    on_bedrock = re.search(rf'first_party:"{latest[1]}",bedrock:"([^"]+)"', catalog)
    assert on_bedrock
    parameter = _parameter("ClaudeModel")
    assert f"    Default: {latest[1]}\n" in parameter
    assert f"an inference profile such as {on_bedrock[1]}.\n" in parameter


def test_the_template_knows_each_id_of_that_catalog_as_its_providers(catalog: str) -> None:
    template = read_template()
    aliases = re.findall(r'"(claude-[\w-]+)"', catalog[catalog.index("aliases:") :])
    ids = re.findall(r'first_party:"([^"]+)",bedrock:(?:"([^"]+)"|null)', catalog)
    for model in {*aliases, *(id_ for id_, _ in ids)}:
        given = MODES["own"] | {"ClaudeModel": model}
        assert refusals(template, given) == []
        assert len(refusals(template, given | {"ModelProvider": "bedrock"})) == 1, model
    for model in filter(None, (id_ for _, id_ in ids)):
        given = MODES["own"] | {"ClaudeModel": model}
        assert refusals(template, given | {"ModelProvider": "bedrock"}) == []
        assert len(refusals(template, given)) == 1, model


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        ("claude-sonnet-4-5", 3),
        ("claude-sonnet-4-5-20250929", 3),
        ("claude-3-7-sonnet-latest", 3),
        ("claude-opus-4-1@20250805", 15),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3),
        ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", 3),
        ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/global.anthropic.claude-opus-4-6-v1", 5),
    ],
)
def test_a_model_is_known_by_every_form_of_its_id(model: str, usd: float) -> None:
    assert _cost(model, Tokens(input=1_000_000)) == pytest.approx(usd)


def test_a_model_without_a_price_is_metered_at_the_highest_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    dearest = {kind: _cost("our-own-model", tokens) for kind, tokens in A_MILLION_OF_EACH.items()}
    assert dearest == {kind: _cost("claude-opus-4", tokens) for kind, tokens in A_MILLION_OF_EACH.items()}
    assert [record.message for record in caplog.records] == ["model without a price"]


def test_the_model_that_responded_has_the_say_where_its_price_is_known() -> None:
    def cost(model: str, responded: str) -> float:
        return _cost(model, Tokens(input=1_000_000, model=responded))

    assert cost("our-own-model", "claude-haiku-4-5-20251001") == pytest.approx(1)
    assert cost("claude-sonnet-5", "claude-opus-4-1") == pytest.approx(15)
    assert cost("claude-sonnet-5", "what-a-gateway-calls-it") == pytest.approx(2)
    assert cost("eu.anthropic.claude-sonnet-5", "claude-sonnet-5") == pytest.approx(2.2)


def test_inference_in_the_us_costs_a_tenth_more_and_a_web_search_a_cent() -> None:
    tokens = (Tokens(input=1_000_000),)
    assert cost_usd("claude-sonnet-5", Usage(tokens, in_the_us=True)) == pytest.approx(2.2)
    assert cost_usd("claude-sonnet-5", Usage(tokens, web_searches=3, in_the_us=True)) == pytest.approx(2.23)


def test_a_long_prompt_has_prices_of_its_own_with_what_comes_from_a_cache_counted() -> None:
    within = Tokens(input=1_000, cache_write_5m=10_000, cache_read=89_000, output=1_000_000)
    beyond = Tokens(input=1_001, cache_write_5m=10_000, cache_read=89_000, output=1_000_000)
    assert _cost("claude-haiku-5-5", within) == pytest.approx(0.5 + 0.00224)
    assert _cost("claude-haiku-5-5", beyond) == pytest.approx(2.5 + 0.0112005)
