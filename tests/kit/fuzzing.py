"""How much is tried where Hypothesis makes up what a stranger sends: little in `make test`, much in `make fuzz`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# `make fuzz` has a profile of its own, with many more examples.
FUZZED = settings(
    max_examples=settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
