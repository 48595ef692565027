"""What counts as a secret: by the scanner's rules, without their samples, and by the name of a file."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

EXTRA_RULES = Path(__file__).with_name("secret_rules.yml")
# All rules as the scanner compiles them, in seconds: the image has them, elsewhere the first scan makes them.
COMPILED_RULES = Path(__file__).parents[2] / "secret-rules"
# A part of a pair, which the scanner finds but by itself doesn't report.
REPORTED_ALONE = "betterleaks.aws-secret-access-key"
_REPLACED = "betterleaks.brave-search-api-key"  # by one of EXTRA_RULES
# These go by what stands around a value. What people write there as a sample, such as `password` or `your-api-key`,
# differs from a credential in that it has no digits.
_BY_CONTEXT = frozenset(
    {
        "betterleaks.curl-auth-header",
        "betterleaks.curl-auth-user",
        "betterleaks.generic-credential-uri",
        REPORTED_ALONE,
    }
)
_MIN_RANDOM_LENGTH = 8
_MIN_RANDOM_ENTROPY = 2.75
_AWS_SAMPLE = "EXAMPLE"  # in every access key of AWS's own documentation
# SHA-256 of credentials that their makers publish: the Azure Storage emulator's account key.
_PUBLISHED = frozenset({"0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059"})


class _SecretFile(NamedTuple):
    kind: str
    name: re.Pattern[str]
    holds: re.Pattern[bytes]


def _secret_file(kind: str, name: str, holds: bytes) -> _SecretFile:
    return _SecretFile(kind, re.compile(name, re.DOTALL), re.compile(holds, re.MULTILINE | re.DOTALL))


# By the file's name and by what must stand in it, whether or not a rule recognises the value.
_SECRET_FILES = (
    _secret_file(
        "environment-file",
        r"(?!.*(?:example|sample|template|tmpl|\.dist$|\.defaults$))\.env(?:\..+)?",
        rb"^[ \t]*(?:export[ \t]+)?[A-Za-z_]\w*[ \t]*=[ \t]*['\"]?[^\s'\"#]",
    ),
    _secret_file("private-key", r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?", rb"\S"),
    _secret_file("private-key", r".*\.(?:pem|key|ppk|p8)", rb"PRIVATE KEY|^PuTTY-User-Key-File"),
    _secret_file("key-store", r".*\.(?:p12|pfx|jks|keystore|kdbx)", rb"."),
    _secret_file("npm-credentials", r"\.npmrc", rb"^[^#;\n]*_(?:authToken|auth|password)[ \t]*=[ \t]*['\"]?[^\s'\"$]"),
    _secret_file("netrc", r"[._]netrc", rb"\bpassword\s+\S"),
    _secret_file("git-credentials", r"\.git-credentials", rb"://[^\s/@]+@"),
    _secret_file("pypi-credentials", r"\.pypirc", rb"^[ \t]*password[ \t]*[=:][ \t]*\S"),
    _secret_file("google-service-account", r".*\.json", rb'"type"\s*:\s*"service_account"'),
)


def kind_of(rule_id: str) -> str:
    """Return a rule's kind of secret for people: `aws-access-token` for `betterleaks.aws-access-token.1`."""
    return re.sub(r"^(?:betterleaks\.|custom\.|veles\.secrets/)|\.\d+$", "", rule_id)


def is_sample(rule_id: str, value: str) -> bool:
    """Return whether a value that a rule found is one that nobody could use, or no credential at all."""
    if rule_id == _REPLACED or ("aws" in rule_id and _AWS_SAMPLE in value):
        return True
    if hashlib.sha256(value.encode()).hexdigest() in _PUBLISHED:
        return True
    return rule_id in _BY_CONTEXT and not _looks_random(value)


def secret_file(path: str, content: bytes) -> tuple[str, int] | None:
    """Return the kind of a file that holds secrets by its name, and its first line that does."""
    name = path.rsplit("/", 1)[-1]
    for kind, named, holds in _SECRET_FILES:
        if named.fullmatch(name) and (found := holds.search(content)):
            return kind, content.count(b"\n", 0, found.end()) + 1
    return None


def _looks_random(value: str) -> bool:
    if len(value) < _MIN_RANDOM_LENGTH or not re.search(r"\d", re.sub(r"%[0-9A-Fa-f]{2}", "", value)):
        return False
    counts = Counter(value).values()
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return entropy >= _MIN_RANDOM_ENTROPY
