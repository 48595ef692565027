"""What `cloud-agent local status` says of a session beside its status."""

from __future__ import annotations

import pytest

from cloud_agent_local.status import standing


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"status": "QUEUED"}, "place 2 of 3"),
        ({"status": "STARTING"}, ""),
        ({"status": "RUNNING", "activity": "turn_started"}, "thinking"),
        ({"status": "RUNNING", "activity": "turn_finished"}, "waiting for a comment"),
        ({"status": "RUNNING", "activity": "Edit templates/home.html"}, "Edit templates/home.html"),
        (
            {"status": "STOPPED", "activity": "turn_started", "end_reason": "The issue was closed."},
            "The issue was closed.",
        ),
    ],
    ids=lambda value: value.get("activity") or value["status"] if isinstance(value, dict) else "",
)
def test_a_session_says_its_place_what_it_does_or_why_it_ended(row: dict[str, str], words: str) -> None:
    assert words == standing({"session_id": "09e22a8b", **row}, ["1c1d65f3", "09e22a8b", "2f7d4e93"])
