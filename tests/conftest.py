"""How the tests are shared out between the workers of `make test`: what has an expensive stage stays together."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put all tests of one deployed system, or else of one folder, onto the same worker: it is set up once."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        group = next((name for name in ("stage", "system") if name in fixtures), str(item.path.parent))
        item.add_marker(pytest.mark.xdist_group(group))
