"""`cloud-agent local logs`: parts and tasks from their files, functions from their log group. Of this run alone."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from cloud_agent_cli.terminal import errors
from cloud_agent_local.deployment import STACK, client
from cloud_agent_local.errors import NoLogError
from cloud_agent_local.installation import AWS_PART
from cloud_agent_local.log_lines import readable
from cloud_agent_local.parts import LOG_LINES, is_running
from cloud_agent_local.sessions import sessions, task_ids

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent_local.installation import Installation

FUNCTIONS = "functions"
FOLLOW_SECONDS = 0.5
_OF_TASK = re.compile(rf"{STACK}-(?P<role>.+)-(?P<task>[0-9a-f]{{8}})[0-9a-f-]{{24,28}}$")


def show(installation: Installation, name: str, *, follow: bool, as_json: bool) -> None:
    """Print the end of the logs that `name` chooses, each line after its log's label; with `follow` then new lines.

    `name` is a session's id, which chooses its containers' logs and what the functions say of it, or a part of a log's
    label. Without it all are chosen.

    Raises:
        NoLogError: nothing has that name; says what there is.
    """
    logs = Logs(installation, name, as_json=as_json)
    found = logs.print_new(ends_only=True)
    if not found and not follow:
        raise NoLogError(f"No log matches {name!r}. Name a session or one of: {', '.join(logs.labels())}.")
    while follow:
        time.sleep(FOLLOW_SECONDS)
        logs.print_new(ends_only=False)


def label(log: Path) -> str:
    """Return `github` for github.log; for a container's its role and the start of its task's id: `agent-eeb05856`."""
    found = _OF_TASK.match(log.stem)
    return f"{found['role']}-{found['task']}" if found else log.stem


class Logs:
    """The logs that a name chooses, and how far each has been printed."""

    def __init__(self, installation: Installation, name: str, *, as_json: bool) -> None:
        self._installation = installation
        self._name = name
        self._as_json = as_json
        self._printed: dict[Path, int] = {}
        self._functions_since = 0
        self._aws_answers = any(part.name == AWS_PART and is_running(part) for part in installation.parts)
        if not self._aws_answers:
            errors.print("The embedded AWS isn't running: the functions' logs are left out.")

    def labels(self) -> list[str]:
        """Return what can be named, besides a session's id."""
        return [*(label(log) for log in self._files()), FUNCTIONS]

    def print_new(self, *, ends_only: bool) -> int:
        """Print what has come since the last call, of long logs the end alone; returns how many logs were chosen."""
        tasks = self._tasks_of_session()
        files = [log for log in self._files() if self._is_chosen(log, tasks)]
        for log in files:
            self._print(label(log), self._new_lines(log), ends_only=ends_only)
        if tasks is None and self._name not in FUNCTIONS:
            return len(files)
        lines = [line for line in self._new_events() if tasks is None or self._name in line]
        self._print(FUNCTIONS, lines, ends_only=ends_only)
        return len(files) + 1

    def _is_chosen(self, log: Path, tasks: set[str] | None) -> bool:
        return self._name in label(log) if tasks is None else any(task in log.name for task in tasks)

    def _files(self) -> list[Path]:
        return sorted(self._installation.log_dir.glob("*.log"))

    def _tasks_of_session(self) -> set[str] | None:
        """Return the ids of the tasks of the session that is named; None where none is."""
        if not self._name or not self._aws_answers:
            return None
        if all(row["session_id"] != self._name for row in sessions(self._installation)):
            return None
        return task_ids(self._installation, self._name)

    def _new_lines(self, log: Path) -> list[str]:
        with log.open(errors="replace") as stream:
            stream.seek(self._printed.get(log, 0))
            lines = stream.readlines()
            self._printed[log] = stream.tell()
        return lines

    def _new_events(self) -> list[str]:
        if not self._aws_answers:
            return []
        pages = client(self._installation, "logs").get_paginator("filter_log_events")
        request = {"logGroupName": f"/{STACK}/{FUNCTIONS}", "startTime": self._functions_since}
        events = [event for page in pages.paginate(**request) for event in page["events"]]
        self._functions_since = max((int(event["timestamp"]) + 1 for event in events), default=self._functions_since)
        return [str(event["message"]) for event in events]

    def _print(self, name: str, lines: list[str], *, ends_only: bool) -> None:
        for line in lines[-LOG_LINES:] if ends_only else lines:
            text = line.rstrip() if self._as_json else readable(line.rstrip())
            for part in text.splitlines() or [""]:  # a traceback has lines of its own
                print(f"{name} | {part}")  # noqa: T201 - the command's output
