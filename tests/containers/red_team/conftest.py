"""The session that all attacks are made in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.containers.red_team.attacked import Attacked, attacked_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.system import System

    from embedded_aws.containers.engine import Engine


@pytest.fixture(scope="package")
def attacked(system: System, engine: Engine) -> Iterator[Attacked]:
    """The session, attacked; it ends when all has been looked at."""
    with attacked_session(system, engine) as attacked:
        yield attacked
