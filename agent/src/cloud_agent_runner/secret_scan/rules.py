"""What counts as a secret by the scanner's rules, without their samples."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from pathlib import Path

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
_MONGODB = "betterleaks.mongodb-connection-string"
_MONGODB_PARTS = re.compile(r"\w+(?:\+srv)?://(?P<user>[^:@/]*):(?P<password>[^@/]*)@(?P<host>[^/?]*)")
# A database beside the program, as in a Compose file.
_BESIDE = re.compile(r"(?:localhost|127\.0\.0\.1|[\w-]+)(?::\d+)?")
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]+|<.*>|\[.*\]|\{.*\}|\$.*|[x*.]+|(?:my|your|db|the)?[-_]?pass(?:word)?")
_SERVICE_ACCOUNT = "betterleaks.gcp-service-account"
# What a private key has behind its first line. Three dots are a placeholder.
_KEY_BODY = re.compile(r"PRIVATE KEY-----(?:\\n|\s)*[A-Za-z0-9+/=]{16}")
_MIN_RANDOM_LENGTH = 8
_MIN_RANDOM_ENTROPY = 2.75
_AWS_SAMPLE = "EXAMPLE"  # in every access key of AWS's own documentation
# SHA-256 of credentials that their makers publish: the Azure Storage emulator's account key.
_PUBLISHED = frozenset({"0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059"})


def kind_of(rule_id: str) -> str:
    """Return a rule's kind of secret for people: `aws-access-token` for `betterleaks.aws-access-token.1`."""
    return re.sub(r"^(?:betterleaks\.|custom\.|veles\.secrets/)|\.\d+$", "", rule_id)


def is_extra(rule_id: str) -> bool:
    """Return whether a rule is one of EXTRA_RULES."""
    return rule_id.startswith("custom.")


def is_sample(rule_id: str, value: str) -> bool:
    """Return whether a value that a rule found is one that nobody could use, or no credential at all."""
    if rule_id == _REPLACED or ("aws" in rule_id and _AWS_SAMPLE in value):
        return True
    if hashlib.sha256(value.encode()).hexdigest() in _PUBLISHED:
        return True
    if rule_id == _MONGODB:
        return _is_mongodb_sample(value)
    if rule_id == _SERVICE_ACCOUNT:
        return "PRIVATE KEY-----" in value and not _KEY_BODY.search(value)
    return rule_id in _BY_CONTEXT and not _looks_random(value)


def _is_mongodb_sample(value: str) -> bool:
    parts = _MONGODB_PARTS.match(value)
    if parts is None or _looks_random(parts["password"]):
        return False
    if parts["password"] == parts["user"] or _PLACEHOLDER.fullmatch(parts["password"]):
        return True
    return bool(_BESIDE.fullmatch(parts["host"]))


def _looks_random(value: str) -> bool:
    if len(value) < _MIN_RANDOM_LENGTH or not re.search(r"\d", re.sub(r"%[0-9A-Fa-f]{2}", "", value)):
        return False
    counts = Counter(value).values()
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return entropy >= _MIN_RANDOM_ENTROPY
