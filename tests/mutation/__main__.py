"""Take each permission of each role away, and see the test break that is named for it.

    python -m tests.mutation [--role PATTERN] [--static] [--document FILE]

One stack is deployed on the embedded AWS; on it each permission is taken from its role by IAM's own API, the named
test is run, and the permission given back. A test counts as broken when it fails and IAM has refused that action to
that role meanwhile. Prints a Markdown table, puts its rows into the document's, and ends with status 1 if a permission
survives.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from tests.kit.stack_template import ROOT, expanded, read_template
from tests.mutation.grants import grants
from tests.mutation.run import MutationRun
from tests.mutation.table import mutants, table, write


def main() -> int:
    """Run, print and write; 1 if a permission survives, or its test could not be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", default="*", help="a role's logical id, or a pattern for several")
    parser.add_argument("--static", action="store_true", help="only what is proven from the template; takes seconds")
    parser.add_argument(
        "--document", type=Path, default=ROOT / "docs/permissions.md", help="where the table is written"
    )
    options = parser.parse_args()
    every = mutants(grants(expanded(read_template())["Resources"]))
    wanted = [
        one for one in every if fnmatchcase(one.role, options.role) and (one.proof.is_static or not options.static)
    ]
    run = MutationRun(wanted, _say)
    begun = time.monotonic()
    if run.tests:
        pytest.main(["-q", "--rootdir", str(ROOT), *run.tests], plugins=[run])
    run.try_static()
    if len(run.outcomes) < len(run.mutants):
        return 1  # pytest has said why it did not come to them
    tried = {mutant.row: run.outcomes[mutant] for mutant in run.mutants}
    figures = (
        f"{datetime.now(UTC):%Y-%m-%d}, {'all roles' if options.role == '*' else f'`{options.role}`'}"
        f"{', from the template' if options.static else ''}: "
        f"{sum(len(mutant.gone) for mutant in run.mutants)} permissions in {len(tried)} rows, "
        f"{len(tried) - len(run.survivors)} broke their test, {len(run.survivors)} survived; "
        f"{(time.monotonic() - begun) / 60:.0f} minutes"
    )
    print(f"\n{figures}\n\n{table(tried.items())}")
    for mutant in run.survivors:
        print(f"\n{' | '.join(mutant.row)}: {run.outcomes[mutant]}", file=sys.stderr)
    write(options.document, tried, [mutant.row for mutant in every], figures)
    return 1 if run.survivors else 0


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
