"""Defect: an imported certificate's names and dates are made up.

AWS documents that they are the certificate's own. Unlike AWS an expired one is taken too: nobody can wait here until a
certificate expires.

Source: SDK model "acm": CertificateDetail.SubjectAlternativeNames, CertificateDetail.NotBefore and
CertificateDetail.NotAfter.
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cryptography import x509
from ministack.core.responses import error_response_json
from ministack.services import acm

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = tuple[int, dict[str, str], bytes]


def apply() -> None:
    """Read the certificate that is imported."""
    wrap(acm, "_import_certificate", _import)


def _import(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    try:
        certificate = x509.load_pem_x509_certificate(acm._decode_pem_field(data.get("Certificate")).encode())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, x509.ExtensionNotFound) as error:
        refusal: Answer = error_response_json("ValidationException", f"The certificate cannot be read: {error}", 400)
        return refusal
    status, headers, body = original(data)
    if status == 200:  # noqa: PLR2004 - HTTP's OK
        domains = names.value.get_values_for_type(x509.DNSName)
        acm._certificates[json.loads(body)["CertificateArn"]] |= {
            "DomainName": domains[0],
            "SubjectAlternativeNames": domains,
            "NotBefore": certificate.not_valid_before_utc.isoformat(),
            "NotAfter": certificate.not_valid_after_utc.isoformat(),
        }
    return status, headers, body
