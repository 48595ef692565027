from __future__ import annotations

import pytest

from cloud_agent_doctor.dns import certificate_matches, normalize


def test_one_name_has_one_spelling() -> None:
    assert normalize("\\052.UAT.example.com.") == "*.uat.example.com"
    assert normalize("dualstack.LB-1.eu-central-1.elb.amazonaws.com.") == "lb-1.eu-central-1.elb.amazonaws.com"


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        ("*.uat.example.com", True),
        ("*.UAT.example.com", True),
        ("*.example.com", False),  # an asterisk is one label
        ("uat.example.com", False),
        ("doctor.uat.example.com", False),  # one name of them is not all
        ("*.uat.example.org", False),
        ("*", False),
    ],
)
def test_a_certificate_covers_the_wildcard_if_all_its_names_are_covered(certificate: str, *, expected: bool) -> None:
    assert expected is certificate_matches(certificate, "*.uat.example.com")


def test_an_asterisk_covers_one_label() -> None:
    assert certificate_matches("*.uat.example.com", "0123abcd.uat.example.com")
    assert not certificate_matches("*.uat.example.com", "a.b.uat.example.com")
