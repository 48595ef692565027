"""What local mode imports once for the workers of all functions knows nothing of any of them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from ministack.core.lambda_runtime import _RESERVED_RUNTIME_ENV_VARS as GIVEN_BY_LAMBDA

from cloud_agent_local.up import PRELOADED

# Prints which variables are read while these modules are imported.
_READ = """
import importlib, json, os, sys
read = set()
class Environment(type(os.environ)):
    def __getitem__(self, name):
        read.add(name)
        return super().__getitem__(name)
    def __contains__(self, name):
        read.add(name)
        return super().__contains__(name)
os.environ.__class__ = Environment
for module in sys.argv[1:]:
    importlib.import_module(module)
print(json.dumps(sorted(read)))
"""


def test_no_preloaded_library_reads_a_variable_of_its_function_as_it_is_imported(functions: dict[str, Any]) -> None:
    given = {name for function in functions.values() for name in function["Environment"]["Variables"]}
    read = set(json.loads(subprocess.check_output([sys.executable, "-c", _READ, *PRELOADED])))
    assert "HOME" in read  # botocore's own: they are seen
    assert set() == read & (given | GIVEN_BY_LAMBDA)
