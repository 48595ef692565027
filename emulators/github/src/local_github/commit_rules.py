"""Rules about the commits that a push brings: found by a hook of git's, once the commits are there.

What the rules mean: "GitHub Docs: Available rules for rulesets". What GitHub says of signatures is quoted in
https://github.com/vercel/sandbox/pull/169; of metadata that doesn't match, "GitHub Docs: Troubleshooting rules" has
only that the message has the pattern.

Run as a program it is the hook: it needs nothing but git and the standard library.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

SIGNATURES = "required_signatures"
LINEAR = "required_linear_history"
# What each pattern is held against, and what to call that.
PATTERNS = {
    "commit_message_pattern": ("%B", "Commit message"),
    "commit_author_email_pattern": ("%ae", "Commit author email"),
    "committer_email_pattern": ("%ce", "Committer email"),
}
_VERBS = {"starts_with": "start with", "ends_with": "end with", "contains": "contain", "regex": "match"}
_NO_COMMIT = re.compile(r"0+")


def matches(text: str, parameters: dict[str, Any]) -> bool:
    """Whether the text is as a pattern wants it; `negate` wants it otherwise."""
    pattern = parameters["pattern"]
    found = {
        "starts_with": text.startswith(pattern),
        "ends_with": text.endswith(pattern),
        "contains": pattern in text,
        "regex": parameters["operator"] == "regex" and re.search(pattern, text, re.MULTILINE) is not None,
    }
    return found[parameters["operator"]] != bool(parameters.get("negate"))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, check=True, text=True).stdout  # noqa: S603, S607 - an argv without a shell


def _breaking(rule: dict[str, Any], new: str) -> list[str]:
    """Return which of the commits that the push brings to the repository break a rule."""
    kind = rule["type"]
    commits = _git("rev-list", new, "--not", "--all").split()
    if kind == LINEAR:
        return _git("rev-list", "--merges", new, "--not", "--all").split()
    if kind == SIGNATURES:
        return [sha for sha in commits if "\ngpgsig" not in _git("cat-file", "commit", sha).partition("\n\n")[0]]
    shown = PATTERNS[kind][0]
    return [
        sha
        for sha in commits
        if not matches(_git("show", "--no-patch", f"--format={shown}", sha).strip(), rule["parameters"])
    ]


def _words(rule: dict[str, Any], broken: list[str]) -> str:
    kind = rule["type"]
    if kind in PATTERNS:
        parameters = rule["parameters"]
        must = "must not" if parameters.get("negate") else "must"
        sentence = f"{PATTERNS[kind][1]} {must} {_VERBS[parameters['operator']]}: {parameters['pattern']}"
    elif kind == SIGNATURES:
        sentence = "Commits must have verified signatures."
    else:
        sentence = "This branch must not contain merge commits."
    count = f"{len(broken)} violation{'s' * (len(broken) != 1)}"
    return f"{sentence}\n  Found {count}:\n\n" + "\n".join(f"  {sha}" for sha in broken)


def main() -> int:
    """Refuse the push that git describes, line by line; what it breaks goes to a file, by ref."""
    rules: dict[str, list[dict[str, Any]]] = json.loads(os.environ["COMMIT_RULES"])
    refused: dict[str, list[str]] = {}
    for line in sys.stdin:
        _, new, ref = line.split()
        if _NO_COMMIT.fullmatch(new):
            continue
        for rule in rules.get(ref, ()):
            if broken := _breaking(rule, new):
                refused.setdefault(ref, []).append(_words(rule, broken))
    if refused:
        Path(os.environ["BROKEN_RULES"]).write_text(json.dumps(refused), encoding="utf-8")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
