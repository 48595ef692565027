"""`python -m cloud_agent_runner.transcript.mask_process`: for each text, which secrets it holds.

A line of standard input is a text in JSON, and the line of standard output that answers it an array of values. Without
capabilities and with a limit of memory, because anybody may have written what it reads.
"""

from __future__ import annotations

import json
import sys

from cloud_agent_runner.secret_scan.scanner import confine, find_secrets, secret_scanner


def main() -> None:
    """Answer until there is nothing more to read."""
    confine()
    scanner = secret_scanner()
    for line in sys.stdin.buffer:
        found = {value for _, value, _ in find_secrets(scanner, json.loads(line).encode())}
        sys.stdout.write(json.dumps(sorted(found)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
