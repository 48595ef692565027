"""Which browser Claude has, and what it may open in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.tools.browser_tools import LEFT_OUT, recorded

from cloud_agent_runner.browser import installed
from cloud_agent_runner.browser.installed import Browser, find_browser
from cloud_agent_runner.claude.browser_server import RESPONSES, browser_server, opens_elsewhere
from cloud_agent_runner.claude.mcp_servers import unavailable_servers
from cloud_agent_runner.preview.listen_address import ListenAddress
from cloud_agent_runner.workspace.user import WorkspaceUser

CONTAINER = ListenAddress("0.0.0.0", "10.0.2.133", 3000)  # noqa: S104 - as in a container
SHARED_MACHINE = ListenAddress("127.4.5.6", "127.4.5.6", 3000)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, and nothing else, on the supervisor's PATH; the packages are installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(installed, "PACKAGES", tmp_path)
    return folder


def _program(folder: Path, name: str) -> None:
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)


def _flags(browser: Browser | None) -> list[str]:
    assert browser is not None
    return list(browser.launch_options["args"])


def test_without_one_of_its_parts_there_is_no_browser(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = WorkspaceUser(programs, "1:1")
    assert find_browser(user, CONTAINER) is None
    _program(programs, "chromium")
    assert find_browser(user, CONTAINER) is None
    _program(programs, "node")
    expected = Browser(
        programs / "chromium", programs / "node", installed.PACKAGES, "http://localhost:3000", None, user.environment()
    )
    assert find_browser(user, CONTAINER) == expected
    monkeypatch.setattr(installed, "PACKAGES", programs / "missing")
    assert find_browser(user, CONTAINER) is None


def test_in_a_container_the_network_is_the_containers_and_elsewhere_only_the_sessions_own_address_is_reached(
    programs: Path,
) -> None:
    for name in ("chromium", "chromium-headless-shell", "node"):
        _program(programs, name)
    contained = find_browser(WorkspaceUser(programs, "1:1"), CONTAINER)
    assert contained is not None
    assert contained.chromium.name == "chromium-headless-shell"
    assert not [flag for flag in _flags(contained) if "resolver" in flag or "proxy" in flag]

    local = find_browser(WorkspaceUser(programs, None), SHARED_MACHINE)
    assert local is not None
    assert local.preview_url == "http://127.4.5.6:3000"
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.4.5.6, EXCLUDE localhost"
    assert {rules, "--no-proxy-server", "--disable-background-networking"} <= set(_flags(local))


def test_the_server_is_configured_in_a_file_and_writes_outside_the_work_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    browser = Browser(Path("/chromium"), Path("/node"), Path("/packages"), "http://localhost:3000", None, {"A": "b"})
    [server] = browser_server(browser, WorkspaceUser(tmp_path / "workspace", None)).values()
    arguments: list[str] = server["args"]  # type: ignore[typeddict-item]
    assert arguments[arguments.index("/node") + 1] == "/packages/@playwright/mcp/cli.js"
    file = Path(arguments[arguments.index("--config") + 1])
    assert file.stat().st_mode & 0o777 == 0o644
    configuration = json.loads(file.read_text())
    assert configuration["browser"]["isolated"]
    assert configuration["browser"]["launchOptions"] == browser.launch_options
    assert configuration["outputDir"] == str(tmp_path / "workspace/.cache/browser")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000/a?b=https://github.example",
        "localhost:3000",
        "http://127.4.5.6:3000",
        "http://[::1]:3000/",
        "http://menu.localhost:3000",
        "about:blank",
    ],
)
def test_what_runs_here_is_opened(url: str) -> None:
    assert opens_elsewhere("mcp__browser__browser_navigate", {"url": url}) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://github.example/localhost",
        "http://localhost:3000@github.example/",
        "github.example",
        "http://169.254.170.2/v2/metadata",
        "file:///etc/passwd",
        "http://[::1/",
        "",
    ],
)
def test_nothing_else_is_opened(url: str) -> None:
    assert "what runs in this container" in (opens_elsewhere("mcp__browser__browser_navigate", {"url": url}) or "")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("mcp__browser__browser_snapshot", {}), ("mcp__docs__open", {"url": "https://github.example"})],
)
def test_other_tools_are_not_looked_at(tool: str, arguments: dict[str, Any]) -> None:
    assert opens_elsewhere(tool, arguments) is None


def test_no_tool_runs_code_outside_the_page() -> None:
    names = {tool["name"] for tool in json.loads(RESPONSES.read_text())["tools/list"]["tools"]}
    assert {"browser_navigate", "browser_resize", "browser_take_screenshot", "browser_console_messages"} <= names
    assert "browser_run_code_unsafe" in LEFT_OUT
    assert not names & LEFT_OUT


def test_a_server_that_did_not_start_is_named_for_whose_it_is() -> None:
    sentences = unavailable_servers(
        [{"name": name, "status": "failed", "error": "ENOENT."} for name in ("browser", "db")]
    )
    assert sentences == {
        "browser": "Claude's browser couldn't be started: ENOENT.",
        "db": "The repository's MCP server `db` couldn't be started: ENOENT.",
    }


@pytest.mark.skipif(not installed.PACKAGES.is_dir(), reason="needs Playwright's packages: make browser")
def test_what_is_recorded_is_what_the_server_says() -> None:
    assert json.loads(RESPONSES.read_text()) == recorded()
