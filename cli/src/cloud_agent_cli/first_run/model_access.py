"""May the account invoke the model, where Bedrock runs it?

Anthropic's models need an agreement that an administrator accepts once for the account. ClaudeModel names a model, or
an inference profile of several regions' models; the model is looked at in the stack's region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_cli.first_run.deployment import DEFAULTS
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext

_OF_BEDROCK = "anthropic."  # the provider's name and a dot: so begin its models' ids, after a profile's region
_MISSING = ["ResourceNotFoundException", "ValidationException"]


def run(context: CheckContext) -> Iterator[Finding]:
    """Find a model that Bedrock doesn't have, or that the account has no access to."""
    provider, model = (context.stack.parameters[name] for name in ("ModelProvider", "ClaudeModel"))
    is_gateway = context.stack.parameters["AnthropicBaseUrl"] != DEFAULTS["AnthropicBaseUrl"]
    if provider != "bedrock" and _OF_BEDROCK in model and not is_gateway:  # which may have any names
        yield _finding(
            model,
            f"ClaudeModel={model} is a model of Bedrock's, and the model is run by {provider}.",
            "Deploy with ModelProvider=bedrock, or with the id that Anthropic's API has for the model.",
        )
        return
    if provider != "bedrock":
        raise NotApplicableError(f"the model is run by {provider} (parameter ModelProvider)")
    found = _foundation_model(context, model)
    access = found and context.aws.describe(
        "bedrock", "get_foundation_model_availability", missing=_MISSING, modelId=found
    )
    if not access:
        yield _finding(
            model,
            f"Bedrock in {context.stack.region} has no model or inference profile {model}.",
            "Deploy with a ClaudeModel of `aws bedrock list-inference-profiles`.",
        )
        return
    states = {
        "agreement": access["agreementAvailability"]["status"],
        "authorization": access["authorizationStatus"],
        "entitlement": access["entitlementAvailability"],
        "region": access["regionAvailability"],
    }
    lacking = [f"{name} {state}" for name, state in states.items() if state not in {"AVAILABLE", "AUTHORIZED"}]
    if lacking:
        yield _finding(
            model,
            f"The account has no access to {found}: {', '.join(lacking)}.",
            "Request access to the model in the Bedrock console, Model access.",
        )


def _foundation_model(context: CheckContext, model: str) -> str | None:
    """Return the id of an inference profile's model, or of the model itself; None if there's neither."""
    profile = context.aws.describe(
        "bedrock", "get_inference_profile", missing=_MISSING, inferenceProfileIdentifier=model
    )
    if profile:
        return str(profile["models"][0]["modelArn"]).rpartition("/")[2]
    return model if "." in model else None  # Bedrock's ids begin with the provider's name


def _finding(model: str, problem: str, remediation: str) -> Finding:
    return Finding(
        resource=model,
        problem=problem,
        impact="Every session's first turn fails.",
        remediation=remediation,
        confirm=f"aws bedrock get-foundation-model-availability --model-id {model}",
    )


CHECK = Check(
    name="model-access",
    question="May the account invoke the model, where Bedrock runs it?",
    run=run,
    actions=("bedrock:GetInferenceProfile", "bedrock:GetFoundationModelAvailability"),
)
