"""Which of the repository's Claude settings have no effect, whatever their file holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cloud_agent_runner.claude.overridden_settings import overridden_settings, sentences
from cloud_agent_runner.claude.settings import outranking_settings
from cloud_agent_runner.model.access import pinned_model

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "claude-sonnet-5"
OURS = outranking_settings(MODEL, pinned_model(MODEL) | {"ANTHROPIC_BASE_URL": "http://127.0.0.1:21000"})


def _said(folder: Path, theirs: object) -> list[str]:
    (folder / ".claude").mkdir()
    (folder / ".claude" / "settings.json").write_text(json.dumps(theirs))
    return list(sentences(overridden_settings(folder, OURS)))


@pytest.mark.parametrize(
    ("theirs", "key", "instead"),
    [
        ({"env": {"ANTHROPIC_BASE_URL": "evil"}}, "env.ANTHROPIC_BASE_URL", "Claude calls the model only"),
        ({"env": {"https_proxy": "evil"}}, "env.https_proxy", "Claude calls the model only"),
        ({"env": {"CLAUDE_CODE_SUBAGENT_MODEL": "x"}}, "env.CLAUDE_CODE_SUBAGENT_MODEL", f"the session uses `{MODEL}`"),
        ({"env": {"CLAUDE_CODE_MAX_OUTPUT_TOKENS": 1}}, "env.CLAUDE_CODE_MAX_OUTPUT_TOKENS", "the session sets this"),
        ({"permissions": {"allow": ["Read", "Bash(git push origin:*)"]}}, "permissions.allow", "Claude can't push"),
        ({"enableAllProjectMcpServers": False}, "enableAllProjectMcpServers", "servers in `.mcp.json` run"),
    ],
)  # fmt: skip
def test_what_a_setting_tries_is_said_by_its_key_alone(tmp_path: Path, theirs: object, key: str, instead: str) -> None:
    (sentence,) = _said(tmp_path, theirs)

    assert sentence.startswith(f"In the repository's `.claude/settings.json`, `{key}` has no effect: {instead}")
    assert "evil" not in sentence


@pytest.mark.parametrize(
    "theirs",
    [
        [],
        {"env": [], "permissions": 1, "model": MODEL},
        {"env": {"ANYTHING": "1", "CLAUDE_CODE_USE_BEDROCK": ""}, "permissions": {"allow": "Bash(git push)"}},
        {"permissions": {"defaultMode": "default", "allow": ["Bash(git push-all)", "Bash(git status)"]}, "hooks": {}},
    ],
)
def test_nothing_is_said_of_what_has_its_effect_or_means_nothing(tmp_path: Path, theirs: object) -> None:
    assert _said(tmp_path, theirs) == []


def test_nothing_is_said_without_a_file(tmp_path: Path) -> None:
    assert overridden_settings(tmp_path, OURS) == {}
