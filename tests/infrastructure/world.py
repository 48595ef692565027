"""A healthy, deployed system of either load balancer mode, to be broken and brought back.

It is the real `sam deploy` on the embedded AWS, the real local GitHub with its App, and one session that runs. In both
modes the account has another team's load balancer. What is a stand-in: the proxy's container (`standing_proxy.py`), the
agent (the scripted one of tests/e2e), the images in the registry (names without contents) and DNS, which answers what
the hosted zone says.
"""

from __future__ import annotations

import ipaddress
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from tests.e2e import scripted_agent
from tests.e2e.system import Session, System
from tests.infrastructure import standing_proxy
from tests.infrastructure.certificates import import_certificate
from tests.infrastructure.team_load_balancer import TeamLoadBalancer, create
from tests.kit.ports import free_ports

from cloud_agent_doctor.diagnose import diagnose
from cloud_agent_doctor.engine.aws import Aws
from cloud_agent_local import deployment
from cloud_agent_local import up as lifecycle
from embedded_aws.testing import eventually

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.findings import Report
    from cloud_agent_local.installation import Installation

DOMAIN = "acme-previews.net"
UAT_DOMAIN = f"uat.{DOMAIN}"
UAT_NAME = f"*.{UAT_DOMAIN}"
_REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
_ADDRESSES = ipaddress.ip_network("192.0.2.0/24")  # for documentation: nobody has them


class Mode(StrEnum):
    """Whose the load balancer is."""

    OWN = "own"
    EXISTING = "existing"


@dataclass
class World:
    """One installation, whole until a fault is set up in it."""

    mode: Mode
    system: System
    zone_id: str
    certificate_arn: str
    other: TeamLoadBalancer
    """Another team's load balancer, which has nothing to do with the stack."""
    given: TeamLoadBalancer | None
    """The one that the stack was given, in the mode `existing`."""
    session: Session
    resources: dict[str, str]
    """The stack's physical ids by logical id."""
    undo: ExitStack = field(default_factory=ExitStack)
    """What the snapshot does not bring back: a fault says how."""

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """A client of the embedded AWS."""
        if service not in self._clients:
            self._clients[service] = self.system.client(service)
        return self._clients[service]

    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def stack(self) -> str:
        """The stack's name."""
        return deployment.STACK

    @property
    def cluster(self) -> str:
        """The ARN of the ECS cluster."""
        return self.system.installation.outputs["ClusterArn"]

    @property
    def load_balancer_arn(self) -> str:
        """The load balancer that the stack has, or was given."""
        return self.given.arn if self.given else self.resources["ApplicationLoadBalancer"]

    @property
    def load_balancer_group(self) -> str:
        """Its security group."""
        return self.given.security_group_id if self.given else self.resources["LoadBalancerSecurityGroup"]

    @property
    def listener_arn(self) -> str:
        """Its HTTPS listener."""
        return self.given.listener_arn if self.given else self.resources["HttpsListener"]

    def diagnose(self) -> Report:
        """Run the doctor: on the session too, but without probing its public URL, which nothing answers here."""
        return diagnose(self.stack, Aws(self.client), resolve=self.resolve)

    def resolve(self, host: str) -> frozenset[str]:
        """DNS as the hosted zone and the load balancers of the account would answer it."""
        balancers = self.client("elbv2").describe_load_balancers()["LoadBalancers"]
        names = sorted(one["DNSName"].lower() for one in balancers)
        if host.lower().rstrip(".") in names:
            return frozenset({str(_ADDRESSES[names.index(host.lower().rstrip(".")) + 1])})
        name = UAT_NAME if host.endswith(UAT_NAME.removeprefix("*")) else host
        records = self.client("route53").list_resource_record_sets(HostedZoneId=self.zone_id)["ResourceRecordSets"]
        found = [one for one in records if one["Name"].rstrip(".") == name and one["Type"] == "A"]
        aliases = [self.resolve(one["AliasTarget"]["DNSName"]) for one in found if "AliasTarget" in one]
        plain = [value["Value"] for one in found for value in one.get("ResourceRecords", [])]
        return frozenset(plain).union(*aliases)

    def keep(self) -> None:
        """Remember the account as it is now."""
        httpx.post(self._snapshot_url, trust_env=False).raise_for_status()

    def bring_back(self) -> None:
        """Undo every fault."""
        self.undo.close()
        httpx.put(self._snapshot_url, trust_env=False, timeout=30).raise_for_status()

    @property
    def _snapshot_url(self) -> str:
        return f"{self.system.installation.aws_endpoint}/_local/snapshot"


def build(mode: Mode, folder: Path) -> World:
    """Deploy it all and start a session; `tear_down` ends it.

    Raises:
        LocalModeError: a part did not start.
    """
    found: dict[str, Any] = {}

    def parameters(installation: Installation) -> dict[str, str]:
        found.update(_account(installation, mode))
        return _parameters(found)

    installation = lifecycle.up(folder, free_ports(), parameters)
    try:
        system = System(installation)
        _silence_schedules(system)
        session = _run_session(system)
        summaries = system.client("cloudformation").get_paginator("list_stack_resources")
        pages = summaries.paginate(StackName=deployment.STACK)
        ids = {
            one["LogicalResourceId"]: one["PhysicalResourceId"] for p in pages for one in p["StackResourceSummaries"]
        }
        world = World(mode=mode, system=system, session=session, resources=ids, **found)
        world.keep()
    except BaseException:
        lifecycle.down(installation)
        raise
    return world


def tear_down(world: World) -> None:
    """End every process of it."""
    lifecycle.down(world.system.installation)


def _account(installation: Installation, mode: Mode) -> dict[str, Any]:
    """What is in the account before the stack: a zone, certificates, images, other teams' load balancers."""

    def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return deployment.client(installation, service)

    zone = client("route53").create_hosted_zone(Name=DOMAIN, CallerReference=mode)["HostedZone"]["Id"]
    uat = import_certificate(client("acm"), UAT_NAME, UAT_DOMAIN)
    billing = import_certificate(client("acm"), "*.acme-billing.net")
    other = create(client, "billing", billing)
    given = create(client, "storefront", billing) if mode is Mode.EXISTING else None
    for balancer in filter(None, (other, given)):
        certificates = [{"CertificateArn": uat}]
        client("elbv2").add_listener_certificates(ListenerArn=balancer.listener_arn, Certificates=certificates)
    for program in (scripted_agent, standing_proxy):
        repository, _, tag = _image(program).removeprefix(f"{_REGISTRY}/").partition(":")
        client("ecr").create_repository(repositoryName=repository)
        manifest = json.dumps({"schemaVersion": 2, "layers": []})
        client("ecr").put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)
    return {"zone_id": zone.rpartition("/")[2], "certificate_arn": uat, "other": other, "given": given}


def _image(program: Any) -> str:  # noqa: ANN401 - a module
    return f"{_REGISTRY}/local/python{Path(program.__file__).resolve()}:1"


def _parameters(account: dict[str, Any]) -> dict[str, str]:
    given: TeamLoadBalancer | None = account["given"]
    common = {
        "DomainName": DOMAIN,
        "HostedZoneId": account["zone_id"],
        "UatUrl": "",
        "AgentImageUri": _image(scripted_agent),
        "ProxyImageUri": _image(standing_proxy),
        "AgentEgress": "internet",  # or agent-egress has nothing to check
    }
    if given is None:
        return common | {"CertificateArn": account["certificate_arn"]}
    return common | {
        "LoadBalancer": "existing",
        "LoadBalancerSubnetIds": "",
        "CertificateArn": "",
        "ListenerArn": given.listener_arn,
        "LoadBalancerSecurityGroupId": given.security_group_id,
        "LoadBalancerDnsName": given.dns_name,
        "LoadBalancerHostedZoneId": given.hosted_zone_id,
        "IndexAtUatDomain": "true",
    }


def _silence_schedules(system: System) -> None:
    """Between a fault and its diagnosis nobody may fix it: the reconciler would."""
    events = system.client("events")
    for rule in events.list_rules()["Rules"]:
        if "ScheduleExpression" in rule:
            events.disable_rule(Name=rule["Name"])


def _run_session(system: System) -> Session:
    """Start one and let it come to rest; GitHub, as a busy machine makes it wait, is asked for what did not arrive."""
    issue = system.open_issue("Show the lunch menu", "Any colour will do.")
    system.label(issue)
    eventually(lambda: system.executions_here(issue), 120)
    session = system.session_of(issue)
    eventually(lambda: system.row(session.id).get("activity") == "turn_finished", 120)

    redeliver_lost(system)
    return session


def redeliver_lost(system: System) -> None:
    """Have GitHub deliver again what never arrived, until all has."""
    asked: set[int] = set()

    def arrived() -> bool:
        attempts = system.deliveries()
        good = {one["guid"] for one in attempts if one["status_code"] < httpx.codes.BAD_REQUEST}
        latest = {one["guid"]: one["id"] for one in reversed(attempts) if one["guid"] not in good}
        for attempt in set(latest.values()) - asked:
            system.github.call("POST", f"/app/hook/deliveries/{attempt}/attempts", as_app=True)
            asked.add(attempt)
        return not latest

    eventually(arrived, 60)
