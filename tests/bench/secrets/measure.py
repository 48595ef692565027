"""What a secret scanner finds of made-up credentials, and what it takes for one in text that has none.

`python -m tests.bench.secrets.measure [--repositories FOLDER] [--gitleaks PROGRAM] [--detect-secrets PROGRAM] …`; the
README says what came out of it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.secrets.samples import Sample, negatives, positives
from tests.bench.secrets.scanners import add_programs, files_of, given_programs, ours

if TYPE_CHECKING:
    from tests.bench.secrets.scanners import Scan

_DRAWS = 10


def recall(scan: Scan) -> None:
    """Print how many of the made-up credentials a scanner finds, and which kinds it doesn't find all of."""
    samples = positives(1, _DRAWS)
    with tempfile.TemporaryDirectory() as folder:
        report = scan(_written(samples, Path(folder)))
    all_of, found_of = Counter[str](), Counter[str]()
    for number, sample in enumerate(samples):
        lines = {line for line, _ in report.get(f"{number}/{sample.path}", [])}
        all_of[sample.kind] += 1
        found_of[sample.kind] += bool(lines & sample.secret_lines)
    print(f"  credentials: {found_of.total()} of {all_of.total()}, of {len(all_of)} kinds")
    print("  not all of:", ", ".join(f"{k} {found_of[k]}/{n}" for k, n in all_of.items() if found_of[k] < n) or "none")


def false_positives(scan: Scan) -> None:
    """Print what a scanner reports in files that have no credentials."""
    samples = negatives(2, _DRAWS)
    with tempfile.TemporaryDirectory() as folder:
        report = scan(_written(samples, Path(folder)))
    wrong = Counter(rule for found in report.values() for _, rule in found)
    print(f"  in {len(samples)} files without credentials: {wrong.total()}", dict(wrong) or "")


def in_repositories(scan: Scan, folder: Path) -> None:
    """Print what a scanner reports in real repositories, and how long it takes."""
    started = time.monotonic()
    report = scan(folder)
    took, found = time.monotonic() - started, [rule for found in report.values() for _, rule in found]
    size = sum(path.stat().st_size for path in files_of(folder)) / 1e6
    names = {path.relative_to(folder).parts[0] for path in files_of(folder)}
    print(f"  in {len(names)} repositories, {size:.0f} MB: {len(found)} in {took:.1f} s;", Counter(found).most_common())


def _written(samples: list[Sample], folder: Path) -> Path:
    for number, sample in enumerate(samples):
        path = folder / str(number) / sample.path
        path.parent.mkdir(parents=True)
        path.write_text(sample.text, encoding="utf-8")
    return folder


def main() -> None:
    """Measure each scanner that the arguments name, and ours."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--repositories", type=Path, help="a folder of checkouts")
    add_programs(arguments)
    given = arguments.parse_args()
    for name, scan in {"ours": ours, **given_programs(given)}.items():
        print(name)
        recall(scan)
        false_positives(scan)
        if given.repositories:
            in_repositories(scan, given.repositories)


if __name__ == "__main__":
    main()
