from __future__ import annotations

import pytest
from tests.unit.functions.doctor.account import Account


@pytest.fixture
def account() -> Account:
    """A healthy stack in an account, to be broken by the test."""
    return Account()
