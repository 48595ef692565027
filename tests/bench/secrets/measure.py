"""What a secret scanner finds of made-up credentials, and what it takes for one in text that has none.

`python -m tests.bench.secrets.measure [--repositories FOLDER] [--gitleaks PROGRAM] [--detect-secrets PROGRAM]`; the
README says what came out of it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.secrets.samples import Sample, negatives, positives

from cloud_agent_runner.secret_scan.rules import secret_file
from cloud_agent_runner.secret_scan.scanner import find_secrets, secret_scanner

if TYPE_CHECKING:
    from collections.abc import Callable

    # Files below a folder, each with the lines that were reported, and by which rule.
    Report = dict[str, list[tuple[int, str]]]

_DRAWS = 10


def ours(folder: Path) -> Report:
    """Return what the agent's own scan would report if everything in a folder were new."""
    scanner, report = secret_scanner(), dict[str, list[tuple[int, str]]]()
    for path in _files(folder):
        content, name = path.read_bytes(), str(path.relative_to(folder))
        found = [(line, kind) for kind, _, line in find_secrets(scanner, content)]
        if (named := secret_file(name, content)) and named[0] not in {kind for _, kind in found}:
            found.append((named[1], named[0]))
        report[name] = found
    return report


def gitleaks(program: str) -> Callable[[Path], Report]:
    """Return Gitleaks, a program that is installed."""

    def scan(folder: Path) -> Report:
        with tempfile.TemporaryDirectory() as output:
            path = Path(output) / "report.json"
            command = [program, "dir", str(folder), "--no-banner", "-f", "json", "-r", str(path)]
            subprocess.run(command, check=False, capture_output=True)  # 1: it found something
            return _report(folder, [(f["File"], f["StartLine"], f["RuleID"]) for f in json.loads(path.read_text())])

    return scan


def detect_secrets(program: str) -> Callable[[Path], Report]:
    """Return detect-secrets, a program that is installed."""

    def scan(folder: Path) -> Report:
        command = [program, "scan", "--all-files", "--no-verify", "."]
        results = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout)["results"]
        found = [(path, f["line_number"], f["type"]) for path, findings in results.items() for f in findings]
        return _report(folder, found)

    return scan


def recall(scan: Callable[[Path], Report]) -> None:
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


def false_positives(scan: Callable[[Path], Report]) -> None:
    """Print what a scanner reports in files that have no credentials."""
    samples = negatives(2, _DRAWS)
    with tempfile.TemporaryDirectory() as folder:
        report = scan(_written(samples, Path(folder)))
    wrong = Counter(rule for found in report.values() for _, rule in found)
    print(f"  in {len(samples)} files without credentials: {wrong.total()}", dict(wrong) or "")


def in_repositories(scan: Callable[[Path], Report], folder: Path) -> None:
    """Print what a scanner reports in real repositories, and how long it takes."""
    started = time.monotonic()
    report = scan(folder)
    took, found = time.monotonic() - started, [rule for found in report.values() for _, rule in found]
    size = sum(path.stat().st_size for path in _files(folder)) / 1e6
    names = {path.relative_to(folder).parts[0] for path in _files(folder)}
    print(f"  in {len(names)} repositories, {size:.0f} MB: {len(found)} in {took:.1f} s;", Counter(found).most_common())


def _report(folder: Path, found: list[tuple[str, int, str]]) -> Report:
    report: Report = {}
    for path, line, rule in found:
        report.setdefault(str((folder / path).relative_to(folder)), []).append((line, rule))
    return report


def _written(samples: list[Sample], folder: Path) -> Path:
    for number, sample in enumerate(samples):
        path = folder / str(number) / sample.path
        path.parent.mkdir(parents=True)
        path.write_text(sample.text, encoding="utf-8")
    return folder


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and ".git" not in path.parts]


def main() -> None:
    """Measure each scanner that the arguments name, and ours."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--repositories", type=Path, help="a folder of checkouts")
    arguments.add_argument("--gitleaks", help="its program")
    arguments.add_argument("--detect-secrets", help="its program")
    given = arguments.parse_args()
    scanners: dict[str, Callable[[Path], Report]] = {"ours": ours}
    if given.gitleaks:
        scanners["gitleaks"] = gitleaks(given.gitleaks)
    if given.detect_secrets:
        scanners["detect-secrets"] = detect_secrets(given.detect_secrets)
    for name, scan in scanners.items():
        print(name)
        recall(scan)
        false_positives(scan)
        if given.repositories:
            in_repositories(scan, given.repositories)


if __name__ == "__main__":
    main()
