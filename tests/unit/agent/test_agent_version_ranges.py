"""Each row was decided by what reads such ranges itself: npm's semver, Python's packaging, RubyGems."""

from __future__ import annotations

import pytest

from cloud_agent_runner.preview.toolchains.ranges import VersionRange, version

VERSIONS = {"16.20.2", "18.0.0", "20.5.3", "20.99.99", "22.4.7", "24.1.0", "24.2.0"}
LINES = ("24", "22", "20", "18", "16")


def _contained(text: str, versions: set[str]) -> set[str]:
    versions_range = VersionRange.parse(text)
    assert versions_range is not None
    return {text for text in versions if (version(text) or (0, 0, 0)) in versions_range}


@pytest.mark.parametrize(
    ("text", "contained", "line"),
    [
        ("20", {"20.5.3", "20.99.99"}, "20"),
        ("v18", {"18.0.0"}, "18"),
        ("18.x", {"18.0.0"}, "18"),
        ("22.4.0", set(), "22.4.0"),
        ("~22.4.0", {"22.4.7"}, "22.4"),
        ("^20.6", {"20.99.99"}, "20"),
        (">=18 <21", {"18.0.0", "20.5.3", "20.99.99"}, "20"),
        (">= 18.0.0 < 20.0.0", {"18.0.0"}, "18"),
        ("18 - 20", {"18.0.0", "20.5.3", "20.99.99"}, "20"),
        ("18.1 - 20.5", {"20.5.3"}, "18"),
        ("^22.18 || >=24.2", {"24.2.0"}, "24"),
        ("16 || 18", {"16.20.2", "18.0.0"}, "18"),
        ("<=20.5", {"16.20.2", "18.0.0", "20.5.3"}, "18"),
        (">24.1", {"24.2.0"}, "24"),
        (">=24 - 3", set(), "24.0.0"),
        (">=25", set(), "25"),
        (">=22.18.1 <22.20", set(), "22.18.1"),
        ("*", VERSIONS, "24"),
        ("", VERSIONS, "24"),
        (">=16.0.0-0", VERSIONS, "24"),
    ],
)
def test_npms_ranges(text: str, contained: set[str], line: str) -> None:
    assert contained == _contained(text, VERSIONS)
    assert VersionRange.parse(text).line(LINES) == line  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "contained"),
    [
        ("~=3.11", {"3.11.2", "3.11.9", "3.12.1"}),
        ("~=3.11.4", {"3.11.9"}),
        ("==3.11.*", {"3.11.2", "3.11.9"}),
        (">=3.9,<3.12", {"3.11.2", "3.11.9"}),
        (">=3.9, !=3.10.0, <4", {"3.11.2", "3.11.9", "3.12.1"}),
        ("^3.11", {"3.11.2", "3.11.9", "3.12.1"}),
        ("~> 3.11", {"3.11.2", "3.11.9", "3.12.1"}),
        ("~> 3.11.4", {"3.11.9"}),
        ("^2.7 || ^3.12", {"3.12.1"}),
    ],
)
def test_the_ranges_of_other_languages(text: str, contained: set[str]) -> None:
    assert contained == _contained(text, {"2.6.0", "3.11.2", "3.11.9", "3.12.1", "4.0.0"})


@pytest.mark.parametrize("text", ["latest", "lts/*", "temurin-21", "pypy3.9", ">=18 and <20"])
def test_what_is_no_range_is_none(text: str) -> None:
    assert VersionRange.parse(text) is None


def test_before_the_first_known_version_nothing_can_be_asked_for() -> None:
    assert VersionRange.parse("<10").line(LINES) is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v24.21.0\n", (24, 21, 0)),
        ("go version go1.22.3 linux/amd64", (1, 22, 3)),
        ("openjdk 21 2023-09-19", (21, 0, 0)),
        ("no version", None),
    ],
)
def test_what_programs_print_as_their_version(text: str, expected: tuple[int, int, int] | None) -> None:
    assert version(text) == expected
