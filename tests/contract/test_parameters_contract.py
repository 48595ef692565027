"""Each parameter of the stack is documented as the template has it, and the profile to copy names every one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.deploy.auth_utils import auth_per_resource
from samcli.commands.deploy.deploy_context import DeployContext
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from tests.kit.stack_template import read_template
from tests.tools import parameters

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "samconfig.example.toml"
TEMPLATE = read_template()
PARAMETERS = TEMPLATE["Parameters"]


def test_the_page_lists_every_parameter_with_its_default_and_description() -> None:
    listed = parameters.written(parameters.PAGE.read_text())

    assert listed == f"\n{parameters.table(TEMPLATE)}\n", "make parameters"
    assert set(re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE)) == set(PARAMETERS)


def test_writing_the_table_again_changes_nothing() -> None:
    page = parameters.PAGE.read_text()
    assert parameters.rewritten(page, parameters.table(TEMPLATE)) == page


def _profile(text: str) -> dict[str, str]:
    """Return the parameters as SAM itself reads them."""
    overrides = tomllib.loads(text)["prod"]["deploy"]["parameters"]["parameter_overrides"]
    read: dict[str, str] = CfnParameterOverridesType().convert(overrides, None, None)
    return read


def test_the_profile_gives_every_parameter_that_has_no_default() -> None:
    given = _profile(PROFILE.read_text())
    assert {name for name, parameter in PARAMETERS.items() if "Default" not in parameter} - given.keys() == set()


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_profile_names_each_parameter_with_a_value_that_it_takes(name: str) -> None:
    uncommented = re.sub(r"^# (?=\w+ = )", "", PROFILE.read_text(), flags=re.MULTILINE)
    value = _profile(uncommented)[name]

    if name not in _profile(PROFILE.read_text()):
        assert value == str(PARAMETERS[name]["Default"])
    assert re.fullmatch(PARAMETERS[name].get("AllowedPattern", ".*"), value)


def test_each_command_of_sam_on_the_pages_says_of_which_region_it_is() -> None:
    """SAM reads no AWS_REGION, and samconfig.toml, which is for every account, has none."""
    pages = "\n".join(map(Path.read_text, [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]))
    commands = re.findall(r"(?:^|`|&& )sam (?:deploy|delete) +(-[^`\n]+)", pages, re.MULTILINE)
    assert commands
    assert [one for one in commands if not re.search("--(region|config-file|config-env local|guided)", one)] == []
    assert [one for one in commands if re.search(r"\w=( |$)", one)] == [], "SAM takes no empty value"


def test_the_page_prepares_for_each_question_that_guided_deployments_refuse_by_default() -> None:
    stacks, _ = SamLocalStackProvider.get_stacks(str(ROOT / "template.yaml"))
    asked = {name for name, has_authorizer in auth_per_resource(stacks) if not has_authorizer}

    prepared = re.findall(r"\*\*(\w+) has no authentication\. Is this okay\? \[y/N\]\*\*", parameters.PAGE.read_text())
    assert sorted(asked) == sorted(prepared)
    assert f"| **{DeployContext.MSG_CONFIRM_CHANGESET} [y/N]** | **y**" in parameters.PAGE.read_text()


def test_the_events_page_names_resources_of_the_template() -> None:
    causes = parameters.PAGE.read_text().split("| Failed first | Cause |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`:", causes, re.MULTILINE)) - TEMPLATE["Resources"].keys() == set()
