"""List prices of AWS in us-east-1, without free tiers, and the page that each is from."""

from __future__ import annotations

from dataclasses import dataclass

AS_OF = "November 2025"
HOURS_A_MONTH = 730
Usage = dict[str, float]
MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """US dollars for one unit. `shown` is the price as its page words it."""

    usd: float
    unit: str
    shown: str
    page: str


PRICES = {
    "api": Price(1.00 / MILLION, "requests", "$1.00 a million", "Amazon API Gateway pricing: HTTP APIs"),
    "message": Price(1.00 / MILLION, "messages", "$1.00 a million", "Amazon API Gateway pricing: WebSocket APIs"),
    "connection": Price(0.25 / MILLION, "minutes", "$0.25 a million", "Amazon API Gateway pricing: WebSocket APIs"),
    "invocation": Price(0.20 / MILLION, "requests", "$0.20 a million", "AWS Lambda pricing"),
    "gb_second": Price(0.0000166667, "GB-s", "$0.0000166667", "AWS Lambda pricing: x86"),
    "read": Price(0.125 / MILLION, "read units", "$0.125 a million", "Amazon DynamoDB pricing: on-demand"),
    "write": Price(0.625 / MILLION, "write units", "$0.625 a million", "Amazon DynamoDB pricing: on-demand"),
    "put": Price(5.00 / MILLION, "PUT requests", "$0.005 a thousand", "Amazon S3 pricing: S3 Standard"),
    "log": Price(0.50 / 1e9, "bytes", "$0.50 a GB ingested", "Amazon CloudWatch pricing: logs"),
    "trace": Price(5.00 / MILLION, "traces", "$5.00 a million recorded", "AWS X-Ray pricing"),
    "transition": Price(25.00 / MILLION, "transitions", "$0.025 a thousand", "AWS Step Functions pricing: Standard"),
    "sqs": Price(0.40 / MILLION, "requests", "$0.40 a million", "Amazon SQS pricing: standard queues"),
    "event": Price(0.0, "events", "free: AWS services' events, rules by schedule", "Amazon EventBridge pricing"),
    "alarm": Price(0.10 / HOURS_A_MONTH, "hours", "$0.10 a month", "Amazon CloudWatch pricing: alarms"),
    "metric": Price(0.30 / HOURS_A_MONTH, "hours", "$0.30 a month", "Amazon CloudWatch pricing: custom metrics"),
    "dashboard": Price(3.00 / HOURS_A_MONTH, "hours", "$3.00 a month", "Amazon CloudWatch pricing: dashboards"),
    "key": Price(1.00 / HOURS_A_MONTH, "hours", "$1.00 a month", "AWS KMS pricing"),
    "secret": Price(0.40 / HOURS_A_MONTH, "hours", "$0.40 a month", "AWS Secrets Manager pricing"),
    "load_balancer": Price(0.0225, "hours", "$0.0225 an hour", "Elastic Load Balancing pricing: Application"),
    "address": Price(0.005, "hours", "$0.005 an hour", "Amazon VPC pricing: public IPv4 addresses"),
    "nat": Price(0.045, "hours", "$0.045 an hour", "Amazon VPC pricing: NAT gateways"),
    "nat_byte": Price(0.045 / 1e9, "bytes", "$0.045 a GB processed", "Amazon VPC pricing: NAT gateways"),
    "gateway_byte": Price(0.0, "bytes", "free: gateway endpoints", "Amazon VPC pricing: VPC endpoints"),
    "vcpu": Price(0.04048, "hours", "$0.04048 an hour", "AWS Fargate pricing: Linux/x86"),
    "gb": Price(0.004445, "hours", "$0.004445 an hour", "AWS Fargate pricing: Linux/x86"),
    "vcpu_arm": Price(0.03238, "hours", "$0.03238 an hour", "AWS Fargate pricing: Linux/ARM"),
    "gb_arm": Price(0.00356, "hours", "$0.00356 an hour", "AWS Fargate pricing: Linux/ARM"),
}


def usd(usage: Usage) -> float:
    """Return what so much of everything costs."""
    return sum(PRICES[name].usd * amount for name, amount in usage.items())


def plus(*usages: Usage) -> Usage:
    """Return all of it together."""
    total: Usage = {}
    for usage in usages:
        for name, amount in usage.items():
            total[name] = total.get(name, 0) + amount
    return total


def times(number: float, usage: Usage) -> Usage:
    """Return so many times as much of everything."""
    return {name: number * amount for name, amount in usage.items()}
