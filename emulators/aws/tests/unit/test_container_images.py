"""Which program an image runs."""

from __future__ import annotations

import sys

import pytest

from embedded_aws.images import ImageNotFoundError, Images

SHOP = "acme/shop:1"
IMAGES = Images({SHOP: ["/usr/bin/shop", "--serve"]})
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"


def test_an_image_runs_the_program_that_it_was_given() -> None:
    assert IMAGES.entry_point(SHOP) == ["/usr/bin/shop", "--serve"]


def test_there_is_always_an_image_of_python_and_of_each_python_program() -> None:
    assert IMAGES.entry_point("local/python") == [sys.executable]
    assert IMAGES.entry_point("local/python/srv/proxy.py:1") == [sys.executable, "-u", "/srv/proxy.py"]


def test_an_unknown_image_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ImageNotFoundError, match=r"failed to resolve ref acme:1: .*acme/shop:1, local/python\)"):
        IMAGES.entry_point("acme:1")
    with pytest.raises(ImageNotFoundError):
        IMAGES.entry_point("elsewhere/local/python/srv/proxy.py")


def test_the_accounts_registry_may_stand_before_an_image() -> None:
    assert IMAGES.entry_point(f"{REGISTRY}/{SHOP}") == IMAGES.entry_point(SHOP)
    assert IMAGES.entry_point(f"{REGISTRY}/local/python/srv/proxy.py:1") == [sys.executable, "-u", "/srv/proxy.py"]
