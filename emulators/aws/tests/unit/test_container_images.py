"""The table of images."""

from __future__ import annotations

import sys

import pytest

from embedded_aws.images import ImageNotFoundError, entry_point


@pytest.mark.parametrize(
    ("image", "module"),
    [("claude-cloud-agent/agent:local", "cloud_agent_runner"), ("claude-cloud-agent/proxy:local", "cloud_agent_proxy")],
)
def test_an_image_of_this_project_runs_its_module(image: str, module: str) -> None:
    assert [sys.executable, "-P", "-s", "-m", module] == entry_point(image)


def test_an_unknown_image_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ImageNotFoundError, match=r"failed to resolve ref acme:1: .*claude-cloud-agent/agent:local"):
        entry_point("acme:1")


def test_the_accounts_registry_may_stand_before_an_image() -> None:
    registry = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
    assert entry_point("claude-cloud-agent/proxy:local") == entry_point(f"{registry}/claude-cloud-agent/proxy:local")
    assert [sys.executable, "-u", "/srv/proxy.py"] == entry_point(f"{registry}/local/python/srv/proxy.py:1")
