"""What scanners find of the secrets in public sets, each by its own table of where they are.

`python -m tests.bench.secrets.public_sets [--leaky-repo FOLDER] [--secretlint FOLDER] [--gitleaks PROGRAM] …`: folders
of checkouts of Plazmaz/leaky-repo and secretlint/secretlint. The README says what came out of it.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.secrets.scanners import add_programs, given_programs, ours_before_a_push

if TYPE_CHECKING:
    from tests.bench.secrets.scanners import Report, Scan

# Of secretlint's rules those for other things than secrets, or that only other rules or a configuration make.
_OTHER_RULES = ("example", "filter-comments", "no-homedir", "no-k8s-kind-secret", "pattern", "preset-")
_NO_SECRETS = ("AWS Account ID", "ad_tenant_id", "azure_client_id")
_CONFIGURED = ("allow", "options")


@dataclass
class PublicSet:
    """Files below `folder`: how many lines of each hold a secret, and how many are to be left alone."""

    folder: Path
    secrets: dict[str, int] = field(default_factory=dict)
    # Of a file that isn't here, nothing may be reported.
    harmless: dict[str, int] = field(default_factory=dict)


def leaky_repo(checkout: Path, folder: Path) -> PublicSet:
    """Return Plazmaz/leaky-repo, whose table counts the lines of each file that are a risk, and that inform."""
    shutil.copytree(checkout, folder, ignore=shutil.ignore_patterns(".git", ".leaky-meta"), dirs_exist_ok=True)
    found = PublicSet(folder)
    table = (checkout / ".leaky-meta/secrets.csv").read_text(encoding="utf-8")
    for name, risks, informative in csv.reader(
        line for line in table.splitlines() if line.strip() and not line.startswith("#")
    ):
        if int(risks):
            found.secrets[name] = int(risks)
        found.harmless[name] = int(informative)
    return found


def secretlint(checkout: Path, folder: Path) -> PublicSet:
    """Return what the rules of secretlint are tested with: what each must report, and what it mustn't."""
    found = PublicSet(folder)
    for expected in sorted(checkout.glob("packages/@secretlint/secretlint-rule-*/test/snapshots/*/output.json")):
        case, rule = expected.parent.name, expected.parents[3].name.removeprefix("secretlint-rule-")
        if rule.startswith(_OTHER_RULES) or case.endswith(_NO_SECRETS) or any(word in case for word in _CONFIGURED):
            continue
        result = json.loads(expected.read_text(encoding="utf-8"))
        file = expected.parent / Path(result["filePath"]).name
        name = f"{rule}/{case}/{file.name}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / name)
        if lines := {message["loc"]["start"]["line"] for message in result["messages"]}:
            found.secrets[name] = len(lines)
    return found


def measure(name: str, scan: Scan, given: PublicSet) -> None:
    """Print how many files with a secret a scanner reports, how many of their lines, and what else it reports."""
    started = time.monotonic()
    report = scan(given.folder)
    took = time.monotonic() - started
    lines = {path: len({line for line, _ in found}) for path, found in report.items() if found}
    files = sum(path in lines for path in given.secrets)
    of_lines = sum(min(lines.get(path, 0), number) for path, number in given.secrets.items())
    more = sum(
        max(0, number - given.secrets.get(path, 0) - given.harmless.get(path, 0)) for path, number in lines.items()
    )
    print(f"  {name}: {files} of {len(given.secrets)} files, {of_lines} of {sum(given.secrets.values())} lines; "
          f"{more} lines more; {took:.1f} s")  # fmt: skip
    print("    not:", ", ".join(sorted(set(given.secrets) - set(lines))) or "none")
    print("    wrongly:", _wrong(report, given) or "none")


def _wrong(report: Report, given: PublicSet) -> str:
    return ", ".join(
        f"{path}:{line} {rule}"
        for path, found in sorted(report.items())
        if path not in given.secrets and path not in given.harmless
        for line, rule in found
    )


def main() -> None:
    """Measure each scanner that the arguments name, and ours, with each set that they name."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--leaky-repo", type=Path, help="a checkout of Plazmaz/leaky-repo")
    arguments.add_argument("--secretlint", type=Path, help="a checkout of secretlint/secretlint")
    add_programs(arguments)
    given = arguments.parse_args()
    for make, checkout in ((leaky_repo, given.leaky_repo), (secretlint, given.secretlint)):
        if checkout:
            print(make.__name__)
            with tempfile.TemporaryDirectory() as folder:
                public_set = make(checkout, Path(folder))
                for name, scan in {"ours": ours_before_a_push, **given_programs(given)}.items():
                    measure(name, scan, public_set)


if __name__ == "__main__":
    main()
