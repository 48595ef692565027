"""What is to be deployed: samconfig and options, as `sam deploy` reads them."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from samcli.cli.types import CfnParameterOverridesType
from tests.kit.stack_template import ROOT

from cloud_agent_cli import main as cli
from cloud_agent_cli.errors import ParameterError
from cloud_agent_cli.first_run.deployment import Settings, read_parameters, read_samconfig

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, overrides: str) -> Path:
    config = path / "samconfig.toml"
    config.write_text(
        '[prod.global.parameters]\nstack_name = "agents"\n'
        f'[prod.deploy.parameters]\nregion = "eu-west-1"\nparameter_overrides = {overrides}\n'
    )
    return config


@pytest.mark.parametrize(
    "overrides",
    [
        '{ DomainName = "example.com", TriggerLabel = "two words", HostedZoneId = "", MaxSessions = 5 }',
        """['DomainName=example.com MaxSessions=5', 'TriggerLabel="two words"', 'HostedZoneId=""']""",
        """'DomainName="example.com" TriggerLabel="two words" HostedZoneId="" MaxSessions="5"'""",
    ],
    ids=["a table", "a list", "the text that --guided writes"],
)
def test_the_parameters_are_those_that_sam_takes_from_samconfig(tmp_path: Path, overrides: str) -> None:
    expected = {"DomainName": "example.com", "TriggerLabel": "two words", "HostedZoneId": "", "MaxSessions": "5"}
    assert read_samconfig(written(tmp_path, overrides), "prod") == Settings("agents", "eu-west-1", expected)
    assert CfnParameterOverridesType().convert(tomllib.loads(f"it = {overrides}")["it"], None, None) == expected


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ('["TriggerLabel=:robot: claude"]', "claude isn't Name=Value. A value with spaces has quotes"),
        ('["HostedZoneId="]', 'SAM doesn\'t take HostedZoneId= without a value: write HostedZoneId=""'),
        ("'HostedZoneId= MaxSessions=5'", "SAM doesn't take HostedZoneId= without a value"),
        ('["ParameterKey=MaxSessions,ParameterValue=5"]', "isn't Name=Value"),
    ],
)
def test_a_parameter_that_sam_refuses_or_cuts_off_is_refused(tmp_path: Path, overrides: str, words: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(words)):
        read_samconfig(written(tmp_path, overrides), "prod")


def test_the_example_is_understood() -> None:
    settings = read_samconfig(ROOT / "samconfig.example.toml", "prod")
    assert (settings.stack, settings.region) == ("claude-cloud-agent", "eu-central-1")
    assert settings.parameters["DomainName"] == "example.com"


def test_without_a_samconfig_nothing_is_known(tmp_path: Path) -> None:
    assert read_samconfig(tmp_path / "samconfig.toml", "default") == Settings()


def test_an_environment_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"samconfig.toml has no environment default. It has: prod."):
        read_samconfig(written(tmp_path, "[]"), "default")


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text("stack_name: agents")
    with pytest.raises(ParameterError, match=r"samconfig.toml can't be read: "):
        read_samconfig(tmp_path / "samconfig.toml", "default")


def test_an_option_of_another_form_is_refused() -> None:
    assert read_parameters(["A=b=c", "D="]) == {"A": "b=c", "D": ""}
    with pytest.raises(ParameterError, match=r"MaxSessions 5 isn't Name=Value."):
        read_parameters(["MaxSessions 5"])


def test_the_command_asks_the_account_that_samconfig_names_and_says_when_it_can_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    config = written(tmp_path, "[]")
    options = ["--first-run", "--config-file", str(config), "--config-env", "prod", "--parameter", "MaxSessions=5"]
    monkeypatch.setattr("sys.argv", ["cloud-agent", "doctor", *options])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "error: The stack agents can't be looked up: cloudformation:DescribeStacks failed" in capsys.readouterr().err
