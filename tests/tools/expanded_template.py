"""Print what SAM makes of template.yaml, for tools that read plain CloudFormation.

Conditions are left out: Checkov passes over a resource that the parameters' defaults would not make.
"""

from __future__ import annotations

import json
import sys

from tests.kit.stack_template import expanded, read_template

if __name__ == "__main__":
    template = expanded(read_template())
    for resource in template["Resources"].values():
        resource.pop("Condition", None)
    json.dump(template, sys.stdout, indent=2)
