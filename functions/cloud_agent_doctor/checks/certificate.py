"""Does a visitor's browser get a certificate for the session's name?

Looks at the certificates of the stack's HTTPS listener: of one that was given, at all that its names share; of one that
is gone, at the certificate that the stack would give it. One must be for `*.uat.<domain>`, where an asterisk stands for
exactly one label, so that `*.<domain>` is not enough; it must be issued, and not about to end. Certificate Manager
renews what it validated by DNS long before (60 days): one that has less than 21 days left and cannot renew itself has
been overlooked.

Without one every browser warns before the page, and webhooks and scripts refuse. Mended by a validated certificate of
the load balancer's region in the parameter CertificateArn, or in the template that owns the shared listener.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.engine.check import Check, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.load_balancer.load_balancer_in_use import LISTENERS_ACTION, https_listener, intended
from cloud_agent_doctor.stack.names import covers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.examination import Examination

    Document = dict[str, Any]

_NOTICE = timedelta(days=21)
_RENEWS = {None, "PENDING_AUTO_RENEWAL", "SUCCESS"}


def examine(examination: Examination) -> Iterator[Finding]:
    """Find that no certificate is good, or that the one there is will not be for long."""
    stack = examination.stack
    if stack.parameters.get("UatUrl"):
        raise NotApplicableError(f"visitors come by {stack.parameters['UatUrl']} (parameter UatUrl)")
    arns = _arns(examination)
    if not arns:
        raise NotApplicableError("there is no HTTPS listener that could have one (see load-balancer, listener)")
    name = uat_record.name(examination)
    found = {arn: _describe(examination, arn) for arn in arns}
    covering = {arn: one for arn, one in found.items() if one and any(covers(other, name) for other in _names(one))}
    if not covering:
        yield _finding(examination, arns[0], f"No certificate of the listener is for {name}: {_listed(found)}.")
        return
    troubles = {arn: _trouble(certificate) for arn, certificate in covering.items()}
    if all(troubles.values()):
        arn, trouble = next(iter(troubles.items()))
        yield _finding(examination, arn, f"The certificate for {name} {trouble}.")


def _arns(examination: Examination) -> list[str]:
    load_balancer = intended(examination)
    listener = https_listener(examination, load_balancer) if load_balancer else None
    if listener is None:
        given = examination.stack.parameters.get("CertificateArn", "")
        return [given] if examination.stack.owns_load_balancer and given else []
    default = [one["CertificateArn"] for one in listener.get("Certificates", ())]
    if examination.stack.owns_load_balancer:
        return default
    others = examination.aws.ask_all(
        "elbv2", "describe_listener_certificates", "Certificates", ListenerArn=listener["ListenerArn"]
    )
    return list(dict.fromkeys([*default, *(one["CertificateArn"] for one in others)]))


def _describe(examination: Examination, arn: str) -> Document | None:
    answer = examination.aws.ask(
        "acm", "describe_certificate", missing=["ResourceNotFoundException"], CertificateArn=arn
    )
    return answer["Certificate"] if answer else None


def _names(certificate: Document) -> list[str]:
    return [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", ())]


def _listed(found: dict[str, Document | None]) -> str:
    return "; ".join(
        f"{arn} is for {', '.join(dict.fromkeys(_names(one)))}" if one else f"{arn} does not exist"
        for arn, one in found.items()
    )


def _trouble(certificate: Document) -> str:
    """Return what is wrong with it, in words that follow `the certificate`; empty when nothing is."""
    status = certificate["Status"]
    if status != "ISSUED":
        reason = certificate.get("FailureReason", "")
        return f"is in status {status}{f' ({reason})' if reason else ''}, not ISSUED"
    end = certificate.get("NotAfter")
    if end is None or end - datetime.now(UTC) > _NOTICE:
        return ""
    summary = certificate.get("RenewalSummary", {})
    status = summary.get("RenewalStatus")
    if certificate.get("RenewalEligibility") == "ELIGIBLE" and status in _RENEWS:
        return ""
    why = (
        f"its renewal is in status {status} {summary.get('RenewalStatusReason', '')}".rstrip()
        if status not in _RENEWS
        else "Certificate Manager cannot renew it"
    )
    return f"ends on {end:%Y-%m-%d}, and {why}"


def _finding(examination: Examination, arn: str, problem: str) -> Finding:
    stack = examination.stack
    return Finding(
        resource=arn,
        problem=problem,
        meaning="Browsers warn of every session URL, or will from that day on.",
        mend=f"Have a certificate for {uat_record.name(examination)} validated by DNS in {stack.region}, and "
        + (
            "deploy with its ARN as CertificateArn."
            if stack.owns_load_balancer
            else f"add it to the listener {stack.parameters['ListenerArn']} in the template that owns it."
        ),
        confirm=f"aws acm describe-certificate --certificate-arn {arn}",
        logical_ids=("HttpsListener",) if stack.owns_load_balancer else (),
    )


CHECK = Check(
    name="certificate",
    question="Does a browser get a certificate for the session's name?",
    examine=examine,
    actions=(
        "elasticloadbalancing:DescribeLoadBalancers",
        LISTENERS_ACTION,
        "elasticloadbalancing:DescribeListenerCertificates",
        "acm:DescribeCertificate",
    ),
)
