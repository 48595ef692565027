"""`python -m scripted_model --port N`: serve the scripted model."""

from __future__ import annotations

import argparse

import uvicorn

from scripted_model.messages_api import application

# Longer than any client leaves a connection idle and then uses it again: one that is closed meanwhile has no response.
_IDLE_CONNECTION_SECONDS = 75


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A scripted model behind the Anthropic Messages API.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    options = parser.parse_args()
    uvicorn.run(
        application(),
        host=options.host,
        port=options.port,
        log_level="warning",
        timeout_keep_alive=_IDLE_CONNECTION_SECONDS,
    )


if __name__ == "__main__":
    main()
