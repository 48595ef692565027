"""The pull request's description in a turn's last message."""

from __future__ import annotations

import pytest

from cloud_agent_runner.claude.description import without_description


@pytest.mark.parametrize(
    ("result", "rest", "description"),
    [
        ("Done.\n\n<pull-request>\nShow it.\n\nOpen it.\n</pull-request>", "Done.", "Show it.\n\nOpen it."),
        ("Done.\n<pull-request>\nA\n</pull-request>\n\n(Pushed.)", "Done.\n\n(Pushed.)", "A"),
        ("1\n<pull-request>\nA\n</pull-request>\n2\n<pull-request>\nB\n</pull-request>", "1\n\n2", "B"),
        ("<pull-request>\nA\n</pull-request>", "A", "A"),
        ("Done.", "Done.", ""),
        ("", "", ""),
        ("Done.\n<pull-request>\nbroken off", "Done.\n<pull-request>\nbroken off", ""),
        ("It's <pull-request> A </pull-request>.", "It's <pull-request> A </pull-request>.", ""),
        ("Done.\n<pull-request>\n\n</pull-request>", "Done.", ""),
    ],
)
def test_it_is_taken_out_where_it_is_whole(result: str, rest: str, description: str) -> None:
    assert without_description(result) == (rest, description)
