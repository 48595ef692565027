"""The checks in the order of the path: first what everything stands on, then from the browser to the dev server."""

from typing import Final

from cloud_agent.doctor.check import Check
from cloud_agent.doctor.checks import stack

CHECKS: Final[tuple[Check, ...]] = (stack.CHECK,)
