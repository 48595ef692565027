"""Defect: a Python function can import whatever is installed beside ministack.

On AWS it finds its own code, its layers and the SDK that the runtime includes, and no more: one that lacks a dependency
fails there. Nor does a library find there what it only looks for. Beside development tools botocore loads the CRT,
urllib3 loads pyOpenSSL, and pydantic reads the metadata of every distribution, which is a third of a cold start.
A PYTHONPATH of the function's own counts, as on AWS.

Source: AWS Lambda Developer Guide, "Working with .zip file archives for Python Lambda functions", on the search path
and runtime-included libraries.
Upstream: not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.core import lambda_runtime

from embedded_aws.seam import wrap
from embedded_aws.workers.search_path import narrowing

if TYPE_CHECKING:
    from collections.abc import Callable


def apply() -> None:
    """Give Python workers the search path of AWS's runtime."""
    narrow = narrowing()

    def detect(original: Callable[[str], tuple[str, str]], runtime: str) -> tuple[str, str]:
        binary, script = original(runtime)
        # It runs first in the worker, which later puts the layers and the code before all this.
        return binary, narrow + script if runtime.startswith("python") else script

    wrap(lambda_runtime, "_detect_runtime_binary", detect)
