"""Which load balancer visitors use: all further hops are judged by it.

It's the stack's own, or the one whose listener was given to the stack, as long as it exists. If it's gone, it's the
one in the account that the DNS record points to: people replace load balancers manually, and then the path continues
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.dns import normalize
from cloud_agent_doctor.load_balancer import uat_record

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.engine.stack import Stack

    Document = dict[str, Any]

ACTIONS = ("elasticloadbalancing:DescribeLoadBalancers", uat_record.ACTION)
"""The IAM actions it takes to find it."""
LISTENERS_ACTION = "elasticloadbalancing:DescribeListeners"
NONE_IN_USE = "there is no load balancer in use (see load-balancer)"


@dataclass(frozen=True)
class LoadBalancer:
    """A load balancer as AWS describes it."""

    arn: str
    name: str
    dns_name: str
    type: str
    scheme: str
    state: str
    vpc: str
    security_groups: tuple[str, ...]


def intended(context: CheckContext) -> LoadBalancer | None:
    """Return the stack's own, or the given listener's; None if it doesn't exist.

    Raises:
        DataUnavailableError: AWS refused or didn't respond.
    """
    arn = intended_arn(context.stack)
    if not arn:
        return None
    response = context.aws.describe(
        "elbv2", "describe_load_balancers", missing=["LoadBalancerNotFound"], LoadBalancerArns=[arn]
    )
    return _read(response["LoadBalancers"][0]) if response and response["LoadBalancers"] else None


def intended_arn(stack: Stack) -> str:
    """Return its ARN, whether it exists or not. A listener's ARN is its load balancer's with one more part."""
    if stack.owns_load_balancer:
        return stack.physical_id("ApplicationLoadBalancer")
    listener = stack.parameters["ListenerArn"]
    return listener.rpartition("/")[0].replace(":listener/", ":loadbalancer/")


def load_balancer_in_use(context: CheckContext) -> LoadBalancer | None:
    """Return the load balancer that visitors use; None if there's none.

    Raises:
        DataUnavailableError: AWS refused or didn't respond.
    """
    return intended(context) or _by_dns(context)


def application_load_balancers(context: CheckContext) -> list[LoadBalancer]:
    """Return all of the account and region.

    Raises:
        DataUnavailableError: AWS refused or didn't respond.
    """
    found = context.aws.describe_all("elbv2", "describe_load_balancers", "LoadBalancers")
    return [_read(document) for document in found if document["Type"] == "application"]


def listeners(context: CheckContext, load_balancer: LoadBalancer) -> list[Document]:
    """Return a load balancer's listeners as DescribeListeners describes them.

    Raises:
        DataUnavailableError: AWS refused or didn't respond.
    """
    return context.aws.describe_all(
        "elbv2",
        "describe_listeners",
        "Listeners",
        missing=["LoadBalancerNotFound"],
        LoadBalancerArn=load_balancer.arn,
    )


def https_listener(context: CheckContext, load_balancer: LoadBalancer) -> Document | None:
    """Return the listener that visitors use: the given one, else the one for HTTPS on port 443.

    Raises:
        DataUnavailableError: AWS refused or didn't respond.
    """
    stack = context.stack
    found = [one for one in listeners(context, load_balancer) if one["Protocol"] == "HTTPS"]
    if not stack.owns_load_balancer:
        given = [one for one in found if one["ListenerArn"] == stack.parameters["ListenerArn"]]
        if given:
            return given[0]
    return next((one for one in found if one["Port"] == 443), None)  # noqa: PLR2004 - HTTPS


def _by_dns(context: CheckContext) -> LoadBalancer | None:
    names: set[str] = set()
    if uat_record.zone(context):
        records = uat_record.records(context, uat_record.name(context)) or ()
        names = {name for record in records for name in uat_record.targets(record)}
        if not names:
            return None
    addresses = context.resolve(uat_record.sample(context))
    for load_balancer in application_load_balancers(context):
        if normalize(load_balancer.dns_name) in names or addresses & context.resolve(load_balancer.dns_name):
            return load_balancer
    return None


def _read(document: Document) -> LoadBalancer:
    return LoadBalancer(
        arn=document["LoadBalancerArn"],
        name=document["LoadBalancerName"],
        dns_name=document["DNSName"],
        type=document["Type"],
        scheme=document["Scheme"],
        state=document["State"]["Code"],
        vpc=document["VpcId"],
        security_groups=tuple(document.get("SecurityGroups", ())),
    )
