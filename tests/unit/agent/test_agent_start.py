"""What an agent imports as it starts."""

from __future__ import annotations

import subprocess
import sys


def _run(program: str) -> str:
    """What a new process prints; in this one, tests have imported whatever they like."""
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


def test_a_start_of_the_supervisor_builds_none_of_the_models_of_mcp() -> None:
    program = "import sys, cloud_agent_runner.supervisor; print({'claude_agent_sdk', 'mcp_types'} & sys.modules.keys())"

    imported = _run(program)

    assert imported == "{'claude_agent_sdk'}"


def test_what_is_left_out_says_so_where_it_is_used_after_all() -> None:
    program = "import cloud_agent_runner, mcp.types\ntry: mcp.types.Tool()\nexcept RuntimeError as error: print(error)"

    error = _run(program)

    assert error == "Tool is of the package mcp, which the agent does without"
