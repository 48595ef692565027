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


def test_a_start_of_the_supervisor_imports_nothing_to_check_the_arguments_of_tools_that_it_does_not_have() -> None:
    program = "import sys, cloud_agent_runner.supervisor; print({'claude_agent_sdk', 'attr'} & sys.modules.keys())"

    imported = _run(program)

    assert imported == "{'claude_agent_sdk'}"


def test_who_imports_the_checks_after_the_sdk_has_them() -> None:
    program = "import cloud_agent_runner.claude, jsonschema; print(jsonschema.Draft202012Validator({}).is_valid(1))"

    is_valid = _run(program)

    assert is_valid == "True"


def test_a_process_beside_the_supervisor_begins_without_the_machinery_of_imports() -> None:
    program = "import sys, cloud_agent_runner; print({'cloud_agent_runner', 'importlib.abc'} & sys.modules.keys())"

    imported = _run(program)

    assert imported == "{'cloud_agent_runner'}"
