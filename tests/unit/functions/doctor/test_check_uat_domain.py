"""The UAT domain itself, which leads to the index with IndexAtUatDomain: its record, its rule and its certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.functions.doctor.account import (
    CERTIFICATE,
    DOMAIN,
    HTTPS_LISTENER,
    OTHER_LISTENER,
    OTHER_TARGET_GROUP,
    RULE,
    TARGET_GROUP,
    UAT_DOMAIN,
    WILDCARD,
    ZONE,
    forward,
    host_rule,
)

from cloud_agent_doctor.checks import certificate, dns_record, listener_rule, orphans
from cloud_agent_doctor.engine.findings import Finding, Status

if TYPE_CHECKING:
    from tests.unit.functions.doctor.account import Account

    from cloud_agent_doctor.engine.check import Check

PATH = (dns_record.CHECK, certificate.CHECK, listener_rule.CHECK)
URL = f"https://{UAT_DOMAIN}/"


@pytest.fixture
def account(account: Account) -> Account:
    account.have_index_at_uat_domain()
    return account


def only(account: Account, check: Check) -> Finding:
    (finding,) = account.outcome(check).findings
    return finding


@pytest.mark.parametrize("check", PATH, ids=lambda check: check.name)
def test_where_all_of_it_is_there_nothing_is_found(account: Account, check: Check) -> None:
    assert Status.HEALTHY is account.outcome(check).status


@pytest.mark.parametrize("check", PATH, ids=lambda check: check.name)
def test_without_the_parameter_the_name_is_somebody_elses(account: Account, check: Check) -> None:
    account.parameters["IndexAtUatDomain"] = "false"
    assert account.records is not None
    account.records.pop()
    del account.addresses[UAT_DOMAIN]
    account.certificates[CERTIFICATE]["SubjectAlternativeNames"] = [WILDCARD]
    account.rules[HTTPS_LISTENER][0] = host_rule(RULE, "10", WILDCARD, forward(TARGET_GROUP))
    assert Status.HEALTHY is account.outcome(check).status


def test_a_missing_record_is_a_finding_of_that_record(account: Account) -> None:
    assert account.records is not None
    account.records.pop()
    finding = only(account, dns_record.CHECK)
    assert finding.resource == UAT_DOMAIN
    assert f"The zone {ZONE} has no address record {UAT_DOMAIN}" in finding.problem
    assert finding.impact == f"Nobody can open {URL}."
    assert "REVERT_DRIFT" in finding.remediation
    assert finding.logical_ids == ("UatDomainRecord",)


def test_a_record_that_leads_elsewhere_is_a_finding_beside_the_wildcards(account: Account) -> None:
    assert account.records is not None
    for record in (account.records[0], account.records[-1]):
        record["AliasTarget"]["DNSName"] = "shop-1.eu-central-1.elb.amazonaws.com."
    found = account.outcome(dns_record.CHECK).findings
    assert [finding.resource for finding in found] == [WILDCARD, UAT_DOMAIN]
    assert f"Visitors of {URL} reach another system." == found[1].impact


def test_a_name_that_is_managed_elsewhere_has_to_be_added_there(account: Account) -> None:
    account.parameters["HostedZoneId"] = ""
    account.records = None
    assert account.outcome(dns_record.CHECK).findings == ()
    del account.addresses[UAT_DOMAIN]
    finding = only(account, dns_record.CHECK)
    assert f"{UAT_DOMAIN} resolves to no address" in finding.problem
    assert f"make {UAT_DOMAIN} a CNAME of " in finding.remediation


def test_a_zone_that_nobody_asks_or_that_is_not_there_is_one_problem(account: Account) -> None:
    for name in (UAT_DOMAIN, f"doctor.{UAT_DOMAIN}"):
        del account.addresses[name]
    assert "isn't delegated to that zone" in only(account, dns_record.CHECK).remediation
    account.records = None
    assert only(account, dns_record.CHECK).logical_ids == ("UatRecord", "UatDomainRecord")


def test_a_rule_without_the_host_is_a_finding(account: Account) -> None:
    account.rules[HTTPS_LISTENER][0] = host_rule(RULE, "10", WILDCARD, forward(TARGET_GROUP))
    finding = only(account, listener_rule.CHECK)
    assert f"requests for {UAT_DOMAIN} match the default rule, which returns a fixed 404" in finding.problem
    assert finding.impact == f"Visitors of {URL} see another system, or an error."
    assert finding.logical_ids == ("UatListenerRule",)


def test_another_rule_that_takes_the_host_is_a_finding(account: Account) -> None:
    early = host_rule("arn:early", "3", UAT_DOMAIN, forward(OTHER_TARGET_GROUP))
    account.rules[HTTPS_LISTENER].append(early)
    finding = only(account, listener_rule.CHECK)
    assert finding.resource == "arn:early"
    assert "ListenerRulePriority smaller than 3" in finding.remediation


def test_a_rule_that_is_gone_is_one_problem(account: Account) -> None:
    del account.rules[HTTPS_LISTENER][0]
    assert f"requests for {WILDCARD}" in only(account, listener_rule.CHECK).problem


def test_a_certificate_without_the_name_is_a_finding(account: Account) -> None:
    account.certificates[CERTIFICATE]["SubjectAlternativeNames"] = [WILDCARD]
    finding = only(account, certificate.CHECK)
    assert (
        f"None of the listener's certificates matches {UAT_DOMAIN}: {CERTIFICATE} is for {WILDCARD}" in finding.problem
    )
    assert f"Browsers show a warning on {URL}" in finding.impact
    assert f"Request a DNS-validated certificate for {WILDCARD} and {UAT_DOMAIN} in " in finding.remediation


def test_a_listener_without_a_certificate_for_either_is_one_problem(account: Account) -> None:
    account.certificates[CERTIFICATE] |= {"DomainName": DOMAIN, "SubjectAlternativeNames": [DOMAIN]}
    finding = only(account, certificate.CHECK)
    assert f"matches {WILDCARD} or {UAT_DOMAIN}: " in finding.problem
    assert f"a warning on session URLs and {URL}" in finding.impact


def test_a_certificate_for_both_names_that_is_not_issued_is_one_problem(account: Account) -> None:
    account.certificates[CERTIFICATE]["Status"] = "EXPIRED"
    assert f"The certificate for {WILDCARD} is in status EXPIRED" in only(account, certificate.CHECK).problem


def test_a_rule_for_the_name_on_an_unused_load_balancer_is_a_leftover(account: Account) -> None:
    account.rules[OTHER_LISTENER].append(host_rule("arn:left", "5", UAT_DOMAIN, forward(OTHER_TARGET_GROUP)))
    assert only(account, orphans.CHECK).resource == "arn:left"
    account.parameters["IndexAtUatDomain"] = "false"
    assert account.outcome(orphans.CHECK).findings == ()
