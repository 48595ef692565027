"""An embedded AWS for tests: a process of their own, and the calls that tests make all the time.

`EmbeddedAwsProcess` starts and stops one and gives clients for it; `EmbeddedAws` has shorthands besides, for stacks,
functions, state machines, roles and tasks. `eventually` waits for what another process does. Needs boto3 and httpx.
"""

from __future__ import annotations

from embedded_aws.testing.account import ANY_ROLE, EmbeddedAws, Json
from embedded_aws.testing.process import EmbeddedAwsProcess
from embedded_aws.testing.waiting import eventually

__all__ = ["ANY_ROLE", "EmbeddedAws", "EmbeddedAwsProcess", "Json", "eventually"]
