"""A load balancer of another team of the account: HTTPS, its own name, everything to its own service on port 3001."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVICE_PORT = 3001


@dataclass(frozen=True)
class TeamLoadBalancer:
    """It, and what belongs to it."""

    arn: str
    dns_name: str
    hosted_zone_id: str
    listener_arn: str
    target_group_arn: str
    security_group_id: str


def create(client: Callable[[str], Any], team: str, certificate_arn: str) -> TeamLoadBalancer:
    """One whose listener forwards whatever no rule speaks of to the team's own service."""
    ec2, elbv2 = client("ec2"), client("elbv2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    group = ec2.create_security_group(GroupName=f"{team}-alb", Description=f"{team} - visitors", VpcId=vpc)["GroupId"]
    visitors = [{"CidrIp": "0.0.0.0/0", "Description": "HTTPS"}]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": visitors}]
    )
    (balancer,) = elbv2.create_load_balancer(
        Name=team,
        Subnets=[subnet["SubnetId"] for subnet in subnets[:2]],
        SecurityGroups=[group],
        Tags=[{"Key": "team", "Value": team}],
    )["LoadBalancers"]
    (service,) = elbv2.create_target_group(
        Name=team, Protocol="HTTP", Port=_SERVICE_PORT, VpcId=vpc, TargetType="ip", HealthCheckPath="/"
    )["TargetGroups"]
    (listener,) = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate_arn}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": service["TargetGroupArn"]}],
    )["Listeners"]
    return TeamLoadBalancer(
        arn=balancer["LoadBalancerArn"],
        dns_name=balancer["DNSName"],
        hosted_zone_id=balancer["CanonicalHostedZoneId"],
        listener_arn=listener["ListenerArn"],
        target_group_arn=service["TargetGroupArn"],
        security_group_id=group,
    )
