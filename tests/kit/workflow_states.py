"""The states of a session's workflow, in the order in which a session goes through them."""

from __future__ import annotations

WAY_TO_THE_URL = [
    "Prepare Session",
    "Claim Session",
    "Create Branch",
    "Open Draft Pull Request",
    "Take Slot",
    "Slot Taken?",
    "Run Agent",
    "Register IP",
    "Announce Session",
    "Supervise Session",
]
