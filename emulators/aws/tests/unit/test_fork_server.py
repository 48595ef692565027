"""Workers that are forked from a process which has imported their libraries: each is what its own process would be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import count
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from embedded_aws.workers.fork_server import ForkedProcess, ForkServer, ForkServers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Fork = Callable[..., ForkedProcess]

_STARTING = ["PYTHONHASHSEED", "PYTHONPATH", "LC_ALL", "LD_PRELOAD"]
# All that a worker can know of the process that it is.
_SEEN = """
    import json, os, signal, sys, threading, time
    signals = signal.SIGINT, signal.SIGTERM, signal.SIGCHLD
    print(json.dumps({
        "variables": dict(os.environ),
        "folder": os.getcwd(),
        "path": sys.path,
        "arguments": sys.argv,
        "main": [__name__, __file__],
        "streams": [
            [stream.name, stream.mode, stream.encoding, stream.errors, stream.seekable(), stream.fileno()]
            for stream in (sys.stdin, sys.stdout, sys.stderr)
        ],
        "signals": [str(signal.getsignal(number)) for number in signals],
        "wakeup": signal.set_wakeup_fd(-1),
        "open files": len(os.listdir("/dev/fd")),
        "threads": threading.active_count(),
        "group": os.getpgid(0),
        "time zone": time.tzname,
        "hash": hash("any") if "PYTHONHASHSEED" in os.environ else None,
    }))
    """


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The folder of a layer: one library knows the process that imported it, another prints as it's imported."""
    folder = tmp_path / "layer"
    folder.mkdir()
    (folder / "heavy.py").write_text("import os\nIMPORTED_BY = os.getpid()\n")
    (folder / "loud.py").write_text("print('in no worker')\n")
    return folder


@pytest.fixture
def fork(tmp_path: Path, library: Path) -> Iterator[Fork]:
    """Runs code as a worker's script, in a folder of its own."""
    servers = ForkServers("", ["heavy", "loud", "missing"])
    folder = tmp_path / "code"
    folder.mkdir()
    numbers = count()

    def run(code: str, **variables: str) -> ForkedProcess:
        script = tmp_path / f"worker-{next(numbers)}.py"
        script.write_text(f"import sys\nsys.path.insert(0, {str(library)!r})\n{dedent(code)}")
        return servers.fork([str(library)], str(script), str(folder), os.environ | variables)

    yield run
    servers.end()


def _said(process: ForkedProcess) -> Any:  # noqa: ANN401 - whatever it said
    return json.loads(process.stdout.readline() or process.stderr.read())


def test_workers_find_imported_what_was_preloaded_and_are_processes_of_their_own(fork: Fork) -> None:
    code = "import heavy, json, os; print(json.dumps([heavy.IMPORTED_BY, os.getpid()]))"
    first, second = (_said(fork(code)) for _ in range(2))
    assert first[0] == second[0]
    assert len({*first, *second}) == 3


@pytest.mark.parametrize(
    "started_with", [{}, {"PYTHONHASHSEED": "7"}, {"PYTHONPATH": "/more"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}]
)
def test_a_worker_sees_what_it_would_see_in_a_process_that_was_started_for_it(
    fork: Fork, started_with: dict[str, str]
) -> None:
    variables = {"TABLE": "sessions", "TZ": "CCA-5"} | started_with
    forked = _said(fork(_SEEN, **variables))
    assert forked["variables"]["TABLE"] == "sessions"
    own = subprocess.run(
        [sys.executable, forked["main"][1]],
        cwd=forked["folder"],
        env=os.environ | variables,
        input="",
        capture_output=True,
        check=True,
    )
    assert forked == json.loads(own.stdout)


def test_a_workers_sdk_reads_the_data_of_its_service_alone(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text(
        dedent(
            """
            import json, os, boto3, botocore.loaders
            read, load = [], botocore.loaders.JSONFileLoader.load_file
            botocore.loaders.JSONFileLoader.load_file = lambda loader, path: read.append(path) or load(loader, path)
            table = boto3.resource("dynamodb", region_name="us-east-1").Table("sessions")
            print(json.dumps([table.name, [path for path in read if "dynamodb" not in path]]))
            """
        )
    )
    servers = ForkServers("", ["boto3"])
    own = servers.fork([], str(script), str(tmp_path), os.environ | {"AWS_DATA_PATH": str(tmp_path)})
    shared = servers.fork([], str(script), str(tmp_path), os.environ)
    try:
        assert _said(shared) == ["sessions", []]
        assert _said(own)[1] != []
    finally:
        servers.end()


def test_random_numbers_are_a_workers_own(fork: Fork) -> None:
    code = "import random; print(random.getrandbits(64))"
    assert len({_said(fork(code)) for _ in range(3)}) == 3


def test_a_function_with_a_module_of_a_preloaded_name_has_its_own(fork: Fork, tmp_path: Path) -> None:
    code = "import os, sys; sys.path[:] = [os.getcwd(), *sys.path]; import heavy; print(heavy.IMPORTED_BY)"
    (tmp_path / "code" / "heavy.py").write_text("IMPORTED_BY = 0")
    assert _said(fork(code)) == 0


@pytest.mark.parametrize("variable", _STARTING)
def test_a_function_with_a_variable_that_counts_as_a_process_starts_is_forked_from_one_that_started_with_it(
    fork: Fork, variable: str
) -> None:
    code = "import heavy, os; print([heavy.IMPORTED_BY, os.getppid()])"
    plain, other, again = _said(fork(code)), _said(fork(code, **{variable: ""})), _said(fork(code, **{variable: ""}))
    assert [len({*plain}), len({*other}), again] == [1, 1, other]
    assert plain != other


@pytest.mark.parametrize("variable", _STARTING)
def test_a_fork_server_gives_a_worker_that_starts_with_other_variables_an_interpreter_of_its_own(
    library: Path, tmp_path: Path, variable: str
) -> None:
    script = tmp_path / "worker.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(library)!r})\nimport heavy, os\n"
        "print(int(heavy.IMPORTED_BY == os.getpid()))"
    )
    server = ForkServer("", [str(library)], ["heavy"])
    own = [_said(server.fork(str(script), str(tmp_path), os.environ | more)) for more in ({}, {variable: ""})]
    server.end()
    assert own == [0, 1]


def test_streams_carry_lines_both_ways(fork: Fork) -> None:
    process = fork(
        """
        import sys
        for line in sys.stdin:
            print(line.strip().upper(), flush=True)
            print("read", line.strip(), file=sys.stderr)
        """
    )
    process.stdin.write("grüße\n")
    assert process.stdout.readline() == "GRÜSSE\n"
    assert process.stderr.readline() == "read grüße\n"
    process.stdin.close()
    assert process.wait(10) == 0


def test_what_a_worker_leaves_for_its_end_is_done(fork: Fork) -> None:
    process = fork("import atexit; atexit.register(print, 'at the end'); print('in time')")
    assert process.stdout.read() == "in time\nat the end\n"


def test_how_a_worker_ended_is_known(fork: Fork) -> None:
    failed, exited = fork("raise ValueError('its own')"), fork("import os; os._exit(7)")
    assert (failed.wait(10), exited.wait(10)) == (1, 7)
    assert "ValueError: its own" in failed.stderr.read()
    assert exited.poll() == 7


def test_a_worker_is_awaited_asked_to_end_and_killed(fork: Fork) -> None:
    code = "import signal, time; {}; print(1, flush=True); time.sleep(60)"
    obedient = fork(code.format("pass"))
    stubborn = fork(code.format("signal.signal(signal.SIGTERM, signal.SIG_IGN)"))
    for process in (obedient, stubborn):
        process.stdout.readline()
        assert process.poll() is None
        process.terminate()
    assert obedient.wait(10) == -signal.SIGTERM
    with pytest.raises(subprocess.TimeoutExpired):
        stubborn.wait(0.1)
    stubborn.kill()
    assert stubborn.wait(10) == -signal.SIGKILL
    stubborn.terminate()  # nobody is hit that has its number now


def test_a_server_that_was_killed_is_replaced_and_its_workers_count_as_ended(fork: Fork) -> None:
    code = "import os, sys; print(os.getppid(), flush=True); sys.stdin.read()"
    before = fork(code)
    os.kill(_said(before), signal.SIGKILL)
    assert before.wait(10) == 255
    after = fork(code)
    assert _said(after)
    assert after.poll() is None


def test_servers_are_gone_when_they_were_ended(library: Path, tmp_path: Path) -> None:
    servers = ForkServers("", [])
    script = tmp_path / "_worker.py"
    script.write_text("import os; print(os.getppid())")
    server = _said(servers.fork([str(library)], str(script), str(tmp_path), os.environ))
    servers.end()
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
