from __future__ import annotations

from tests.unit.functions.doctor.account import DOMAIN, LOAD_BALANCER, WILDCARD, ZONE, Account

from cloud_agent_doctor.checks.dns_record import CHECK
from cloud_agent_doctor.engine.findings import Finding, Status

NAME, BALANCER = f"doctor.uat.{DOMAIN}", "cloud-agent-1.eu-central-1.elb.amazonaws.com"


def only(account: Account) -> Finding:
    (finding,) = account.outcome(CHECK).findings
    return finding


def test_a_missing_zone_is_a_finding(account: Account) -> None:
    account.records = None
    assert f"no hosted zone {ZONE}" in only(account).problem


def test_a_missing_record_is_a_finding(account: Account) -> None:
    assert account.records is not None
    del account.records[0]
    assert f"has no address record {WILDCARD}" in only(account).problem


def test_a_record_that_leads_elsewhere_is_a_finding_with_both_names(account: Account) -> None:
    account.lead_dns_elsewhere()
    finding = only(account)
    assert "points to shop-1.eu-central-1.elb.amazonaws.com" in finding.problem
    assert BALANCER in finding.problem
    assert finding.logical_ids == ("UatRecord",)


def test_addresses_in_place_of_an_alias_are_a_finding(account: Account) -> None:
    assert account.records is not None
    account.records[0] = {"Name": WILDCARD, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.10"}]}
    assert "192.0.2.10" in only(account).problem


def test_one_of_several_records_that_leads_elsewhere_is_a_finding(account: Account) -> None:
    assert account.records is not None
    account.records.append({"Name": WILDCARD, "Type": "AAAA", "TTL": 60, "ResourceRecords": [{"Value": "2001:db8::1"}]})
    assert "2001:db8::1" in only(account).problem


def test_a_cname_of_the_load_balancer_is_as_good_as_an_alias(account: Account) -> None:
    assert account.records is not None
    account.records[0] = {"Name": WILDCARD, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": f"{BALANCER}."}]}
    assert account.outcome(CHECK).findings == ()


def test_a_zone_that_nobody_asks_is_a_finding(account: Account) -> None:
    del account.addresses[NAME]
    finding = only(account)
    assert finding.resource == NAME
    assert "no address" in finding.problem
    assert f"zone {ZONE} is right, but the domain isn't delegated to that zone" in finding.remediation


def test_a_name_that_is_managed_elsewhere_is_judged_by_its_addresses(account: Account) -> None:
    account.parameters["HostedZoneId"] = ""
    account.records = None
    assert account.outcome(CHECK).findings == ()
    account.addresses[NAME] = {"198.51.100.1"}
    assert "resolves to 198.51.100.1" in only(account).problem
    assert f"make {WILDCARD} a CNAME of {BALANCER}" in only(account).remediation


def test_a_record_of_a_deleted_load_balancer_is_left_to_the_next_check(account: Account) -> None:
    account.delete_load_balancer()
    assert Status.HEALTHY is account.outcome(CHECK).status


def test_without_dns_it_cannot_look(account: Account) -> None:
    account.addresses.clear()
    outcome = account.outcome(CHECK)
    assert (outcome.status, outcome.findings) == (Status.UNKNOWN, ())
    assert BALANCER in outcome.reason


def test_a_system_on_one_machine_has_no_record(account: Account) -> None:
    account.parameters["UatUrl"] = "http://uat.localhost:8080"
    outcome = account.outcome(CHECK)
    assert Status.NOT_APPLICABLE is outcome.status
    assert "http://uat.localhost:8080" in outcome.reason


def test_a_wrong_parameter_of_a_shared_load_balancer_is_fixed_by_the_right_one(account: Account) -> None:
    account.use_existing()
    account.parameters["LoadBalancerDnsName"] = BALANCER
    assert account.records is not None
    account.records[0]["AliasTarget"]["DNSName"] = BALANCER
    assert "LoadBalancerDnsName=shop-1.eu-central-1.elb.amazonaws.com" in only(account).remediation


def test_the_load_balancers_existence_is_asked_by_its_arn(account: Account) -> None:
    del account.load_balancers[LOAD_BALANCER]
    assert Status.HEALTHY is account.outcome(CHECK).status
