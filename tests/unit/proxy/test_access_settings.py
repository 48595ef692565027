"""Who may see sessions, as the environment says it; and that no key is shown when it says it wrong."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from cloud_agent_proxy.settings import Settings

KEY = "k" * 32
SHORT = "short-secret"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "SESSIONS_TABLE": "t",
        "ARTIFACTS_BUCKET": "b",
        "UAT_DOMAIN": "uat.example.test",
        "MAX_SESSIONS": "20",
        "AGENT_CIDR": "10.0.0.0/8",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def keys(**values: str) -> str:
    return json.dumps(values)


@pytest.mark.parametrize(
    ("value", "believed"),
    [
        (keys(signing_key=KEY, verifying_key=""), [KEY]),
        (keys(signing_key=KEY), [KEY]),
        (keys(signing_key=KEY, verifying_key="v" * 32), [KEY, "v" * 32]),
    ],
)
def test_the_signing_key_comes_first(monkeypatch: pytest.MonkeyPatch, value: str, believed: list[str]) -> None:
    monkeypatch.setenv("UAT_ACCESS_KEYS", value)
    settings = Settings()
    assert settings.uat_access == "link"
    assert settings.uat_access_keys
    assert believed == settings.uat_access_keys.believed
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    "value",
    [
        SHORT,
        "{}",
        keys(signing_key=""),
        keys(signing_key=SHORT),
        keys(signing_key=KEY, verifying_key=SHORT),
        keys(signing_key=KEY, other_key=SHORT),
    ],
)
def test_unusable_keys_stop_the_start_without_being_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("UAT_ACCESS_KEYS", value)
    with pytest.raises((ValidationError, SettingsError)) as error:
        Settings()
    assert "uat_access_keys" in str(error.value)
    assert SHORT not in str(error.value)
    assert KEY not in str(error.value)


def test_only_public_access_needs_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="UAT_ACCESS=link needs UAT_ACCESS_KEYS"):
        Settings()
    monkeypatch.setenv("UAT_ACCESS", "public")
    assert Settings().uat_access == "public"


def test_signing_in_needs_keys_in_each_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UAT_ACCESS", "public")
    monkeypatch.setenv("UAT_SIGN_IN", json.dumps({"client_id": "Iv23", "client_secret": SHORT}))
    with pytest.raises(ValidationError, match="UAT_SIGN_IN needs UAT_ACCESS_KEYS"):
        Settings()


def test_an_unknown_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UAT_ACCESS", "everybody")
    with pytest.raises(ValidationError, match="uat_access"):
        Settings()


@pytest.mark.parametrize("value", ["{}", json.dumps({"client_id": "Iv23", "client_secret": SHORT})])
def test_a_sign_in_that_is_not_configured_stops_no_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("UAT_ACCESS", "github")
    monkeypatch.setenv("UAT_ACCESS_KEYS", keys(signing_key=KEY))
    monkeypatch.setenv("UAT_SIGN_IN", value)
    settings = Settings()
    assert (value == "{}") == (settings.uat_sign_in is None)
    assert (settings.github_url, settings.github_api_url) == ("https://github.com", "https://api.github.com")
    assert SHORT not in repr(settings)


@pytest.mark.parametrize(
    "value", [json.dumps({"client_secret": SHORT}), json.dumps({"client_id": "", "client_secret": SHORT})]
)
def test_half_a_sign_in_stops_the_start_and_is_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("UAT_ACCESS", "public")
    monkeypatch.setenv("UAT_SIGN_IN", value)
    with pytest.raises(ValidationError, match=r"uat_sign_in\.client_id") as error:
        Settings()
    assert SHORT not in str(error.value)


def test_mode_github_needs_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UAT_ACCESS", "github")
    with pytest.raises(ValidationError, match="UAT_ACCESS=github needs UAT_ACCESS_KEYS"):
        Settings()
