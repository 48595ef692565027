"""How long it takes from the label to Claude's first word, with an installation of 500 MB beside it or before it.

    python tests/bench/first_word.py [--sessions 3] [--megabytes 500]

Makes a repository whose `npm install` needs no network: its dependencies are archives beside it, small as they are full
of repeated text, and come to 500 MB in 50,000 files of `node_modules`. Brings up the whole system with the real agent
and the scripted model (about 40 s), and has two kinds of sessions in it, in turn: with the agent as it is, and with one
that lets no prompt begin until the preview is live or has failed, as it was before ADR-022. Nothing is kept from one
session to the next. The times are from the request that adds the label to the first message or tool call in the
transcript, and to the preview's becoming live.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import tarfile
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.e2e.system import System, wait_for
from tests.kit.ports import free_ports

from cloud_agent_local import sample
from cloud_agent_local import up as lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 900
_PACKAGES = 100
_FILE_BYTES = 10_000
_LABELS = {"beside it": sample.LABEL, "before it": "claude-dev-staging"}
_SERVER = """\
require("http").createServer((_, to) => to.end("<h1>Lunch</h1>")).listen(process.env.PORT, process.env.HOST);
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=500)
    wanted = parser.parse_args()
    after_preview = f"local/python{Path(__file__).with_name('agent_after_preview.py')}"
    parameters = {"Pictures": "off", "StagingAgentImageUri": after_preview, "StagingTriggerLabel": _LABELS["before it"]}
    with tempfile.TemporaryDirectory() as root:
        system = System(lifecycle.up(Path(root) / "system", free_ports(), parameters))
        try:
            there = system.at(_repository(system, Path(root) / "lunch", wanted.megabytes))
            times = {what: list[tuple[float, float]]() for what in _LABELS}
            for _ in range(wanted.sessions):
                for what, label in _LABELS.items():
                    times[what].append(_session(there, label))
                    print(f"the installation runs {what}: {times[what][-1]}", flush=True)
        finally:
            lifecycle.down(system.installation)
    print("\n| The installation runs | Claude's first word | The preview is live |\n|---|---|---|")
    for what, both in times.items():
        words, lives = zip(*both, strict=True)
        print(f"| {what} | {_median(words)} | {_median(lives)} |")


def _median(seconds: tuple[float, ...]) -> str:
    return f"{statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f} s)"


def _repository(system: System, folder: Path, megabytes: int) -> str:
    """Make the repository on GitHub; return its name."""
    (folder / "packages").mkdir(parents=True)
    (folder / ".github").mkdir()
    line = "exports.dish = 'ramen'; // with an egg, nori and spring onions\n"
    content = (line * (_FILE_BYTES // len(line) + 1))[:_FILE_BYTES].encode()
    files = megabytes * 1_000_000 // _FILE_BYTES // _PACKAGES
    for number in range(_PACKAGES):
        manifest = json.dumps({"name": f"dish-{number}", "version": "1.0.0"}).encode()
        with tarfile.open(folder / f"packages/dish-{number}.tgz", "w:gz") as archive:
            _add(archive, "package/package.json", manifest)
            for file in range(files):
                _add(archive, f"package/lib/{file}.js", content)
    dependencies = {f"dish-{number}": f"file:packages/dish-{number}.tgz" for number in range(_PACKAGES)}
    package = {"name": "lunch", "private": True, "scripts": {"dev": "node server.js"}, "dependencies": dependencies}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "server.js").write_text(_SERVER)
    (folder / ".npmrc").write_text("audit=false\nfund=false\noffline=true\n")
    (folder / ".gitignore").write_text("node_modules\n")
    (folder / ".github/claude-cloud-agent.yml").write_text("cache: false\n")
    owner = system.github.credentials.owner
    system.github.call("POST", f"/orgs/{owner}/repos", {"name": folder.name})
    sample.push(folder, f"{system.installation.github_url}/{owner}/{folder.name}.git", system.github.credentials.token)
    return f"{owner}/{folder.name}"


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _session(system: System, label: str) -> tuple[float, float]:
    """Run one session; return the seconds until Claude's first word, and until the preview is live."""
    tasks = system.installation.state_dir / "aws" / "tasks"
    running = set(tasks.iterdir())
    issue = system.open_issue("Look", "Look at it.\n\nscripted-model: run git status")
    labelled = time.time()
    system.label(issue, label)
    session = system.session_of(issue)

    def both() -> list[float]:
        events = list(_events(system, session.id))
        words = [event for event in events if event["kind"] in {"message", "tool_call"}]
        lives = [event for event in events if event["kind"] == "preview" and event["state"] == "live"]
        return [_at(words[0]), _at(lives[0])] if words and lives else []

    word, live = wait_for(both, bool, _SECONDS, every=1)
    system.end_all()
    wait_for(lambda: set(tasks.iterdir()) <= running, bool, _SECONDS)  # or else its processes are still there
    return round(word - labelled, 1), round(live - labelled, 1)


def _events(system: System, session_id: str) -> Iterator[dict[str, Any]]:
    s3, bucket = system.client("s3"), system.physical_id("ArtifactsBucket")
    listing = s3.list_objects_v2(Bucket=bucket, Prefix=f"transcripts/{session_id}/agent/").get("Contents", [])
    for entry in listing:
        body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        yield from map(json.loads, body.splitlines())


def _at(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()


if __name__ == "__main__":
    main()
