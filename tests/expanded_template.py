"""Print what SAM makes of template.yaml, for tools that read plain CloudFormation."""

import json
import sys

from tests.stack_template import expanded, read_template

if __name__ == "__main__":
    json.dump(expanded(read_template()), sys.stdout, indent=2)
