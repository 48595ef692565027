"""UatAccess=github, switched on by a stack update: who signs in and may read the repository is shown the session."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.e2e.browser import Browser
from tests.e2e.system import System, wait_for

from cloud_agent_local import deployment

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def updated_stack(stage: System, **parameters: str) -> Iterator[None]:
    """The deployed template with changed parameters, until the block is left; the proxy has gone along."""
    cloudformation = stage.client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=deployment.STACK)["Stacks"]
    before = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}

    def update(values: dict[str, str]) -> None:
        cloudformation.update_stack(
            StackName=deployment.STACK,
            UsePreviousTemplate=True,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in (before | values).items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        every = {"Delay": 0.2, "MaxAttempts": 300}
        cloudformation.get_waiter("stack_update_complete").wait(StackName=deployment.STACK, WaiterConfig=every)
        outputs = stage.installation.outputs
        stage.client("ecs").get_waiter("services_stable").wait(
            cluster=outputs["ClusterArn"], services=[outputs["ProxyServiceArn"]], WaiterConfig=every
        )

    update(parameters)
    try:
        yield
    finally:
        update({})


@pytest.fixture
def private(stage: System) -> Iterator[System]:
    """A private repository on the stage whose sessions are shown to those who may read it."""
    system = stage.at(stage.create_repository("in-private", {"README.md": "# For few\n"}))
    system.github.call("PATCH", f"/repos/{system.repository}", {"private": True})
    with updated_stack(stage, UatAccess="github"):
        yield system


def test_who_may_read_the_private_repository_signs_in_and_is_shown_the_session_and_others_are_not(
    private: System,
) -> None:
    private.person("eve")
    session = private.start("For few", "Please.")
    url = private.link(session)
    assert "" == urlsplit(url).query
    private.wait_for_row(session, lambda row: "RUNNING" == row.get("status"))

    reader, stranger = Browser(private.installation, "octo-dev"), Browser(private.installation, "eve")
    shown = wait_for(lambda: reader.visit(url), lambda page: 200 == page.status)
    refused = stranger.visit(url)

    own, github = urlsplit(url).netloc, urlsplit(private.installation.github_url).netloc
    sign_in = urlsplit(private.installation.sign_in_callback_url).netloc
    assert ("hello", [own, github, sign_in, own]) == (shown.text, shown.hosts)
    assert [own] == reader.visit(url).hosts
    assert (403, [own, github, sign_in, own]) == (refused.status, refused.hosts)
    assert "eve" in refused.text
    assert "hello" not in refused.text
