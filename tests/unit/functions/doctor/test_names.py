from __future__ import annotations

import pytest

from cloud_agent_doctor.stack.names import covers, plain


def test_one_name_has_one_spelling() -> None:
    assert plain("\\052.UAT.example.com.") == "*.uat.example.com"
    assert plain("dualstack.LB-1.eu-central-1.elb.amazonaws.com.") == "lb-1.eu-central-1.elb.amazonaws.com"


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
    assert expected is covers(certificate, "*.uat.example.com")


def test_an_asterisk_covers_one_label() -> None:
    assert covers("*.uat.example.com", "0123abcd.uat.example.com")
    assert not covers("*.uat.example.com", "a.b.uat.example.com")
