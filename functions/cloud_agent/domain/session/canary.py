"""The canary: a session without an issue, whose dev server is always well, so that a visit tells of the path alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

CANARY_ID: Final = "00000000"  # a session id like others, which no repository, issue and delivery are likely to hash to
CANARY_PORT: Final = 3000
CANARY_RESPONSE: Final = b"claude-cloud-agent canary\n"
KEPT: Final = timedelta(hours=1)  # of the row after its last renewal: a canary that is switched off vanishes by itself
