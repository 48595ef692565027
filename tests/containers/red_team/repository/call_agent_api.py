"""In a turn: calls the Agent API with tokens that are guessed, `call_agent_api.py URL SESSION`."""

from __future__ import annotations

import sys

from attempts import refused, run

url, session = sys.argv[1:]
TOKENS = (f"{session}.guessed-guessed-guessed", f"{session}.", "guessed", "")
run(
    "guess_a_token_of_the_agent_api",
    [
        (
            f"{path} with {token}",
            lambda path=path, token=token: refused(url + path, 401, {"authorization": f"Bearer {token}"}),
        )
        for token in TOKENS
        for path in (
            "/agent/heartbeat",
            "/agent/git-read-token",
            "/agent/git-token",
            "/agent/done",
            "/agent/environment",
        )
    ],
)
