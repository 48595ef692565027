"""Do the containers' images exist, and does the proxy run the one that its tag names?

Looks at the images in the task definitions that the proxy's service runs and that the workflow starts agents from, and
asks ECR for them where they are in a registry of this account and region. An image that was deleted is noticed only by
the next task that starts: a proxy that is replaced, or a session.

Where the proxy's image is named by a tag, its running tasks are compared with what the tag names now: after a push
without a deployment, the code that runs is not the code that the tag promises. Agents' tasks are not compared: a
session that began before a push goes on with what it began with. The mend is a deployment that names the image by its
digest (parameters ProxyImageUri and AgentImageUri). Images of other registries are not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.containers import container_environment as containers
from cloud_agent_doctor.containers import workloads
from cloud_agent_doctor.engine.check import Check, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination, Stack

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
    def words(self) -> str:
        """As the console shows it."""
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def ecr_image(uri: str, stack: Stack) -> EcrImage | None:
    """Return the image of a URI in the registry of the stack's account and region; None for any other."""
    found = _ECR_URI.fullmatch(uri)
    if not found or (found["registry"], found["region"]) != (stack.account, stack.region):
        return None
    return EcrImage(found["repository"], found["tag"] or "latest", found["digest"] or "")


def examine(examination: Examination) -> Iterator[Finding]:
    """Find images that are gone, and a proxy that runs another image than its tag names."""
    elsewhere, looked_at = [], 0
    for arn in workloads.proxy_task_definitions(examination):
        uri = _image(examination, arn, containers.PROXY_CONTAINER)
        image = ecr_image(uri, examination.stack)
        if image is None:
            elsewhere.append(uri)
            continue
        looked_at += 1
        described = _described(examination, image)
        if described is None:
            yield _gone(examination, image, "ProxyTaskDefinition", "A proxy task that is replaced does not start.")
        elif not image.digest and described.get("imageManifestMediaType") not in _LISTS:
            yield from _other_digests(examination, arn, image, described["imageDigest"])
    for arn in workloads.agent_task_definitions(examination):
        uri = _image(examination, arn, containers.AGENT_CONTAINER)
        image = ecr_image(uri, examination.stack)
        if image is None:
            elsewhere.append(uri)
            continue
        looked_at += 1
        if _described(examination, image) is None:
            meaning = "No new session's container starts: their pull requests say that the session has failed."
            yield _gone(examination, image, "AgentTaskDefinition", meaning)
    if not looked_at:
        registry = f"{examination.stack.account}.dkr.ecr.{examination.stack.region}"
        named = ", ".join(sorted({uri for uri in elsewhere if uri})) or "none is in use"
        raise NotApplicableError(f"no image is in the registry {registry} of this account: {named}")


def _image(examination: Examination, arn: str, container_name: str) -> str:
    definition = workloads.task_definition(examination, arn)
    container = workloads.container(definition, container_name) if definition else None
    return str(container["image"]) if container else ""


def _described(examination: Examination, image: EcrImage) -> Document | None:
    answer = examination.aws.ask(
        "ecr",
        "describe_images",
        missing=["ImageNotFoundException", "RepositoryNotFoundException"],
        repositoryName=image.repository,
        imageIds=[image.image_id],
    )
    details: list[Document] = (answer or {}).get("imageDetails", [])
    return details[0] if details else None


def _gone(examination: Examination, image: EcrImage, logical_id: str, meaning: str) -> Finding:
    kind, value = next(iter(image.image_id.items()))
    parameter = logical_id.replace("TaskDefinition", "ImageUri")
    return Finding(
        resource=examination.stack.physical_id(logical_id) or image.words,
        problem=f"The image {image.words} of {logical_id} is not in ECR: it was deleted, or never pushed.",
        meaning=meaning,
        mend=f"Build and push the image, and deploy with its digest as parameter {parameter} (docs/deploy.md, step 1).",
        confirm=f"aws ecr describe-images --repository-name {image.repository} --image-ids {kind}={value}",
        logical_ids=(logical_id,),
    )


def _other_digests(examination: Examination, arn: str, image: EcrImage, now: str) -> Iterator[Finding]:
    running = {
        one["imageDigest"]
        for task in workloads.running_proxy_tasks(examination)
        if task["taskDefinitionArn"] == arn
        for one in task.get("containers", [])
        if one["name"] == containers.PROXY_CONTAINER and "imageDigest" in one
    }
    others = sorted(running - {now})
    if others:
        cluster, service = (examination.stack.physical_id(name) for name in ("Cluster", "ProxyService"))
        yield Finding(
            resource=service,
            problem=f"The proxy runs {', '.join(others)}; its image's tag, {image.words}, now names {now}.",
            meaning="Visitors are served by other code than the tag promises, and a replaced task may change it.",
            mend=f"Deploy with ProxyImageUri=<registry>/{image.repository}@{now}, or with the digest that is meant.",
            confirm=f"aws ecs describe-tasks --cluster {cluster} --tasks $(aws ecs list-tasks --cluster {cluster} "
            f"--service-name {service} --query 'taskArns[]' --output text) --query 'tasks[].containers[].imageDigest'",
            logical_ids=("ProxyService",),
        )


CHECK = Check(
    name="images",
    question="Do the containers' images exist, and does the proxy run the one its tag names?",
    examine=examine,
    actions=(
        "ecr:DescribeImages",
        *workloads.PROXY_ACTIONS,
        *workloads.AGENT_ACTIONS,
        *workloads.DEFINITION_ACTIONS,
        *workloads.TASK_ACTIONS,
    ),
)
