"""How long installing takes a repository's first session, and its second one, which has what the first one kept.

    python tests/bench/warm_start.py FOLDER...

Brings up the whole system with the real agent (about 40 s); each folder becomes a repository with two sessions, one
after the other. The second is a `/restart`, so that what is kept is found however long the first one took to install it
(ADR-024). All times are by the agent's own log: from the program's first line, and from the start of the installation,
until that has ended. The archive comes through the Agent API's routes from the embedded S3.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.e2e.system import System, wait_for
from tests.kit.ports import free_ports

from cloud_agent_local import sample
from cloud_agent_local import up as lifecycle

_SECONDS = 900


@dataclass
class Installation:
    """One session's, in seconds."""

    whole: float
    alone: float
    restoring: float
    archive_bytes: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    folders = parser.parse_args().folders
    print("| | First session | Next session | of which restoring | Archive | from the agent's start | next |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as root:
        system = System(lifecycle.up(Path(root), free_ports(), {"Pictures": "off"}))
        try:
            for folder in folders:
                first, second = _two_sessions(system, folder)
                print(
                    f"| {folder.name} | {first.alone:.1f} s | {second.alone:.1f} s ({second.alone / first.alone:.0%}) "
                    f"| {second.restoring:.1f} s | {first.archive_bytes / 1e6:.0f} MB "
                    f"| {first.whole:.1f} s | {second.whole:.1f} s ({second.whole / first.whole:.0%}) |",
                    flush=True,
                )
        finally:
            lifecycle.down(system.installation)


def _two_sessions(system: System, folder: Path) -> tuple[Installation, Installation]:
    there = system.at(_repository(system, folder))
    tasks = system.installation.state_dir / "aws" / "tasks"
    running = set(tasks.iterdir())
    session = there.start("Look", "scripted-model: run git status")
    row = there.wait_for_row(session, lambda row: row.get("activity") == "turn_finished", _SECONDS)
    first = _installation(system, session.id, is_kept=True)
    there.comment(row["pull_number"], "/stop")
    there.wait_for_end(session)
    wait_for(lambda: set(tasks.iterdir()) <= running, bool, _SECONDS)  # or else its home is in use
    known = {row["session_id"] for row in there.rows()}
    there.comment(row["pull_number"], "/restart")
    (second,) = wait_for(lambda: {row["session_id"] for row in there.rows()} - known, bool, 120)
    measured = _installation(system, second, is_kept=False)
    there.end_all()
    wait_for(lambda: set(tasks.iterdir()) <= running, bool, _SECONDS)
    return first, measured


def _repository(system: System, folder: Path) -> str:
    owner, name = system.github.credentials.owner, folder.name.replace("__", "-")
    system.github.call("POST", f"/orgs/{owner}/repos", {"name": name})
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder, copy, symlinks=True, dirs_exist_ok=True)
        url = f"{system.installation.github_url}/{owner}/{name}.git"
        sample.push(Path(copy), url, system.github.credentials.token)
    return f"{owner}/{name}"


def _installation(system: System, session_id: str, *, is_kept: bool) -> Installation:
    """Return what the agent's log says of its session's installation, once that has ended and is kept."""

    def log() -> list[dict[str, Any]]:
        lines = (line for file in system.installation.log_dir.glob("*-agent-*.log") for line in file.open())
        parsed = (json.loads(line) for line in lines if f'"{session_id}"' in line and line.startswith("{"))
        return sorted(parsed, key=lambda line: str(line["timestamp"]))

    def previews(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [line for line in lines if line["message"] == "preview"]

    def is_over(lines: list[dict[str, Any]]) -> bool:
        return len(previews(lines)) > 1 and (not is_kept or "dependencies kept" in {line["message"] for line in lines})

    lines = wait_for(log, is_over, _SECONDS, every=1)
    begins, ends = (_time(line) for line in previews(lines)[:2])
    said = {line["message"]: line for line in lines}
    assert is_kept or "dependencies restored" in said, said.keys()
    restored = _time(said["dependencies restored"]) if "dependencies restored" in said else begins
    return Installation(
        ends - _time(lines[0]), ends - begins, restored - begins, said.get("dependencies kept", {}).get("bytes", 0)
    )


def _time(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp()


if __name__ == "__main__":
    main()
