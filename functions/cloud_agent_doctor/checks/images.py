"""Do the container images exist, and does the proxy run the one its tag points to?

Checks the images in the task definitions that the proxy's service runs and that the workflow starts agents from, and
looks them up in ECR if they're in a registry of this account and region. A deleted image goes unnoticed until the
next task starts: a replaced proxy task, or a session.

If the proxy's image is referenced by a tag, its running tasks are compared with what the tag points to now: after a
push without a deployment, the running code isn't the code the tag promises. Agents' tasks aren't compared: a session
that began before a push keeps the image it started with. The fix is a deployment that references the image by its
digest (parameters ProxyImageUri and AgentImageUri). Images in other registries aren't checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers import task_definitions, variables_read
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack

    Document = dict[str, Any]

_ECR_URI = re.compile(
    r"(?P<registry>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z0-9.]+/(?P<repository>[^:@]+)"
    r"(:(?P<tag>[^@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
# A tag of several platforms names a list, and a task runs one image of it: their digests always differ.
_LISTS = {"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json"}


@dataclass(frozen=True)
class EcrImage:
    """An image in ECR, by its digest where that is given, else by its tag."""

    repository: str
    tag: str
    digest: str

    @property
    def image_id(self) -> dict[str, str]:
        """As ECR asks for it."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag}

    @property
    def text(self) -> str:
        """As the console shows it."""
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def ecr_image(uri: str, stack: Stack) -> EcrImage | None:
    """Return the image of a URI in the registry of the stack's account and region; None for any other."""
    found = _ECR_URI.fullmatch(uri)
    if not found or (found["registry"], found["region"]) != (stack.account, stack.region):
        return None
    return EcrImage(found["repository"], found["tag"] or "latest", found["digest"] or "")


def run(context: CheckContext) -> Iterator[Finding]:
    """Find images that are gone, and a proxy that doesn't run the image its tag points to."""
    elsewhere, looked_at = [], 0
    for arn in task_definitions.proxy_task_definitions(context):
        uri = _image(context, arn, variables_read.PROXY_CONTAINER)
        image = ecr_image(uri, context.stack)
        if image is None:
            elsewhere.append(uri)
            continue
        looked_at += 1
        described = find_image(context, image)
        if described is None:
            yield _gone(context, image, "ProxyTaskDefinition", "The next proxy task doesn't start.")
        elif not image.digest and described.get("imageManifestMediaType") not in _LISTS:
            yield from _other_digests(context, arn, image, described["imageDigest"])
    for arn in task_definitions.agent_task_definitions(context):
        uri = _image(context, arn, variables_read.AGENT_CONTAINER)
        image = ecr_image(uri, context.stack)
        if image is None:
            elsewhere.append(uri)
            continue
        looked_at += 1
        if find_image(context, image) is None:
            impact = "No new session's container starts: their pull requests say that the session has failed."
            own, _ = task_definitions.stacks_own(context.stack, arn)
            yield _gone(context, image, own or "AgentTaskDefinition", impact)
    if not looked_at:
        registry = f"{context.stack.account}.dkr.ecr.{context.stack.region}"
        named = ", ".join(sorted({uri for uri in elsewhere if uri})) or "none is in use"
        raise NotApplicableError(f"no image is in this account's registry {registry}: {named}")


def _image(context: CheckContext, arn: str, container_name: str) -> str:
    definition = task_definitions.task_definition(context, arn)
    container = task_definitions.container(definition, container_name) if definition else None
    return str(container["image"]) if container else ""


def find_image(context: CheckContext, image: EcrImage) -> Document | None:
    """Return what ECR knows of an image; None if it isn't there."""
    response = context.aws.describe(
        "ecr",
        "describe_images",
        missing=["ImageNotFoundException", "RepositoryNotFoundException"],
        repositoryName=image.repository,
        imageIds=[image.image_id],
    )
    details: list[Document] = (response or {}).get("imageDetails", [])
    return details[0] if details else None


def _gone(context: CheckContext, image: EcrImage, logical_id: str, impact: str) -> Finding:
    kind, value = next(iter(image.image_id.items()))
    parameter = logical_id.replace("TaskDefinition", "ImageUri")
    return Finding(
        resource=context.stack.physical_id(logical_id) or image.text,
        problem=f"The image {image.text} of {logical_id} isn't in ECR: it was deleted, or never pushed.",
        impact=impact,
        remediation=f"Build and push the image, and deploy with its digest as the parameter {parameter} "
        "(docs/deploy.md, step 1).",
        confirm=f"aws ecr describe-images --repository-name {image.repository} --image-ids {kind}={value}",
        logical_ids=(logical_id,),
    )


def _other_digests(context: CheckContext, arn: str, image: EcrImage, now: str) -> Iterator[Finding]:
    running = {
        one["imageDigest"]
        for task in task_definitions.running_proxy_tasks(context)
        if task["taskDefinitionArn"] == arn
        for one in task.get("containers", [])
        if one["name"] == variables_read.PROXY_CONTAINER and "imageDigest" in one
    }
    others = sorted(running - {now})
    if others:
        cluster, service = (context.stack.physical_id(name) for name in ("Cluster", "ProxyService"))
        yield Finding(
            resource=service,
            problem=f"The proxy runs {', '.join(others)}; its image's tag, {image.text}, now points to {now}.",
            impact="Visitors get code other than what the tag points to, and the next task may change it.",
            remediation=f"Deploy with ProxyImageUri=<registry>/{image.repository}@{now}, or with the digest you want.",
            confirm=f"aws ecs describe-tasks --cluster {cluster} --tasks $(aws ecs list-tasks --cluster {cluster} "
            f"--service-name {service} --query 'taskArns[]' --output text) --query 'tasks[].containers[].imageDigest'",
            logical_ids=("ProxyService",),
        )


CHECK = Check(
    name="images",
    question="Do the container images exist, and does the proxy run the one its tag points to?",
    run=run,
    actions=(
        "ecr:DescribeImages",
        *task_definitions.PROXY_ACTIONS,
        *task_definitions.AGENT_ACTIONS,
        *task_definitions.DEFINITION_ACTIONS,
        *task_definitions.TASK_ACTIONS,
    ),
)
