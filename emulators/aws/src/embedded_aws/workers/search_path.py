"""Where a Python worker finds modules, besides its code and its layers."""

from __future__ import annotations

import functools
import tempfile
from importlib.util import find_spec
from pathlib import Path

_INCLUDED = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
_NARROW = """
import os, sys, sysconfig
_library = sysconfig.get_path("stdlib")
_own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
_builtin = (_library, sysconfig.get_path("platstdlib"))
sys.path[:] = [
    path for path in sys.path if path in _own or (path.startswith(_builtin) and "site-packages" not in path)
] + [{included!r}]
"""


@functools.cache
def narrowing() -> str:
    """Return Python code that leaves in sys.path the standard library, a PYTHONPATH and the SDK of AWS's runtime.

    Raises:
        ImportError: a part of the SDK is not installed here.
    """
    return _NARROW.format(included=str(_included_libraries()))


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
