from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_agent_doctor.load_balancer.host_patterns import includes, overlaps

ALPHABET = "ab."
patterns = st.text(alphabet="ab.*?", max_size=5)
texts = st.text(alphabet="abc.", max_size=8)
# Every text that is short enough to be listed: `c` stands for all characters that no pattern names.
SHORT = ["".join(text) for length in range(6) for text in itertools.product("abc.", repeat=length)]


def matches(pattern: str, text: str) -> bool:
    """The definition: `*` is any number of characters, `?` is one."""
    expression = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


@given(patterns, patterns, texts)
def test_what_the_narrower_matches_the_wider_matches(wider: str, narrower: str, text: str) -> None:
    if includes(wider, narrower) and matches(narrower, text):
        assert matches(wider, text)


@given(st.text(alphabet="ab*?", max_size=3), st.text(alphabet="ab*?", max_size=3))
def test_what_is_not_included_has_a_text_that_shows_it(wider: str, narrower: str) -> None:
    shown = any(matches(narrower, text) and not matches(wider, text) for text in SHORT)
    assert includes(wider, narrower) is not shown


@given(st.text(alphabet="ab*?", max_size=3), st.text(alphabet="ab*?", max_size=3))
def test_what_overlaps_has_a_text_in_both(one: str, other: str) -> None:
    assert overlaps(one, other) is any(matches(one, text) and matches(other, text) for text in SHORT)


@given(patterns)
def test_a_pattern_includes_itself_and_the_asterisk_includes_all(pattern: str) -> None:
    assert includes(pattern, pattern)
    assert includes("*", pattern)


@pytest.mark.parametrize(
    ("wider", "narrower", "expected"),
    [
        ("*.example.com", "*.uat.example.com", True),
        ("*.uat.example.com", "*.example.com", False),
        ("*.uat.example.com", "uat.example.com", False),
        ("*uat.example.com", "*.uat.example.com", True),
        ("*.uat.*", "*.uat.example.com", True),
        ("?*.uat.example.com", "*.uat.example.com", False),  # `.uat.example.com` itself is a match of the latter alone
        ("/*", "/admin*", True),
        ("/", "/*", False),
    ],
)
def test_hosts_and_paths(wider: str, narrower: str, *, expected: bool) -> None:
    assert expected is includes(wider, narrower)


def test_names_apart_do_not_overlap() -> None:
    assert not overlaps("*.shop.example.com", "*.uat.example.com")
    assert overlaps("0123*.example.com", "*.uat.example.com")
