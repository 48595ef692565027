"""Defect: IAM evaluates SimulatePrincipalPolicy against all resources.

AWS's service authorization reference gives it the principal whose policies are simulated; a policy that allows it for
certain roles would be denied here.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access
Management (IAM)".
Upstream: not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ministack.core import iam_actions

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Json = dict[str, Any]


def apply() -> None:
    """Name the principal."""
    wrap(iam_actions, "extract_resource_arn", _resource_arn)


def _resource_arn(  # noqa: PLR0913, PLR0917 - ministack's signature
    original: Callable[..., str],
    service: str,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | str,
    params: Json,
    region: str,
    account: str,
) -> str:
    if service == "iam":
        request = parse_qs(body.decode() if isinstance(body, bytes) else body)
        if request.get("Action") == ["SimulatePrincipalPolicy"] and "PolicySourceArn" in request:
            return request["PolicySourceArn"][0]
    return original(service, method, path, headers, body, params, region, account)
