"""What an attack is, and how its outcome is reported. Runs in the agent's container, on the standard library alone."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Attempt = tuple[str, Callable[[], object]]

REPORTS = Path("/tmp/red-team")  # noqa: S108 - the container's own, and nobody else's
REFUSALS = {errno.EPERM, errno.EACCES, errno.EROFS}


class RefusedError(Exception):
    """What was tried has been refused in the expected way."""


def run(name: str, attempts: Iterable[Attempt]) -> None:
    """Try each, and report what was gained, and what failed for another reason than a refusal: that proves nothing."""
    tried, gained, broken = 0, [], []
    for what, attempt in attempts:
        tried += 1
        try:
            gained.append(f"{what}: {attempt()!r:.200}")
        except RefusedError:
            continue
        except OSError as error:
            if error.errno not in REFUSALS:
                broken.append(f"{what}: {error!r}")
        except Exception as error:  # noqa: BLE001 - goes into the report
            broken.append(f"{what}: {error!r}")
    report(name, {"tried": tried, "gained": gained, "broken": broken})


def report(name: str, outcome: object) -> None:
    """Write one attack's outcome where the test looks for it, whole at any moment."""
    REPORTS.mkdir(exist_ok=True)
    unfinished = REPORTS / f"{name}.unfinished"
    unfinished.write_text(json.dumps(outcome), encoding="utf-8")
    unfinished.replace(REPORTS / f"{name}.json")


def refused(url: str, status: int, headers: Mapping[str, str], body: bytes = b"{}") -> object:
    """POST, and raise what counts as a refusal if the response has this status; else return the one it has."""
    request = Request(url, data=body, headers={"content-type": "application/json", **headers})  # noqa: S310 - HTTP
    try:
        with urlopen(request, timeout=20) as response:  # noqa: S310 - HTTP
            seen = response.status
    except HTTPError as error:
        seen = error.code
    if seen == status:
        raise RefusedError
    return seen


def processes() -> dict[int, list[str]]:
    """Return the arguments of all processes, which everybody may read."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found[int(folder.name)] = (folder / "cmdline").read_text(errors="replace").split("\0")
        except OSError:
            continue
    return found


def supervisors() -> dict[str, int]:
    """Return the processes that are not the workspace's: the first, the supervisor, and a reaper."""
    found = {"init": 1}
    for pid, arguments in processes().items():
        if pid != 1 and user_of(pid) != os.getuid():
            is_reaper = any(argument.endswith("/reaper.py") for argument in arguments[:6])
            found["reaper" if is_reaper else "supervisor"] = pid
    if len(found) != 3:
        raise LookupError(f"not all are there: {found}")
    return found


def user_of(pid: int) -> int:
    """Return whose a process is, as it says itself: the owner of its folder in /proc is root if it can't be traced."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in status if line.startswith("Uid:")).split()[1])
