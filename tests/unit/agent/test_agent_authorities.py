"""The certificates of authorities are read once, however many clients the agent has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from cloud_agent_runner.agent_api import AgentApi
from cloud_agent_runner.attachments.download import Downloads
from cloud_agent_runner.authorities import authorities
from cloud_agent_runner.model.api import AnthropicApi
from cloud_agent_runner.model.budget import ModelBudget
from cloud_agent_runner.model.gateway import model_gateway

if TYPE_CHECKING:
    import ssl

    import pytest


async def test_clients_share_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def context(*, verify: object, **_: object) -> ssl.SSLContext:
        given.append(verify)
        return authorities()

    monkeypatch.setattr("httpx._transports.default.create_ssl_context", context)
    api = AgentApi("http://127.0.0.1:9", SecretStr("token"), SecretStr("task token"))
    downloads = Downloads([])
    model = AnthropicApi("claude-sonnet-5", "http://127.0.0.1:9", SecretStr("key"))
    async with model_gateway(model, ModelBudget(max_turns=1, budget_usd=1)):
        pass
    await api.aclose()
    await downloads.aclose()

    assert len(given) >= 3
    assert all(one is authorities() for one in given)
