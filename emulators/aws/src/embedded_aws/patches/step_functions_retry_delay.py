"""Defect: a retrier's MaxDelaySeconds and JitterStrategy are ignored.

AWS documents MaxDelaySeconds as the longest a backoff grows, and JitterStrategy FULL as a delay drawn evenly
between 0 and the backoff. (ministack cuts every delay at 60 s, which stays.)

Source: Amazon States Language specification, "Retrying after error".
Upstream: not reported.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from ministack.services import stepfunctions

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Retrier = dict[str, Any]


def apply() -> None:
    """Have the retrier that matched say the delay itself."""
    wrap(stepfunctions, "_find_matching_retrier", _find_matching_retrier)


def _find_matching_retrier(
    original: Callable[..., tuple[Retrier | None, int]],
    retriers: list[Retrier],
    error: str,
    retry_counts: dict[int, int],
) -> tuple[Retrier | None, int]:
    retrier, index = original(retriers, error, retry_counts)
    if retrier is None:
        return None, index
    delay = _delay_seconds(retrier, retry_counts.get(index, 0))
    return retrier | {"IntervalSeconds": delay, "BackoffRate": 1}, index


def _delay_seconds(retrier: Retrier, retries_made: int) -> float:
    backoff = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retries_made
    delay = min(backoff, retrier.get("MaxDelaySeconds", backoff))
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay  # noqa: S311 - no secret
