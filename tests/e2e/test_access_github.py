"""UatAccess=github, switched on by a stack update: who signs in and may read the repository is shown the session."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.e2e.browser import Browser
from tests.e2e.system import System, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def private(stage: System) -> Iterator[System]:
    """A private repository on the stage whose sessions are shown to those who may read it."""
    system = stage.at(stage.create_repository("in-private", {"README.md": "# For few\n"}))
    system.github.call("PATCH", f"/repos/{system.repository}", {"private": True})
    with stage.updated_stack(UatAccess="github"):
        yield system


def test_who_may_read_the_private_repository_signs_in_and_is_shown_the_session_and_others_are_not(
    private: System,
) -> None:
    private.person("eve")
    session = private.start("For few", "Please.")
    url = private.link(session)
    assert urlsplit(url).query == ""
    private.wait_for_row(session, lambda row: row.get("status") == "RUNNING")

    reader, stranger = Browser(private.installation, "octo-dev"), Browser(private.installation, "eve")
    shown = wait_for(lambda: reader.visit(url), lambda page: page.status == 200)
    refused = stranger.visit(url)

    own, github = urlsplit(url).netloc, urlsplit(private.installation.github_url).netloc
    sign_in = urlsplit(private.installation.sign_in_callback_url).netloc
    assert ("hello", [own, github, sign_in, own]) == (shown.text, shown.hosts)
    assert [own] == reader.visit(url).hosts
    assert (403, [own, github, sign_in, own]) == (refused.status, refused.hosts)
    assert "eve" in refused.text
    assert "hello" not in refused.text
