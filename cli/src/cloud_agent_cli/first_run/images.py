"""Are the images that the parameters name in ECR?

An image that isn't there is found by ECS alone: the proxy's tasks don't start, and the deployment fails after its
circuit breaker's tries; an agent's image fails the first session. Images in other registries aren't checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloud_agent_cli.first_run.deployment import parameter
from cloud_agent_doctor.checks.images import ecr_image, find_image
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_IMPACT: Final = {
    "AgentImageUri": "No session's container starts.",
    "ProxyImageUri": "The deployment fails: the proxy's tasks don't start.",
    "EgressProxyImageUri": "The deployment fails: the egress proxy's tasks don't start.",
    "StagingAgentImageUri": "No session of the staging agent starts.",
}


def run(context: CheckContext) -> Iterator[Finding]:
    """Find images that were never pushed."""
    stack = context.stack
    optional = ("StagingAgentImageUri", "EgressProxyImageUri")
    names = ["AgentImageUri", "ProxyImageUri", *(name for name in optional if stack.parameters[name])]
    uris = {name: parameter(stack, name) for name in names}
    found = {name: image for name, uri in uris.items() if (image := ecr_image(uri, stack))}
    for name, image in found.items():
        if find_image(context, image) is None:
            kind, value = next(iter(image.image_id.items()))
            yield Finding(
                resource=image.text,
                problem=f"The image {image.text} of {name} isn't in ECR.",
                impact=_IMPACT[name],
                remediation=f"Build and push it, and deploy with its digest as {name} (docs/deploy.md, step 1).",
                confirm=f"aws ecr describe-images --repository-name {image.repository} --image-ids {kind}={value}",
            )
    if not found:
        raise NotApplicableError(f"no image is in this account's registry: {', '.join(sorted(set(uris.values())))}")


CHECK = Check(
    name="ecr-images",
    question="Are the images that the parameters name in ECR?",
    run=run,
    actions=("ecr:DescribeImages",),
)
