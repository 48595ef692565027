"""The scanners that are compared: each takes a folder, and returns the lines that it reports in the folder's files."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_agent_runner.secret_scan.scanner import find_secrets, secret_scanner, secrets_between
from cloud_agent_runner.secret_scan.secret_files import secret_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    # Files below a folder, each with the lines that were reported, and by which rule.
    Report = dict[str, list[tuple[int, str]]]
    Scan = Callable[[Path], Report]

_WHO = ("-c", "user.name=Claude", "-c", "user.email=noreply@anthropic.com", "-c", "commit.gpgsign=false")


def ours(folder: Path) -> Report:
    """Return what the agent's own scan would report if everything in a folder were new."""
    scanner, report = secret_scanner(), dict[str, list[tuple[int, str]]]()
    for path in files_of(folder):
        content, name = path.read_bytes(), str(path.relative_to(folder))
        found = [(line, kind) for kind, _, line in find_secrets(scanner, content)]
        if (named := secret_file(name, content)) and named[0] not in {kind for _, kind in found}:
            found.append((named[1], named[0]))
        report[name] = found
    return report


def ours_before_a_push(folder: Path) -> Report:
    """Return what the agent reports if a turn has committed everything in a folder: each value once for each file."""
    with tempfile.TemporaryDirectory() as repository:

        def git(*arguments: str) -> str:
            command = ("git", f"--git-dir={repository}", f"--work-tree={folder}", *_WHO, *arguments)
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

        subprocess.run(["git", "init", "--quiet", "--bare", repository], check=True)
        git("commit", "--quiet", "--allow-empty", "--message", "As it was")
        base = git("rev-parse", "HEAD")
        git("add", "--all", "--force")
        git("commit", "--quiet", "--message", "A turn")
        found = secrets_between(repository, base, git("rev-parse", "HEAD"))
    report: Report = {}
    for secret in found:
        report.setdefault(secret.path or "", []).append((secret.line, secret.kind))
    return report


def gitleaks(program: str) -> Scan:
    """Return Gitleaks."""

    def scan(folder: Path) -> Report:
        with tempfile.TemporaryDirectory() as output:
            path = Path(output) / "report.json"
            command = [program, "dir", str(folder), "--no-banner", "-f", "json", "-r", str(path)]
            subprocess.run(command, check=False, capture_output=True)  # 1: it found something
            found = json.loads(path.read_text())
        return _report(folder, [(f["File"], f["StartLine"], f["RuleID"]) for f in found])

    return scan


def betterleaks(program: str) -> Scan:
    """Return Betterleaks, without looking into archives and encoded text, as no other scanner here does."""

    def scan(folder: Path) -> Report:
        with tempfile.TemporaryDirectory() as output:
            path = Path(output) / "report.json"
            command = [program, "--silent", "--no-allow-signatures", "--max-decode-depth=0", "--max-archive-depth=0",
                       f"--output={path}", str(folder)]  # fmt: skip
            subprocess.run(command, check=False, capture_output=True)  # 1: it found something
            found = [(finding["location"], finding["rule_id"]) for finding in json.loads(path.read_text())["findings"]]
        return _report(folder, [(place["path"], place.get("start_line", 1), rule) for place, rule in found])

    return scan


def detect_secrets(program: str) -> Scan:
    """Return detect-secrets."""

    def scan(folder: Path) -> Report:
        command = [program, "scan", "--all-files", "--no-verify", "."]
        results = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout)["results"]
        found = [(path, f["line_number"], f["type"]) for path, findings in results.items() for f in findings]
        return _report(folder, found)

    return scan


def trufflehog3(program: str) -> Scan:
    """Return truffleHog3."""

    def scan(folder: Path) -> Report:
        command = [program, "--zero", "--no-history", "--ignore-nosecret", "--format", "JSON", str(folder)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        return _report(folder, [(f["path"], int(f["line"]), f["rule"]["id"]) for f in found])

    return scan


_OTHERS = {
    "gitleaks": gitleaks,
    "betterleaks": betterleaks,
    "detect-secrets": detect_secrets,
    "trufflehog3": trufflehog3,
}


def add_programs(arguments: argparse.ArgumentParser) -> None:
    """Have a command line take the programs of the other scanners."""
    for name in _OTHERS:
        arguments.add_argument(f"--{name}", help="its program")


def given_programs(given: argparse.Namespace) -> dict[str, Scan]:
    """Return the other scanners that a command line names."""
    programs = {name: getattr(given, name.replace("-", "_")) for name in _OTHERS}
    return {name: _OTHERS[name](program) for name, program in programs.items() if program}


def files_of(folder: Path) -> list[Path]:
    """Return a folder's files, without Git's own."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and ".git" not in path.parts]


def _report(folder: Path, found: list[tuple[str, int, str]]) -> Report:
    report: Report = {}
    for path, line, rule in found:
        report.setdefault(str((folder / path).relative_to(folder)), []).append((line, rule))
    return report
