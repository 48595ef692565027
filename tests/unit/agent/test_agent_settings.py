from __future__ import annotations

import subprocess

import pytest

from cloud_agent_runner.settings import Platform, Settings, SettingsError

GIVEN = {
    "SESSION_ID": "09e22a8b",
    "SESSION_TOKEN": "s",
    "TASK_TOKEN": "t",
    "REPOSITORY": "acme/lunch",
    "BRANCH": "claude/42",
    "AGENT_API_URL": "https://api.example.com/",
    "GITHUB_URL": "https://github.com",
    "ANTHROPIC_API_KEY": "sk-secret",
    "CLAUDE_MODEL": "claude-sonnet-5",
}


def test_addresses_lose_their_last_slash_and_give_the_clone_url() -> None:
    settings = Settings.from_environment(GIVEN)
    assert settings.agent_api_url == "https://api.example.com"
    assert settings.clone_url == "https://github.com/acme/lunch.git"
    assert settings.anthropic_base_url == "https://api.anthropic.com"


def test_secrets_are_not_shown() -> None:
    assert "sk-secret" not in repr(Settings.from_environment(GIVEN))


@pytest.mark.parametrize("name", sorted(set(GIVEN)))
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: "):
        Settings.from_environment({key: value for key, value in GIVEN.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_ID", "09E22A8B"),
        ("REPOSITORY", "acme/lunch/../../etc"),
        ("REPOSITORY", "-x/lunch"),
        ("BRANCH", "--upload-pack=evil"),
        ("BRANCH", "my branch"),
        ("BRANCH", "menu/../../main"),
        ("BRANCH", "menu@{1}"),
        ("BRANCH", "menu:main"),
        ("BRANCH", "menu.lock"),
        ("BRANCH", "/menu"),
        ("BRANCH", "menu\n"),
        ("AGENT_API_URL", "api.example.com"),
        ("MAX_TURNS", "0"),
        ("MAX_BUDGET_USD", "-1"),
        ("MODEL_PROVIDER", "other"),
        ("ANTHROPIC_API_KEY", "\n"),
        ("ANTHROPIC_API_KEY", "sk-ant\n# the key of our team"),
        ("ANTHROPIC_API_KEY", "sk-ant\N{ZERO WIDTH SPACE}"),
    ],
)
def test_an_unusable_value_is_named_but_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: ") as error:
        Settings.from_environment({**GIVEN, name: value})
    assert value not in str(error.value).replace("greater than 0", "")


@pytest.mark.parametrize(
    "branch", ["claude/42", "renovate/@types/node-24.x", "fix(menu)#7", "über/Menü", "_draft", "v1.2+hotfix;x"]
)
def test_a_branch_may_have_every_name_that_git_allows(branch: str) -> None:
    subprocess.run(["git", "check-ref-format", "--branch", branch], check=True, capture_output=True)
    assert Settings.from_environment({**GIVEN, "BRANCH": branch}).branch == branch


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", " \n"])
def test_a_key_is_what_a_file_has_without_the_end_of_its_line(ending: str) -> None:
    key = Settings.from_environment({**GIVEN, "ANTHROPIC_API_KEY": f"sk-secret{ending}"}).anthropic_api_key
    assert key is not None
    assert key.get_secret_value() == "sk-secret"


def test_bedrock_needs_no_key() -> None:
    given = {key: value for key, value in GIVEN.items() if key != "ANTHROPIC_API_KEY"}
    assert Settings.from_environment({**given, "MODEL_PROVIDER": "bedrock"}).model_provider == "bedrock"


def test_the_platform_may_say_nothing() -> None:
    assert Platform.from_environment({}).ecs_container_metadata_uri_v4 is None
