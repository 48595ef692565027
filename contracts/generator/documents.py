"""The contracts that follow from code, as they stand in their files."""

from __future__ import annotations

import json
from pathlib import Path

from contracts.generator.agent_api import agent_api
from contracts.generator.session_row import session_row
from contracts.generator.transcript import transcript

CONTRACTS = Path(__file__).parents[1]


def documents() -> dict[str, str]:
    """Return each file's text by its name in contracts/."""
    made = {
        "agent_api.openapi.json": agent_api(),
        "session_row.schema.json": session_row(),
        "transcript.schema.json": transcript(),
    }
    return {name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in made.items()}
