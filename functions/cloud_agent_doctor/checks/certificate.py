"""Does the load balancer present a certificate that matches the sessions' names?

Checks the certificates of the stack's HTTPS listener: every one of them if the listener is shared; the one the stack
would attach if the listener is gone. One must match `*.uat.<domain>` (an asterisk covers exactly one label, so
`*.<domain>` isn't enough), be issued, and not be about to expire. With IndexAtUatDomain, one must match `uat.<domain>`,
for which the asterisk doesn't stand. Certificate Manager renews what it validated by DNS 60 days ahead: a certificate
with less than 21 days left that can't renew itself has been overlooked.

Without one, every browser shows a warning before the page, and webhooks and scripts refuse to connect. The fix is a
validated certificate in the load balancer's region, set as the parameter CertificateArn or added in the template that
owns the shared listener.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.dns import certificate_matches
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Finding
from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.load_balancer.in_use import LISTENERS_ACTION, https_listener, intended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.load_balancer.uat_record import Host

    Document = dict[str, Any]

_NOTICE = timedelta(days=21)
_RENEWS = {None, "PENDING_AUTO_RENEWAL", "SUCCESS"}


def run(context: CheckContext) -> Iterator[Finding]:
    """Find that no certificate is valid, or that the valid one is about to expire."""
    stack = context.stack
    if stack.parameters.get("UatUrl"):
        raise NotApplicableError(f"visitors use {stack.parameters['UatUrl']} (parameter UatUrl)")
    arns = _arns(context)
    if not arns:
        raise NotApplicableError("there is no HTTPS listener to attach one to (see load-balancer, listener)")
    found = {arn: _describe(context, arn) for arn in arns}
    hosts = {host: _covering(found, host) for host in uat_record.hosts(context)}
    without = [host for host, covering in hosts.items() if not covering]
    if without:
        names = " or ".join(host.name for host in without)
        problem = f"None of the listener's certificates matches {names}: {_listed(found)}."
        yield _finding(context, without, arns[0], problem)
    reported: set[str] = set()
    for host, covering in hosts.items():
        troubles = {arn: _trouble(certificate) for arn, certificate in covering.items()}
        if troubles and all(troubles.values()) and not reported & set(troubles):
            reported |= set(troubles)  # a certificate for both hosts is one problem
            arn, trouble = next(iter(troubles.items()))
            yield _finding(context, [host], arn, f"The certificate for {host.name} {trouble}.")


def _covering(found: dict[str, Document | None], host: Host) -> dict[str, Document]:
    return {
        arn: one
        for arn, one in found.items()
        if one and any(certificate_matches(other, host.name) for other in names_of(one))
    }


def _arns(context: CheckContext) -> list[str]:
    load_balancer = intended(context)
    listener = https_listener(context, load_balancer) if load_balancer else None
    if listener is None:
        given = context.stack.parameters.get("CertificateArn", "")
        return [given] if context.stack.owns_load_balancer and given else []
    default = [one["CertificateArn"] for one in listener.get("Certificates", ())]
    if context.stack.owns_load_balancer:
        return default
    others = context.aws.describe_all(
        "elbv2", "describe_listener_certificates", "Certificates", ListenerArn=listener["ListenerArn"]
    )
    return list(dict.fromkeys([*default, *(one["CertificateArn"] for one in others)]))


def _describe(context: CheckContext, arn: str) -> Document | None:
    response = context.aws.describe(
        "acm", "describe_certificate", missing=["ResourceNotFoundException"], CertificateArn=arn
    )
    return response["Certificate"] if response else None


def names_of(certificate: Document) -> list[str]:
    """Return the names that a certificate is for, as Certificate Manager describes it."""
    return [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", ())]


def _listed(found: dict[str, Document | None]) -> str:
    return "; ".join(
        f"{arn} is for {', '.join(dict.fromkeys(names_of(one)))}" if one else f"{arn} doesn't exist"
        for arn, one in found.items()
    )


def _trouble(certificate: Document) -> str:
    """Return what's wrong with it, as the predicate of `The certificate`; empty if nothing is."""
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
        else "Certificate Manager can't renew it"
    )
    return f"expires on {end:%Y-%m-%d}, and {why}"


def _finding(context: CheckContext, hosts: list[Host], arn: str, problem: str) -> Finding:
    stack, names = context.stack, " and ".join(one.name for one in uat_record.hosts(context))
    return Finding(
        resource=arn,
        problem=problem,
        impact=f"Browsers show a warning on {' and '.join(host.urls for host in hosts)}, or will once it expires.",
        remediation=f"Request a DNS-validated certificate for {names} in {stack.region}, and "
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
    question="Does the load balancer present a certificate that matches the sessions' names?",
    run=run,
    actions=(
        "elasticloadbalancing:DescribeLoadBalancers",
        LISTENERS_ACTION,
        "elasticloadbalancing:DescribeListenerCertificates",
        "acm:DescribeCertificate",
    ),
)
