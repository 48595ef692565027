"""A company's proxy and authority reach every program that needs them, and nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_agent_runner.git.command import git
from cloud_agent_runner.workspace.network_environment import network_environment

if TYPE_CHECKING:
    from pathlib import Path

PROXY = "http://proxy.example.test:3128"


def test_nothing_but_the_network_is_passed_on() -> None:
    given = {"ANTHROPIC_API_KEY": "k", "SESSION_TOKEN": "t", "PIP_CERT": "/ca.pem", "AWS_CA_BUNDLE": ""}
    assert network_environment(given) == {"PIP_CERT": "/ca.pem"}


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_stands_in_both_spellings_and_is_not_asked_for_what_is_near(name: str) -> None:
    network = network_environment({name: PROXY, "no_proxy": "git.example.test, 127.0.0.1"})

    assert network["HTTPS_PROXY"] == network["https_proxy"] == PROXY
    assert network["NO_PROXY"] == network["no_proxy"]
    assert network["NO_PROXY"].split(",")[:2] == ["git.example.test", "127.0.0.1"]
    assert {"localhost", "::1", "169.254.170.2"} <= set(network["NO_PROXY"].split(","))
    assert network["NO_PROXY"].count("127.0.0.1") == 1
    assert "HTTP_PROXY" not in network


def test_what_no_proxy_reaches_is_no_news_where_there_is_none() -> None:
    assert network_environment({"NO_PROXY": "git.example.test"}) == {}


async def test_the_supervisors_own_git_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {"HTTPS_PROXY": PROXY, "GIT_SSL_CAINFO": "/ca.pem"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    lines = (await git("-c", "alias.environment=!env", "environment", at=tmp_path)).splitlines()

    assert {f"{name}={value}" for name, value in {**given, "https_proxy": PROXY}.items()} <= set(lines)
