"""Certificates that are really some; nobody has signed them but themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_LIFE = timedelta(days=90)


def import_certificate(acm: Any, *names: str, began_days_ago: int = 1, over: str | None = None) -> str:  # noqa: ANN401 - boto3 makes its clients at run time
    """The ARN of an imported certificate for these names, valid for 90 days; `over` is one that it replaces."""
    certificate, key = self_signed(*names, began_days_ago=began_days_ago)
    answer = acm.import_certificate(
        Certificate=certificate, PrivateKey=key, **({"CertificateArn": over} if over else {})
    )
    return str(answer["CertificateArn"])


def self_signed(*names: str, began_days_ago: int = 1) -> tuple[bytes, bytes]:
    """A certificate for these names and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    begin = datetime.now(UTC) - timedelta(days=began_days_ago)
    serial = x509.random_serial_number()
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), serial, begin, begin + _LIFE)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    certificate = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private
