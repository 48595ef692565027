"""What the checks of the visitor's path expect, held equal to the template; and that each check is explained."""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cloud_agent_doctor.checks import CHECKS, agent_egress, agent_ingress, load_balancer, proxy_ingress, target_group
from cloud_agent_doctor.containers import task_definitions

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_doctor.engine.check import Check

    Document = dict[str, Any]


def module_of(check: Check) -> str:
    return check.run.__module__


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_is_explained_by_its_module(check: Check) -> None:
    module = sys.modules[module_of(check)]
    assert check.name == module.__name__.rpartition(".")[2].replace("_", "-")
    assert len((inspect.getdoc(module) or "").splitlines()) >= 3
    assert check.question.endswith("?")


def test_the_target_group_is_expected_as_the_template_makes_it(resources: Document) -> None:
    made = resources["ProxyTargetGroup"]["Properties"]
    # What the template leaves to AWS's default.
    defaults = {"HealthCheckEnabled": True, "HealthCheckProtocol": "HTTP"}
    assert {name: (defaults | made)[name] for name in target_group._EXPECTED} == target_group._EXPECTED  # noqa: SLF001


def test_the_ports_are_the_templates(resources: Document) -> None:
    assert resources["ProxyIngress"]["Properties"]["FromPort"] == proxy_ingress._PORT  # noqa: SLF001
    rules = (resources[name]["Properties"]["FromPort"] for name in ("AgentIngress", "AgentSecondIngress"))
    assert tuple(rules) == agent_ingress._PORTS  # noqa: SLF001
    assert resources["EgressProxyIngress"]["Properties"]["FromPort"] == agent_egress._PORT  # noqa: SLF001
    visitors = resources["LoadBalancerSecurityGroup"]["Properties"]["SecurityGroupIngress"]
    assert {rule["FromPort"] for rule in visitors} == set(proxy_ingress._VISITORS_PORTS)  # noqa: SLF001


def test_what_goes_with_a_load_balancer_stands_in_the_template(resources: Document) -> None:
    assert set(load_balancer._OWN) <= set(resources)  # noqa: SLF001


def test_the_tasks_of_agents_are_those_of_the_templates_definitions(resources: Document) -> None:
    agents = {name for name, one in resources.items() if one["Type"] == "AWS::ECS::TaskDefinition" and "Agent" in name}
    assert agents <= set(task_definitions._AGENTS)  # noqa: SLF001


def test_every_resource_and_parameter_that_is_asked_for_is_the_templates(
    root: Path, template: Document, resources: Document
) -> None:
    sources = [path.read_text() for path in (root / "functions/cloud_agent_doctor").rglob("*.py")]
    asked = {name for text in sources for name in re.findall(r'physical_id\("(\w+)"\)', text)}
    parameters = {name for text in sources for name in re.findall(r'parameters(?:\.get\(|\[)"(\w+)"', text)}
    assert {"ApplicationLoadBalancer", "ProxyTargetGroup"} <= asked
    assert asked <= set(resources)
    assert parameters <= set(template["Parameters"])


@pytest.mark.parametrize("name", [check.name for check in CHECKS])
def test_the_runbook_has_a_section_for_each_check(root: Path, name: str) -> None:
    findings = (root / "docs/runbook.md").read_text().partition("\n## Findings\n")[2]
    anchors = [heading.lower().replace(" ", "-") for heading in re.findall(r"^### (.+)$", findings, re.MULTILINE)]
    assert anchors.count(name) == 1


def test_the_runbooks_links_to_its_own_sections_lead_there(root: Path) -> None:
    text = (root / "docs/runbook.md").read_text()
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^##+ (.+)$", text, re.MULTILINE)}
    links = set(re.findall(r"\]\(#([\w-]+)\)", text))
    named = {
        anchor
        for path in (root / "functions/cloud_agent_doctor").rglob("*.py")
        for anchor in re.findall(r"docs/runbook\.md#([\w-]+)", path.read_text())
    }
    assert links | named <= anchors
