"""Which load balancer the visitors come through: what all further hops are judged by.

It is the stack's own, or that of the listener which was given to the stack, as long as it exists. When it is gone it
is the one in the account that the DNS record leads to: people put one in the place of another, and then the path goes
on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.load_balancer import uat_record
from cloud_agent_doctor.stack.names import plain

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.examination import Examination, Stack

    Document = dict[str, Any]

ACTIONS = ("elasticloadbalancing:DescribeLoadBalancers", uat_record.ACTION)
"""What it takes to find it."""
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


def intended(examination: Examination) -> LoadBalancer | None:
    """Return the stack's own, or that of the listener which was given; None when it does not exist.

    Raises:
        CannotLookError: AWS refused or did not answer.
    """
    arn = intended_arn(examination.stack)
    if not arn:
        return None
    answer = examination.aws.ask(
        "elbv2", "describe_load_balancers", missing=["LoadBalancerNotFound"], LoadBalancerArns=[arn]
    )
    return _read(answer["LoadBalancers"][0]) if answer and answer["LoadBalancers"] else None


def intended_arn(stack: Stack) -> str:
    """Its ARN, whether it exists or not. That of a listener is its load balancer's, with one part more."""
    if stack.owns_load_balancer:
        return stack.physical_id("ApplicationLoadBalancer")
    listener = stack.parameters["ListenerArn"]
    return listener.rpartition("/")[0].replace(":listener/", ":loadbalancer/")


def load_balancer_in_use(examination: Examination) -> LoadBalancer | None:
    """Return the load balancer that the visitors come through; None when there is none.

    Raises:
        CannotLookError: AWS refused or did not answer.
    """
    return intended(examination) or _by_dns(examination)


def application_load_balancers(examination: Examination) -> list[LoadBalancer]:
    """All of the account and region.

    Raises:
        CannotLookError: AWS refused or did not answer.
    """
    found = examination.aws.ask_all("elbv2", "describe_load_balancers", "LoadBalancers")
    return [_read(document) for document in found if document["Type"] == "application"]


def listeners(examination: Examination, load_balancer: LoadBalancer) -> list[Document]:
    """Return a load balancer's listeners as DescribeListeners describes them.

    Raises:
        CannotLookError: AWS refused or did not answer.
    """
    return examination.aws.ask_all(
        "elbv2",
        "describe_listeners",
        "Listeners",
        missing=["LoadBalancerNotFound"],
        LoadBalancerArn=load_balancer.arn,
    )


def https_listener(examination: Examination, load_balancer: LoadBalancer) -> Document | None:
    """Return the listener that visitors meet: the one that was given, else the one for HTTPS on port 443.

    Raises:
        CannotLookError: AWS refused or did not answer.
    """
    stack = examination.stack
    found = [one for one in listeners(examination, load_balancer) if one["Protocol"] == "HTTPS"]
    if not stack.owns_load_balancer:
        given = [one for one in found if one["ListenerArn"] == stack.parameters["ListenerArn"]]
        if given:
            return given[0]
    return next((one for one in found if one["Port"] == 443), None)  # noqa: PLR2004 - HTTPS


def _by_dns(examination: Examination) -> LoadBalancer | None:
    names: set[str] = set()
    if uat_record.zone(examination):
        names = {name for record in uat_record.records(examination) or () for name in uat_record.targets(record)}
        if not names:
            return None
    addresses = examination.resolve(uat_record.sample(examination))
    for load_balancer in application_load_balancers(examination):
        if plain(load_balancer.dns_name) in names or addresses & examination.resolve(load_balancer.dns_name):
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
