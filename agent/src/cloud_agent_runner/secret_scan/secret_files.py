"""What holds secrets by a file's name and by what must stand in it, whether or not a rule recognises the value."""

from __future__ import annotations

import re
from typing import NamedTuple


class _SecretFile(NamedTuple):
    kind: str
    path: re.Pattern[str]
    holds: re.Pattern[bytes]


def _secret_file(kind: str, path: str, holds: bytes) -> _SecretFile:
    return _SecretFile(kind, re.compile(f"(?:.*/)?(?:{path})", re.DOTALL), re.compile(holds, re.MULTILINE | re.DOTALL))


# A value that is there, rather than a variable's that is put in later.
_VALUE = rb"['\"]?[^\s'\"$<{`]"
_SECRET_VARIABLE = rb"\w*(?:PASS|PASSWORD|SECRET|TOKEN|API_?KEY|ACCESS_KEY)[ \t]*=[ \t]*"
_SAMPLE = r"[^/]*(?:example|sample|template|tmpl|\.dist$|\.defaults$)"
_JSON_PASSWORD = rb"\"(?:pass|password|passphrase)\"\s*:\s*\"[^\"$<{]"
_XML_PASSWORD = rb"\bpassword=\"[^\"$]"
_SECRET_FILES = (
    _secret_file(
        "environment-file",
        rf"(?!{_SAMPLE})\.env(?:\.[^/]+)?",
        rb"^[ \t]*(?:export[ \t]+)?[A-Za-z_]\w*[ \t]*=[ \t]*['\"]?[^\s'\"#]",
    ),
    _secret_file("private-key", r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?", rb"\S"),
    _secret_file("private-key", r"[^/]*\.(?:pem|key|ppk|p8)", rb"PRIVATE KEY|^PuTTY-User-Key-File"),
    _secret_file("key-store", r"[^/]*\.(?:p12|pfx|jks|keystore|kdbx)", rb"."),
    _secret_file("npm-credentials", r"\.npmrc", rb"^[^#;\n]*_(?:authToken|auth|password)[ \t]*=[ \t]*['\"]?[^\s'\"$]"),
    _secret_file("netrc", r"[._]netrc", rb"\bpassword\s+\S"),
    _secret_file("git-credentials", r"\.git-credentials", rb"://[^\s/@]+@"),
    _secret_file("pypi-credentials", r"\.pypirc", rb"^[ \t]*password[ \t]*[=:][ \t]*\S"),
    _secret_file("google-service-account", r"[^/]*\.json", rb'"type"\s*:\s*"service_account"'),
    _secret_file("rails-master-key", r"(?:master|config/credentials/[^/]+)\.key", rb"\A[0-9a-f]{32}(?=\s*\Z)"),
    _secret_file(
        "rails-secret-key-base",
        r"secrets\.yml",
        rb"^production:[ \t]*(?:\n(?:[ \t]+[^\n]*|[ \t]*))*?\n[ \t]+secret_key_base:[ \t]*['\"]?[0-9a-f]{64}",
    ),
    _secret_file("wordpress-credentials", r"wp-config\.php",
                 rb"^[ \t]*define\(\s*['\"](?:DB_PASSWORD|(?:(?:SECURE_)?AUTH|LOGGED_IN|NONCE)_KEY)['\"]\s*,\s*"
                 rb"(['\"])(?!\1|put your |password_here)"),
    _secret_file("aws-credentials", r"(?:\.aws/|\.)credentials",
                 rb"^[ \t]*aws_secret_access_key[ \t]*=[ \t]*" + _VALUE),
    _secret_file("s3-credentials", r"\.s3cfg|\.boto",
                 rb"^[ \t]*(?:aws_secret_access|secret)_key[ \t]*=[ \t]*" + _VALUE),
    _secret_file("docker-credentials", r"\.docker/config\.json|\.dockercfg|\.dockerconfigjson",
                 rb"\"(?:auth|identitytoken|password)\"\s*:\s*\"[^\"$<{]"),
    _secret_file("database-password", r"\.pgpass", rb"^[^#:\n][^:\n]*(?::[^:\n]*){3}:" + _VALUE),
    _secret_file("database-password", r"\.my\.cnf|\.mylogin\.cnf", rb"^[ \t]*password[ \t]*=[ \t]*" + _VALUE),
    _secret_file("database-password", r"\.idea/dataSources\.local\.xml|\.?dbeaver-data-sources\.xml", _XML_PASSWORD),
    _secret_file("deployment-password", r"\.idea/[wW]eb[sS]ervers\.xml", _XML_PASSWORD),
    _secret_file("deployment-password", r"sftp-config\.json|\.vscode/s?ftp\.json|\.ftpconfig|\.remote-sync\.json|"
                 r"deployment-config\.json|\.ftppass", _JSON_PASSWORD),
    _secret_file("deployment-password", r"(?:filezilla|recentservers|sitemanager)\.xml", rb"<Pass\b[^>]*>[^<\s]"),
    _secret_file("mail-password", r"\.(?:esmtp|msmtp|fetchmail|mutt)rc", rb"^[^#\n]*\bpassword[ \t=]+" + _VALUE),
    _secret_file("password-hashes", r"\.htpasswd", rb"^[^:#\s]+:\$?\S{8}"),
    _secret_file("password-hashes", r"(?:etc/)?shadow", rb"^[^:#\s]+:\$\w+\$\S"),
    _secret_file("browser-passwords", r"logins\.json", rb'"encryptedPassword"\s*:\s*"[^"]'),
    _secret_file("shell-profile", r"\.(?:bashrc|bash_profile|profile|zshrc|zshenv|zprofile|envrc)",
                 rb"^[ \t]*export[ \t]+" + _SECRET_VARIABLE + _VALUE),
    _secret_file("environment-file", rf"(?!{_SAMPLE})[^/]+\.env",
                 rb"^[ \t]*(?:export[ \t]+)?" + _SECRET_VARIABLE + _VALUE),
)  # fmt: skip


def secret_file(path: str, content: bytes) -> tuple[str, int] | None:
    """Return the kind of a file that holds secrets by its name, and its first line that does."""
    for kind, named, holds in _SECRET_FILES:
        if named.fullmatch(path) and (found := holds.search(content)):
            return kind, content.count(b"\n", 0, found.end()) + 1
    return None
