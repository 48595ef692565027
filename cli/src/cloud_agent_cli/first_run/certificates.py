"""Are the certificates that the parameters name issued, and for the right names?

CloudFormation takes the ARN of a certificate that's still pending, and the listener or the API's domain fails then. A
listener that exists already (LoadBalancer=existing) has its certificates checked by `cloud-agent doctor`, once the
stack is deployed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_agent_cli.first_run.deployment import parameter
from cloud_agent_doctor.checks.certificate import names_of
from cloud_agent_doctor.dns import certificate_matches
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack


def run(context: CheckContext) -> Iterator[Finding]:
    """Find certificates that aren't issued, or are for other names."""
    for name, hosts in _wanted(context.stack).items():
        arn = parameter(context.stack, name)
        problem = _problem(context, arn, hosts)
        if problem:
            yield Finding(
                resource=arn,
                problem=f"{name}: {problem}",
                impact="The deployment fails, or browsers show a warning on every address of it.",
                remediation=f"Request a DNS-validated certificate for {' and '.join(hosts)} in {context.stack.region}, "
                f"wait until it's issued, and deploy with its ARN as {name}.",
                confirm=f"aws acm describe-certificate --certificate-arn {arn}",
            )


def _wanted(stack: Stack) -> dict[str, list[str]]:
    """Return the parameters that name a certificate, each with the hosts that it must be for."""
    wanted = {}
    if stack.owns_load_balancer:
        domain = f"uat.{parameter(stack, 'DomainName')}"
        wanted["CertificateArn"] = [f"*.{domain}", *([domain] if stack.has_index_at_uat_domain else [])]
    if stack.parameters["WebhookDomainName"]:
        wanted["WebhookCertificateArn"] = [stack.parameters["WebhookDomainName"]]
    if not wanted:
        raise NotApplicableError("the listener that exists already has its own (LoadBalancer=existing)")
    return wanted


def _problem(context: CheckContext, arn: str, hosts: list[str]) -> str:
    region = arn.split(":")[3]
    if region != context.stack.region:
        return f"the certificate is in {region}, and the stack in {context.stack.region}."
    response = context.aws.describe(
        "acm", "describe_certificate", missing=["ResourceNotFoundException"], CertificateArn=arn
    )
    if response is None:
        return "there's no such certificate."
    certificate = response["Certificate"]
    if certificate["Status"] != "ISSUED":
        return f"the certificate is in status {certificate['Status']}, not ISSUED."
    names = names_of(certificate)
    missing = [host for host in hosts if not any(certificate_matches(one, host) for one in names)]
    if missing:
        return f"the certificate is for {', '.join(dict.fromkeys(names))}, and not for {' and '.join(missing)}."
    return ""


CHECK = Check(
    name="acm-certificates",
    question="Are the certificates that the parameters name issued, and for the right names?",
    run=run,
    actions=("acm:DescribeCertificate",),
)
