"""What code in the agent's container tries during a turn: every attempt that a function yields has to be refused."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attempts import REPORTS, RefusedError, processes, refused, run, supervisors, user_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Attack = Callable[[], Iterator[tuple[str, Callable[[], object]]]]

HOME = Path("/home/supervisor")
REPOSITORY = HOME / "repository.git"
MODEL = os.environ.get("ANTHROPIC_DEFAULT_HAIKU_MODEL", "")
_PTRACE_ATTACH, _PTRACE_SEIZE = 16, 0x4206  # sys/ptrace.h
_NAMESPACES = {"mount": 0x00020000, "network": 0x40000000, "process": 0x20000000}  # linux/sched.h
_USER_NAMESPACE = 0x10000000
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438  # asm-generic/unistd.h, and the same on x86_64
# What the model's provider would fetch, run, connect to or ask of another model, past all that holds the session.
_IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
_PAST_THE_SESSION: dict[str, dict[str, object]] = {
    "an image by its address": {"messages": [{"role": "user", "content": [_IMAGE]}]},
    "a page that it fetches": {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]},
    "code that it runs": {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
    "a server that it connects to": {"mcp_servers": [{"type": "url", "url": "https://example.com", "name": "a"}]},
    "another model as an adviser": {"tools": [{"type": "advisor_20260301", "name": "advisor", "model": "other"}]},
    "a container of its own": {"container": "container_1"},
    "what is new there": {"next_big_thing": True},
}
ATTACKS: dict[str, Attack] = {}


def attack(function: Attack) -> Attack:
    """Have `function` tried under its own name."""
    ATTACKS[function.__name__] = function
    return function


@attack
def read_another_process() -> Iterator[tuple[str, Callable[[], object]]]:
    for name, pid in supervisors().items():
        proc = Path(f"/proc/{pid}")
        for file in ("environ", "mem", "maps", "auxv", "syscall", "stack"):
            yield f"{name}: {file}", lambda path=proc / file: path.open("rb").read(64)
        yield f"{name}: fd", lambda path=proc / "fd": list(path.iterdir())
        for link in ("cwd", "root", "exe"):
            yield f"{name}: {link}", lambda path=proc / link: path.readlink()


@attack
def trace_another_process() -> Iterator[tuple[str, Callable[[], object]]]:
    for name, pid in supervisors().items():
        yield f"{name}: attach", lambda pid=pid: _call("ptrace", _PTRACE_ATTACH, pid, 0, 0)
        yield f"{name}: seize", lambda pid=pid: _call("ptrace", _PTRACE_SEIZE, pid, 0, 0)
        yield f"{name}: read its memory", lambda pid=pid: _read_memory(pid)
        yield f"{name}: take a descriptor", lambda pid=pid: descriptor_of(pid, 1)


@attack
def signal_or_limit_another_process() -> Iterator[tuple[str, Callable[[], object]]]:
    for name, pid in supervisors().items():
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
            yield f"{name}: {number.name}", lambda pid=pid, number=number: os.kill(pid, number)
        yield f"{name}: limits", lambda pid=pid: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3))
        yield f"{name}: priority", lambda pid=pid: os.setpriority(os.PRIO_PROCESS, pid, 19)
        yield f"{name}: processor", lambda pid=pid: os.sched_setaffinity(pid, {0})
        yield f"{name}: OOM score", lambda pid=pid: Path(f"/proc/{pid}/oom_score_adj").write_text("1000")


@attack
def read_the_supervisors_home() -> Iterator[tuple[str, Callable[[], object]]]:
    yield "list", lambda: list(HOME.iterdir())
    yield "claude-code", (HOME / "claude-code").read_text
    yield "claude-code, run", lambda: subprocess.run([HOME / "claude-code", "--version"], check=True)
    yield "a new file", lambda: (HOME / "mine").write_text("")


@attack
def write_into_the_supervisors_repository() -> Iterator[tuple[str, Callable[[], object]]]:
    for name in ("config", "HEAD", "commondir", "packed-refs", "config.worktree", "objects/info/alternates"):
        yield name, lambda name=name: (REPOSITORY / name).open("a").close()
    for folder in (".", "refs", "refs/session", "hooks", "objects", "objects/pack", "info"):
        if (REPOSITORY / folder).is_dir():
            yield f"{folder}/mine", lambda folder=folder: (REPOSITORY / folder / "mine").write_text("")
    yield "rename", lambda: REPOSITORY.rename(HOME / "other.git")
    yield "mode", lambda: REPOSITORY.chmod(0o777)


@attack
def find_a_credential_in_the_supervisors_repository() -> Iterator[tuple[str, Callable[[], object]]]:
    yield "config", lambda: _only_if((REPOSITORY / "config").read_text(), "extraheader", "authorization", "@")
    yield "FETCH_HEAD", lambda: _only_if((REPOSITORY / "FETCH_HEAD").read_text(), "ghs_", "token", "@")


@attack
def write_where_programs_are() -> Iterator[tuple[str, Callable[[], object]]]:
    for place in ("/opt/cloud-agent", "/opt/cloud-agent/cloud_agent_runner", "/usr/local/bin", "/usr/bin", "/etc", "/"):
        yield place, lambda place=place: Path(place, "mine").write_text("")
    for file in ("/etc/passwd", "/etc/ld.so.preload", "/opt/cloud-agent/cloud_agent_runner/workspace/reaper.py"):
        yield file, lambda file=file: Path(file).open("a").close()
    yield "the scanner's rules", lambda: list(Path("/opt/cloud-agent/secret-rules").iterdir())


@attack
def change_the_kernels_settings() -> Iterator[tuple[str, Callable[[], object]]]:
    for name in ("sys/kernel/core_pattern", "sys/kernel/yama/ptrace_scope", "sysrq-trigger"):
        if Path("/proc", name).exists():
            yield name, lambda name=name: Path("/proc", name).write_text("0")


@attack
def gain_a_capability() -> Iterator[tuple[str, Callable[[], object]]]:
    yield "has one", _own_capabilities
    yield "asks for all", _ask_for_all_capabilities
    yield "becomes root", lambda: os.setuid(0)
    yield "becomes the supervisor", lambda: os.setuid(HOME.stat().st_uid)
    yield "joins its group", lambda: os.setgroups([HOME.stat().st_gid])
    for name, flag in _NAMESPACES.items():
        yield f"{name} namespace", lambda flag=flag: _in_child(lambda: _call("unshare", flag))


@attack
def reach_out_of_a_user_namespace() -> Iterator[tuple[str, Callable[[], object]]]:
    """Container engines may allow one, in which its maker is root: of nothing outside."""
    for name, pid in supervisors().items():
        environ = Path(f"/proc/{pid}/environ")
        yield f"{name}: environ", lambda path=environ: _as_root_of_a_namespace(path.read_bytes)
        yield f"{name}: signal", lambda pid=pid: _as_root_of_a_namespace(lambda: os.kill(pid, signal.SIGTERM))
        yield (
            f"{name}: trace",
            lambda pid=pid: _as_root_of_a_namespace(lambda: _call("ptrace", _PTRACE_SEIZE, pid, 0, 0)),
        )
    yield "home", lambda: _as_root_of_a_namespace(lambda: list(HOME.iterdir()))
    yield "repository", lambda: _as_root_of_a_namespace(lambda: (REPOSITORY / "config").open("a").close())


@attack
def run_a_setuid_program() -> Iterator[tuple[str, Callable[[], object]]]:
    for program in ("su", "passwd", "newgrp", "mount"):
        yield program, lambda program=program: _effective_user_of(f"/usr/bin/{program}")
    yield "su, in vain", lambda: _must_fail("su", "-c", "id")
    yield "mount, in vain", lambda: _must_fail("mount", "-t", "tmpfs", "none", "/mnt")


@attack
def raise_a_limit() -> Iterator[tuple[str, Callable[[], object]]]:
    for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CORE"):
        yield name, lambda name=name: _raise_limit(getattr(resource, name))
    yield "an OOM score below the supervisor's", lambda: Path("/proc/self/oom_score_adj").write_text("-1")


@attack
def use_an_inherited_descriptor() -> Iterator[tuple[str, Callable[[], object]]]:
    for pid, arguments in processes().items():
        if user_of(pid) == os.getuid() and pid != os.getpid():
            yield f"{arguments[0]} ({pid})", lambda pid=pid: _foreign_descriptors(pid)


@attack
def read_what_the_supervisor_left_in_tmp() -> Iterator[tuple[str, Callable[[], object]]]:
    yield "files", lambda: _only_if("\n".join(_readable_files_of(HOME.stat().st_uid, Path("/tmp"))), "/")  # noqa: S108
    yield "not sticky", lambda: _only_if(oct(Path("/tmp").stat().st_mode)[-4:], "0777")  # noqa: S108


@attack
def misuse_the_gateway_during_a_turn() -> Iterator[tuple[str, Callable[[], object]]]:
    url, key = os.environ["ANTHROPIC_BASE_URL"], {"x-api-key": os.environ["ANTHROPIC_API_KEY"]}
    message = b'{"model": "%s", "max_tokens": %d, "messages": []}'
    yield "another model", lambda: refused(f"{url}/v1/messages", 403, key, message % (b"claude-opus-4-1", 1))
    yield "more tokens", lambda: refused(f"{url}/v1/messages", 400, key, message % (MODEL.encode(), 10**9))
    yield "another key", lambda: refused(f"{url}/v1/messages", 401, {"x-api-key": "placeholder-guessed"})
    yield "no ASCII key", lambda: refused(f"{url}/v1/messages", 401, {"x-api-key": "\xe9"})
    for what, asked in _PAST_THE_SESSION.items():
        call = json.dumps({"model": MODEL, "max_tokens": 1, "messages": [], **asked}).encode()
        yield what, lambda call=call: refused(f"{url}/v1/messages", 403, key, call)
    for path in ("/v1/models", "/v1/messages/batches", "/v1/files", "/v1//messages", "/", "/docs"):
        yield path, lambda path=path: refused(url + path, 404, key)
    large = {**key, "content-length": str(150 * 1024**2)}
    yield "a body of 150 MB", lambda: refused(f"{url}/v1/messages", 413, large)


def _call(function: str, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(getattr(libc, function)(*arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), function)
    return result


def _read_memory(pid: int) -> int:
    buffer = ctypes.create_string_buffer(64)
    local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 64)
    remote = (ctypes.c_void_p * 2)(0x400000, 64)
    return _call("process_vm_readv", pid, local, 1, remote, 1, 0)


def descriptor_of(pid: int, number: int) -> int:
    """Return a descriptor of ours for one that another process has open."""
    return _call("syscall", _PIDFD_GETFD, _call("syscall", _PIDFD_OPEN, pid, 0), number, 0)


def _only_if(text: str, *words: str) -> str:
    """Return `text` if any of the words is in it: reading it is allowed, what it mustn't hold are they."""
    if not any(word in text.lower() for word in words):
        raise RefusedError
    return text


def _own_capabilities() -> str:
    status = Path("/proc/self/status").read_text().splitlines()
    names = ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:")
    held = [line for line in status if line.startswith(names) and int(line.split()[1], 16)]
    if held or "NoNewPrivs:\t1" not in status:
        return f"{held}"
    raise RefusedError


def _ask_for_all_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3
    _call("capset", header, (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6))


def _in_child(attempt: Callable[[], object]) -> None:
    """Make the attempt in a process of its own, whose namespaces nobody else shares."""
    pid = os.fork()
    if pid == 0:
        try:
            attempt()
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if number := os.waitstatus_to_exitcode(status):
        raise OSError(number, "in a child")


def _as_root_of_a_namespace(attempt: Callable[[], object]) -> None:
    uid = os.getuid()

    def become_root() -> None:
        _call("unshare", _USER_NAMESPACE)
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        attempt()

    _in_child(become_root)


def _effective_user_of(program: str) -> list[str]:
    """Return the user ids of a program whose file is root's and setuid, once it runs."""
    if not Path(program).stat().st_mode & 0o4000:
        raise LookupError(f"{program} is not setuid")
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        uids: set[str] = set()
        until = time.monotonic() + 0.5
        while process.poll() is None and time.monotonic() < until:
            status = Path(f"/proc/{process.pid}/status").read_text()
            uids.update(*[line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")])
    finally:
        process.kill()
        process.wait()
    if uids <= {str(os.getuid())}:
        raise RefusedError
    return sorted(uids)


def _must_fail(*command: str) -> str:
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise RefusedError
    return done.stdout


def _raise_limit(number: int) -> None:
    _, hard = resource.getrlimit(number)
    try:
        resource.setrlimit(number, (hard + 1, hard + 1))
    except ValueError as error:  # what Python makes of EPERM
        raise RefusedError from error


def _foreign_descriptors(pid: int) -> list[str]:
    """Return what a process of ours has open that isn't its own: sockets, and the supervisor's files."""
    targets = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            targets.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    foreign = [target for target in targets if target.startswith(str(HOME))]
    if not foreign:
        raise RefusedError
    return foreign


def _readable_files_of(uid: int, folder: Path) -> Iterator[str]:
    for path, folders, names in os.walk(folder):
        for each in (Path(path, name) for name in folders + names):
            if each.lstat().st_uid == uid and os.access(each, os.R_OK) and REPORTS not in each.parents:
                yield str(each)


if __name__ == "__main__":
    REPORTS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or ATTACKS:
        run(name, ATTACKS[name]())
