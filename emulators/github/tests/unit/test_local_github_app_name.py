"""The App's name, which whoever starts the local GitHub chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_github.documents import accounts
from local_github.site import Site

if TYPE_CHECKING:
    from pathlib import Path


def test_the_app_has_the_name_that_it_was_first_given(tmp_path: Path) -> None:
    Site(tmp_path, "http://localhost:4580", "acme", app_name="Lunch & Learn")
    site = Site(tmp_path, "http://localhost:4580", "acme", app_name="Another")

    described = accounts.app(site)
    assert (described["name"], described["slug"]) == ("Lunch & Learn", "lunch-learn")
    assert accounts.simple_user(site, "lunch-learn[bot]")["html_url"] == "http://localhost:4580/apps/lunch-learn"
