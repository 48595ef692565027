"""The check `images`: what the containers are made of exists, and is what runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.functions.doctor.inside_account import (
    AGENT_REVISION,
    DIGEST,
    OTHER_DIGEST,
    PROXY_REVISION,
    PROXY_TASK_ARN,
    REFUSED,
    REGISTRY,
    Containers,
    agent_container,
    proxy_container,
    stack_of,
)

from cloud_agent_doctor.checks.images import CHECK, EcrImage, ecr_image
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.stack import Resource


@pytest.fixture
def account() -> Containers:
    return Containers()


@pytest.mark.parametrize(
    ("uri", "image"),
    [
        (f"{REGISTRY}/acme/proxy:1", EcrImage("acme/proxy", "1", "")),
        (f"{REGISTRY}/proxy", EcrImage("proxy", "latest", "")),
        (f"{REGISTRY}/proxy@{DIGEST}", EcrImage("proxy", "latest", DIGEST)),
        (f"{REGISTRY}/proxy:1@{DIGEST}", EcrImage("proxy", "1", DIGEST)),
        ("public.ecr.aws/acme/proxy:1", None),
        ("claude-cloud-agent/proxy:local", None),
        (REGISTRY.replace("123456789012", "999999999999") + "/proxy:1", None),
        (REGISTRY.replace("eu-central-1", "us-east-1") + "/proxy:1", None),
    ],
)
def test_an_image_is_in_ecr_by_its_uri(uri: str, image: EcrImage | None) -> None:
    assert image == ecr_image(uri, stack_of())


def test_a_healthy_stack_has_no_finding_and_takes_the_declared_actions(account: Containers) -> None:
    assert account.findings(CHECK) == []
    assert set(CHECK.actions) == account.asked


def test_an_image_of_the_agent_that_was_deleted_is_found(account: Containers) -> None:
    del account.images["acme/agent", DIGEST]
    (finding,) = account.findings(CHECK)
    assert f"The image acme/agent@{DIGEST} of AgentTaskDefinition isn't in ECR" in finding.problem
    assert "parameter AgentImageUri" in finding.remediation
    assert finding.logical_ids == ("AgentTaskDefinition",)


def test_an_image_of_the_staging_agent_that_was_never_pushed_is_named_as_its_own(account: Containers) -> None:
    staging = AGENT_REVISION.replace("-agent:", "-staging-agent:")
    family = staging.rpartition("/")[2].partition(":")[0]
    own = Resource("AWS::ECS::TaskDefinition", staging)
    account.stack = replace(account.stack, resources={**account.stack.resources, "StagingAgentTaskDefinition": own})
    container = agent_container(account.stack) | {"image": f"{REGISTRY}/acme/next:2"}
    account.definitions[staging] = account.definition(staging, container)
    account.machine["definition"] = account.machine["definition"].replace("? '' :", f"? '{family}' :")
    (finding,) = account.findings(CHECK)
    assert "The image acme/next:2 of StagingAgentTaskDefinition isn't in ECR" in finding.problem
    assert "parameter StagingAgentImageUri" in finding.remediation
    assert (finding.resource, finding.logical_ids) == (staging, ("StagingAgentTaskDefinition",))


def test_an_image_of_the_proxy_that_was_deleted_is_found(account: Containers) -> None:
    account.set("ecr", "DescribeImages", lambda request: _none_of("acme/proxy", request))
    (finding,) = account.findings(CHECK)
    assert "The image acme/proxy:1 of ProxyTaskDefinition isn't in ECR" in finding.problem


def _none_of(repository: str, request: dict[str, str]) -> dict[str, object]:
    """An empty list in place of an error, as of a tag in an emulated registry."""
    return {"imageDetails": [] if request["repositoryName"] == repository else [{"imageDigest": DIGEST}]}


def test_a_proxy_that_runs_another_image_than_its_tag_names_is_found(account: Containers) -> None:
    account.images["acme/proxy", "1"]["imageDigest"] = OTHER_DIGEST
    (finding,) = account.findings(CHECK)
    assert f"The proxy runs {DIGEST}; its image's tag, acme/proxy:1, now points to {OTHER_DIGEST}." == finding.problem
    assert f"@{OTHER_DIGEST}" in finding.remediation


def test_a_task_of_another_revision_is_not_compared_with_this_ones_tag(account: Containers) -> None:
    account.tasks[PROXY_TASK_ARN] = account.proxy_task(OTHER_DIGEST) | {"taskDefinitionArn": AGENT_REVISION}
    assert account.findings(CHECK) == []


def test_a_tag_of_several_platforms_is_not_compared_with_the_one_that_runs(account: Containers) -> None:
    media_type = "application/vnd.oci.image.index.v1+json"
    account.images["acme/proxy", "1"] |= {"imageDigest": OTHER_DIGEST, "imageManifestMediaType": media_type}
    assert account.findings(CHECK) == []


def test_images_of_other_registries_are_not_looked_at(account: Containers) -> None:
    for arn, container in (
        (PROXY_REVISION, proxy_container(account.stack, "claude-cloud-agent/proxy:local")),
        (AGENT_REVISION, agent_container(account.stack, "claude-cloud-agent/agent:local")),
    ):
        account.definitions[arn] = account.definition(arn, container)
    with pytest.raises(NotApplicableError, match="claude-cloud-agent/agent:local, claude-cloud-agent/proxy:local"):
        account.findings(CHECK)


def test_whoever_may_not_ask_the_registry_gets_the_missing_permission(account: Containers) -> None:
    account.set("ecr", "DescribeImages", REFUSED)
    assert account.incomplete_findings(CHECK)[1].permission == "ecr:DescribeImages"
