"""What the walls of the agent's container cost: sessions in the image as it is, and in one without any.

    python tests/bench/walls.py [--pairs 6]

Brings up the system with containers of the real images (Podman as root, or Docker), runs the same session in each image
in turn, and prints the time from the label to the page behind the URL; the container's CPU until then, which no other
process of the machine changes much; and its memory without cached files, the most and ten seconds after the first turn.

Without walls all is one user and one process's environment; nothing ends what a command leaves behind, limits it,
or looks for secrets; and Claude Code calls the model by itself. What the container's definition says (read-only root,
capabilities) is the same in both: the kernel looks anyway.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.containers.real_images import system_of_containers, usable_engine

from cloud_agent_local import images
from cloud_agent_local.installation import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.system import Session, System

    from embedded_aws.containers.engine import Engine

_WHOLE, _OPEN = "claude-cloud-agent/agent:whole", "claude-cloud-agent/agent:open"
_MIB = 1024**2
_SECONDS_AFTER_THE_TURN = 10
_ENTRY_POINT = (
    'ENTRYPOINT ["/usr/bin/tini", "--", "setpriv", "--reuid=supervisor", "--regid=supervisor", "--clear-groups", '
    '"python", "-P", "-s", "-m", "cloud_agent_runner"]\n'
)
# What stands in each file, and what takes its place.
_CHANGES = {
    "__main__.py": (
        "    environment = take_environment()\n",
        "    import os\n\n    environment = dict(os.environ)\n    os.environ.pop('PYTHONPATH')\n",
    ),
    "workspace/user.py": (
        '        return [sys.executable, "-I", "-S", str(_REAPER), name, owner, str(directory), *command]\n',
        """        return ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(directory), *command]\n""",
    ),
    "secret_scan/scan.py": ("    try:\n        async with await", "    return []\n    try:\n        async with await"),
    "transcript/masking.py": ("await self._found_in(_texts(known))", "[]"),
}
_NO_GATEWAY = """
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace

class ModelGateway:
    def __init__(self, api, budget):
        self.api, self.budget = api, budget

    def pin(self, model):
        pass

    @contextmanager
    def turn(self):
        environment = self.api.environment(self.api._base_url, self.api._api_key.get_secret_value())
        texts = SimpleNamespace(include=lambda _: True, last="")
        yield SimpleNamespace(environment=environment, refused_for=None, texts=texts)

@asynccontextmanager
async def model_gateway(api, budget):
    yield ModelGateway(api, budget)
"""


@dataclass(frozen=True)
class Cost:
    """Of one session: seconds from the label to the page, of the container's CPU until then, and MiB."""

    seconds: float
    cpu: float
    most: float
    after: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=6)
    pairs = parser.parse_args().pairs
    engine = usable_engine()
    if engine is None:
        sys.exit("Neither Docker nor, as root, Podman answers on this machine.")
    costs: dict[str, list[Cost]] = {_WHOLE: [], _OPEN: []}
    with (
        tempfile.TemporaryDirectory() as folder,
        system_of_containers(engine, Path(folder), Pictures="off") as system,
        _both_images(engine, Path(folder)),
    ):
        for number in range(-1, pairs):
            for image in list(costs)[:: 1 if number % 2 else -1]:
                engine.run("tag", image, images.AGENT)
                cost = _session(system, engine)
                print(f"{number + 1}: {image}: {cost}", flush=True)
                if number >= 0:  # the functions are cold before
                    costs[image].append(cost)
    print("\n| | with all walls | without | the walls cost |\n|---|---|---|---|")
    for what, unit, attribute in (
        ("from the label to the page", "s", "seconds"),
        ("the container's CPU until then", "s", "cpu"),
        ("memory at most", "MB", "most"),
        (f"memory {_SECONDS_AFTER_THE_TURN} s after a turn", "MB", "after"),
    ):
        both = [[getattr(cost, attribute) for cost in costs[image]] for image in costs]
        each = [whole - without for whole, without in zip(*both, strict=True)]
        print(f"| {what} | {' | '.join(_range(values, unit) for values in (*both, each))} |")


@contextmanager
def _both_images(engine: Engine, folder: Path) -> Iterator[None]:
    engine.run("tag", images.AGENT, _WHOLE)
    runner = PROJECT / "agent" / "src" / "cloud_agent_runner"
    lines = [f"FROM {_WHOLE}\n"]
    for file, (stands, instead) in _CHANGES.items():
        text = (runner / file).read_text()
        assert text.count(stands) == 1, file
        lines.append(_copied(folder, file, text.replace(stands, instead)))
    lines.append(_copied(folder, "model/gateway.py", _NO_GATEWAY))
    lines.append("RUN python -m compileall -q /opt/cloud-agent/cloud_agent_runner\n" + _ENTRY_POINT)
    (folder / "Dockerfile").write_text("".join(lines))
    engine.run("build", "--tag", _OPEN, "--file", str(folder / "Dockerfile"), str(folder / "files"))
    try:
        yield
    finally:
        engine.run("tag", _WHOLE, images.AGENT)


def _copied(folder: Path, file: str, text: str) -> str:
    copy = folder / "files" / file
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text)
    return f"COPY --chmod=644 {file} /opt/cloud-agent/cloud_agent_runner/{file}\n"


def _session(system: System, engine: Engine) -> Cost:
    """One session with one turn that changes a file; it's over afterwards."""
    issue = system.open_issue("Greet", 'Change the greeting to "Good morning".')
    began = time.perf_counter()
    system.label(issue)
    session = system.session_of(issue)
    system.visitor(session).wait_for("", 120)
    seconds = time.perf_counter() - began
    container = _Container(engine, session)
    cpu = container.cpu_seconds()
    used = [container.memory()]
    while not system.row(session.id).get("activity", "").startswith("turn_f"):
        used.append(container.memory())
        time.sleep(0.1)
    time.sleep(_SECONDS_AFTER_THE_TURN)
    after = container.memory()
    system.github.call("PATCH", f"/repos/{system.repository}/issues/{issue}", {"state": "closed"})
    system.wait_until_over(session, 120)
    return Cost(seconds, cpu, max(used) / _MIB, after / _MIB)


class _Container:
    """What a session's container uses, as its cgroup (version 1 or 2) says."""

    def __init__(self, engine: Engine, session: Session) -> None:
        named = "label=com.amazonaws.ecs.container-name=agent"
        (container,) = (
            each
            for each in engine.run("ps", "--quiet", f"--filter={named}").split()
            if f"SESSION_ID={session.id}" in engine.run("inspect", "--format", "{{.Config.Env}}", each)
        )
        process = engine.run("inspect", "--format", "{{.State.Pid}}", container)
        paths = dict(line.split(":", 2)[1:] for line in Path(f"/proc/{process}/cgroup").read_text().splitlines())
        if "memory" in paths:
            self._folder, names = Path(f"/sys/fs/cgroup/memory{paths['memory']}"), ("usage_in_bytes", "total_cache")
            cpu = next(name for name in paths if "cpuacct" in name.split(","))
            self._cpu = Path(f"/sys/fs/cgroup/cpuacct{paths[cpu]}/cpuacct.usage")
        else:
            self._folder, names = Path(f"/sys/fs/cgroup{paths['']}"), ("current", "file")
            self._cpu = self._folder / "cpu.stat"
        self._usage, self._cached = names

    def cpu_seconds(self) -> float:
        """Return what all of its processes have used so far."""
        words = self._cpu.read_text().split()
        return int(words[0]) / 1e9 if len(words) == 1 else int(words[words.index("usage_usec") + 1]) / 1e6

    def memory(self) -> int:
        """Return the bytes in use, without cached files."""
        lines = (line.split() for line in (self._folder / "memory.stat").read_text().splitlines())
        cached = next(int(value) for name, value in lines if name == self._cached)
        return int((self._folder / f"memory.{self._usage}").read_text()) - cached


def _range(values: list[float], unit: str) -> str:
    digits = 2 if unit == "s" else 0
    median, *ends = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{median} {unit} ({' to '.join(ends)})"


if __name__ == "__main__":
    main()
