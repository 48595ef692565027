"""Defect: DescribeImages leaves out images that are not there.

AWS documents ImageNotFoundException for an image that was asked for by tag or digest and does not exist.

Source: SDK model "ecr": DescribeImages and ImageNotFoundException.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.core.responses import error_response_json
from ministack.services import ecr

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable


def apply() -> None:
    """Refuse to describe an image that is not there."""
    wrap(ecr, "_describe_images", _describe)


def _describe(original: Callable[..., object], data: dict[str, Any]) -> object:
    name = data.get("repositoryName", "")
    missing = [one for one in data.get("imageIds") or [] if not ecr._find_image(name, one)]
    if name in ecr._repositories and missing:
        message = f"The image with imageId {missing[0]} does not exist within the repository with name '{name}'"
        return error_response_json("ImageNotFoundException", message, 400)
    return original(data)
