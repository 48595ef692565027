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

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ministack.core import lambda_runtime

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_INCLUDED = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
# Runs first in the worker, which later puts the layers and the code before all this.
_NARROW = """
import os, sys, sysconfig
_library = sysconfig.get_path("stdlib")
_own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
_builtin = (_library, sysconfig.get_path("platstdlib"))
sys.path[:] = [
    path for path in sys.path if path in _own or (path.startswith(_builtin) and "site-packages" not in path)
] + [{included!r}]
"""


def _included_libraries() -> Path:
    """Return a folder with the SDK alone, as links: what is compiled of it is compiled once."""
    folder = Path(tempfile.mkdtemp(prefix="lambda-runtime-"))
    for name in _INCLUDED:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ImportError(f"{name} is a part of AWS's Python runtime and is not installed here")
        module = Path(spec.origin)
        target = module.parent if spec.submodule_search_locations else module
        (folder / target.name).symlink_to(target)
    return folder


def apply() -> None:
    """Give Python workers the search path of AWS's runtime."""
    narrow = _NARROW.format(included=str(_included_libraries()))

    def detect(original: Callable[[str], tuple[str, str]], runtime: str) -> tuple[str, str]:
        binary, script = original(runtime)
        return binary, narrow + script if runtime.startswith("python") else script

    wrap(lambda_runtime, "_detect_runtime_binary", detect)
