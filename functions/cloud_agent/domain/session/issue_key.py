"""What names an issue in its branch and commit: a tracker's key in its title, else its number."""

from __future__ import annotations

import re

# A project key as trackers define it (capital first, up to ten characters), then a number without leading zero.
_TRACKER_KEY = re.compile(r"(?<![A-Za-z0-9_-])([A-Z][A-Z0-9]{1,9})-([1-9][0-9]{0,9})(?![A-Za-z0-9_-])")
# Names of standards have the shape of a key; a branch `claude/utf-8` would be shared by unrelated issues.
_STANDARDS = frozenset(
    {"AES", "CVE", "CWE", "ECMA", "ES", "GPT", "HTTP", "IEEE", "IPV", "ISO", "MD", "PEP", "RFC", "RSA", "SHA"}
    | {"SHA1", "SHA2", "SHA3", "TLS", "UCS", "USB", "UTF", "WCAG", "X"}
)


def issue_key(title: str, number: int) -> str:
    """`AGNTS-124` when the title carries such a key, else the issue's number in digits."""
    for match in _TRACKER_KEY.finditer(title):
        if match[1] not in _STANDARDS:
            return match[0]
    return str(number)


def branch_name(key: str) -> str:
    """Return the session's branch: `claude/agnts-124` or `claude/42`. Always a valid Git ref."""
    return f"claude/{key.lower()}"
