from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.functions.doctor.account import (
    CERTIFICATE,
    HTTPS_LISTENER,
    OTHER_CERTIFICATE,
    OTHER_LISTENER,
    WILDCARD,
    Account,
)

from cloud_agent_doctor.checks.certificate import CHECK
from cloud_agent_doctor.engine.findings import Finding, Status


def only(account: Account) -> Finding:
    (finding,) = account.outcome(CHECK).findings
    return finding


def test_a_certificate_for_one_label_more_is_not_enough(account: Account) -> None:
    account.listeners[HTTPS_LISTENER]["Certificates"] = [{"CertificateArn": OTHER_CERTIFICATE}]
    finding = only(account)
    assert f"None of the listener's certificates matches {WILDCARD}" in finding.problem
    assert "*.example.com" in finding.problem
    assert finding.logical_ids == ("HttpsListener",)


def test_a_further_name_of_a_certificate_counts(account: Account) -> None:
    account.certificates[CERTIFICATE] |= {"DomainName": "example.com", "SubjectAlternativeNames": [WILDCARD]}
    assert account.outcome(CHECK).findings == ()


def test_a_deleted_certificate_is_a_finding(account: Account) -> None:
    del account.certificates[CERTIFICATE]
    assert f"{CERTIFICATE} doesn't exist" in only(account).problem


@pytest.mark.parametrize("status", ["PENDING_VALIDATION", "EXPIRED", "REVOKED", "FAILED"])
def test_a_certificate_that_is_not_issued_is_a_finding(account: Account, status: str) -> None:
    account.certificates[CERTIFICATE]["Status"] = status
    assert f"is in status {status}" in only(account).problem


@pytest.mark.parametrize(
    ("days", "renewal", "words"),
    [
        (20, {"RenewalEligibility": "INELIGIBLE"}, "Certificate Manager can't renew it"),
        (20, {"Type": "IMPORTED", "RenewalEligibility": None}, "Certificate Manager can't renew it"),
        (20, {"RenewalSummary": "PENDING_VALIDATION"}, "its renewal is in status PENDING_VALIDATION"),
        (20, {"RenewalSummary": "FAILED"}, "its renewal is in status FAILED CAA_ERROR"),
        (20, {"RenewalSummary": "PENDING_AUTO_RENEWAL"}, ""),
        (20, {"RenewalEligibility": "ELIGIBLE"}, ""),
        (22, {"RenewalEligibility": "INELIGIBLE"}, ""),
    ],
)
def test_a_certificate_that_ends_soon_and_cannot_renew_itself_is_a_finding(
    account: Account, days: int, renewal: dict[str, str | None], words: str
) -> None:
    certificate = account.certificates[CERTIFICATE]
    certificate["NotAfter"] = datetime.now(UTC) + timedelta(days=days)
    for key, value in renewal.items():
        if key == "RenewalSummary":
            reason = {"RenewalStatusReason": "CAA_ERROR"} if value == "FAILED" else {}
            summary = {"RenewalStatus": value, "DomainValidationOptions": [{"DomainName": WILDCARD}]}
            certificate[key] = summary | reason | {"UpdatedAt": datetime.now(UTC)}
        elif value is None:
            del certificate[key]
        else:
            certificate[key] = value
    findings = account.outcome(CHECK).findings
    assert bool(words) is bool(findings)
    for finding in findings:
        assert words in finding.problem
        assert f"{certificate['NotAfter']:%Y-%m-%d}" in finding.problem


def test_of_a_shared_listener_every_certificate_is_looked_at(account: Account) -> None:
    account.use_existing()
    assert account.outcome(CHECK).findings == ()
    account.further_certificates.clear()
    finding = only(account)
    assert f"add it to the listener {OTHER_LISTENER}" in finding.remediation


def test_a_bad_certificate_beside_a_good_one_does_no_harm(account: Account) -> None:
    account.use_existing()
    account.certificates[OTHER_CERTIFICATE] |= {"DomainName": WILDCARD, "Status": "EXPIRED"}
    assert account.outcome(CHECK).findings == ()


def test_without_the_listener_the_stacks_certificate_is_judged(account: Account) -> None:
    account.delete_load_balancer()
    assert Status.HEALTHY is account.outcome(CHECK).status
    account.certificates[CERTIFICATE]["Status"] = "EXPIRED"
    assert only(account).resource == CERTIFICATE


def test_without_a_shared_listener_there_is_none_to_be_judged(account: Account) -> None:
    account.use_existing()
    del account.listeners[OTHER_LISTENER]
    assert Status.NOT_APPLICABLE is account.outcome(CHECK).status


def test_a_system_on_one_machine_has_none(account: Account) -> None:
    account.parameters["UatUrl"] = "http://uat.localhost:8080"
    assert Status.NOT_APPLICABLE is account.outcome(CHECK).status
