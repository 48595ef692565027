"""`cloud-agent local logs`: parts and tasks from their files, functions from their log group."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cloud_agent_local.deployment import STACK, client
from cloud_agent_local.parts import LOG_LINES

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_local.installation import Installation

FUNCTIONS = "functions"
FOLLOW_SECONDS = 0.5


def show(installation: Installation, part: str, *, follow: bool) -> None:
    """Print the end of every log whose name contains `part`, each line after its log's name; then go on, if asked."""
    read: dict[Path, int] = {}
    since = 0
    first = True
    while True:
        for log in sorted(installation.log_dir.glob("*.log")):
            if part in log.name:
                read[log] = _print_file(log, read.get(log), ends_only=first)
        if part in FUNCTIONS:
            since = _print_functions(installation, since, ends_only=first)
        if not follow:
            return
        first = False
        time.sleep(FOLLOW_SECONDS)


def _print_file(log: Path, position: int | None, *, ends_only: bool) -> int:
    with log.open(errors="replace") as stream:
        stream.seek(position or 0)
        lines = stream.readlines()
        for line in lines[-LOG_LINES:] if ends_only else lines:
            print(f"{log.stem} | {line.rstrip()}")  # noqa: T201 - the command's output
        return stream.tell()


def _print_functions(installation: Installation, since: int, *, ends_only: bool) -> int:
    pages = client(installation, "logs").get_paginator("filter_log_events")
    events = [
        event
        for page in pages.paginate(logGroupName=f"/{STACK}/{FUNCTIONS}", startTime=since)
        for event in page["events"]
    ]
    for event in events[-LOG_LINES:] if ends_only else events:
        print(f"{FUNCTIONS} | {event['message'].rstrip()}")  # noqa: T201 - the command's output
    return max((int(event["timestamp"]) + 1 for event in events), default=since)
