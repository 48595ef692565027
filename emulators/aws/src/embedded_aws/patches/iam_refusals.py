"""Defect: only the caller learns what IAM refuses; whoever looks for a missing permission sees its consequences.

AWS keeps every refused request in CloudTrail, with principal, action and resource. Here it is a line of the log:
`refused by IAM: <principal> <action> <resource>`.

Source: AWS CloudTrail User Guide, "CloudTrail record contents". The log line is this emulator's own.
Upstream: not reported: no defect.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ministack.core import iam_evaluator

from embedded_aws.patches.iam_task_tags import refused_of
from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


def apply() -> None:
    """Log each refusal, when IAM is enforced."""
    wrap(iam_evaluator, "enforce", _enforce)


def _enforce(  # noqa: PLR0913, PLR0917 - ministack's signature
    original: Callable[..., object],
    access_key_id: str,
    action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, object] | None = None,
) -> object:
    refusal = original(access_key_id, action, service, region, resource_arn, service_context)
    if isinstance(refusal, iam_evaluator.EvalResult):
        logger.warning("refused by IAM: %s %s %s", refusal.principal_arn, *refused_of(refusal, action, resource_arn))
    return refusal
