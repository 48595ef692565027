"""`reaper.py NAME OWNER DIRECTORY COMMAND...`, a small program: run a command, and end all that it leaves behind.

Whatever the command starts, in whatever session and however far removed, stays below this process: an orphan becomes
its child (Linux; elsewhere the command's process group is ended). With an OWNER, `uid:gid:processes`, the command runs
as that user, without a capability, without the supervisor's groups and within limits, of which `processes` is one; this
process remains the supervisor's, so that nothing of the command's can end, trace or outlive it. With `-` it runs as the
supervisor does.

It ends as the command does, once no process is left. SIGTERM ends them earlier: politely, then, after a second, for
certain. SIGQUIT does without politeness.
"""

# ruff: noqa: PTH208, PTH123, SIM105 - importing pathlib or contextlib would take as long as starting Python

from __future__ import annotations

import ctypes
import os
import resource
import select
import sys
import time

TYPE_CHECKING = False  # as importing typing would take its time
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # what `signal` makes enumerations of, which takes a third of a reaper's start

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_CAPABILITY_VERSION = 0x20080522  # the third; linux/capability.h
_GRACE_SECONDS = 1.0
_CANNOT_START = 127
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD)
# Twice what GitHub takes in one push, and half of what is kept free of Fargate's 20 GB.
_FILE_BYTES = 4 * 1024**3
# The lowest: against a thousand programs that never wait, the supervisor still gets to end them. Among each other the
# commands are equal.
_PRIORITY = 19
# The kernel ends these before the supervisor when memory runs out.
_OOM_SCORE = "500"


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status, 128 and the signal's number where one ended it."""
    _name, owner, directory, *command = arguments
    wakeup = _wakeup()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    child = os.fork()
    if child == 0:
        _exec(owner, directory, command)
    _let_go_of_pipes()
    status = _wait(child, wakeup)
    _end_all(child, owner, politely=status is not None)
    _bury()  # the dead count for the user's limit of processes, and whoever inherits them from here is in no hurry
    return 128 + signal.SIGKILL if status is None else status


def _exec(owner: str, directory: str, command: list[str]) -> None:
    """Become the command, in a session of its own."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    try:
        os.setsid()
        if owner != "-":
            os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
            _become(owner)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of users, which takes it back
        os.chdir(directory)  # only now: the owner may keep it to itself
        os.execvpe(command[0], command, os.environ)  # noqa: S606 - the supervisor's own choice of command
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    os._exit(_CANNOT_START)


def _become(owner: str) -> None:
    """Give up what the supervisor has and the command is not to have."""
    uid, gid, processes = (int(part) for part in owner.split(":"))
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
            score.write(_OOM_SCORE)
    except OSError:
        pass
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    # A change between users that are not root's takes no capability away; the next program would inherit these.
    _drop_capabilities()


def _wakeup() -> int:
    """Return a descriptor that can be read from whenever a child ends or this process is told to end."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)
    return read_end


def _let_go_of_pipes() -> None:
    """Leave the command alone with its input and output: their readers are told when it closes them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _wait(child: int, wakeup: int) -> int | None:
    """Wait for the command, and bury orphans; return its status, or None if it hasn't ended when it has to."""
    deadline = None
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        select.select([wakeup], [], [], left)
        received = _received(wakeup)
        if signal.SIGQUIT in received:
            return None
        if deadline is None and not {signal.SIGTERM, signal.SIGINT}.isdisjoint(received):
            deadline = time.monotonic() + _GRACE_SECONDS
            _signal_all(child, signal.SIGTERM)
        status = _bury().get(child)
        if status is not None:
            return status if status >= 0 else 128 - status
        if deadline is not None and time.monotonic() >= deadline:
            return None


def _received(wakeup: int) -> bytes:
    """Return the numbers of the signals that have come."""
    try:
        return os.read(wakeup, 4096)
    except BlockingIOError:
        return b""


def _end_all(child: int, owner: str, *, politely: bool) -> None:
    """Leave no process below this one: first politely, if so asked, then for certain."""
    if politely and _left(child):
        _signal_all(child, signal.SIGTERM)
        polite_until = time.monotonic() + _GRACE_SECONDS
        while _left(child) and time.monotonic() < polite_until:
            time.sleep(0.02)
            _bury()
    while _left(child):
        _kill_all(child, owner)
        time.sleep(0.02)
        _bury()


def _kill_all(child: int, owner: str) -> None:
    """Kill what is left, and have nothing start a process meanwhile.

    One call of the kernel's stops all of the user's, other commands too: no tree grows faster than it is killed, and
    what belongs to others goes on a moment later. As the supervisor's own user, who may be a person, only what is below
    this process is stopped.
    """
    if owner == "-":
        _stop_all()
        _signal_all(child, signal.SIGKILL)
        return
    signal_user(owner, signal.SIGSTOP)
    try:
        _signal_all(child, signal.SIGKILL)
    finally:
        signal_user(owner, signal.SIGCONT)


def _stop_all() -> None:
    """Stop what is below until nothing new appears, for a second: who is stopped keeps its place in the limit."""
    stopped: set[int] = set()
    until = time.monotonic() + _GRACE_SECONDS
    while (running := set(_descendants()) - stopped) and time.monotonic() < until:
        for pid in running:
            _signal(pid, signal.SIGSTOP)
        stopped |= running


def signal_user(owner: str, number: signal.Signals) -> None:
    """Signal all of the user's processes at once, by a process of that user's that does nothing else.

    Where there's no room for one, nothing happens: who ends processes goes on with what it can do.
    """
    try:
        pid = os.fork()
    except OSError:
        return
    if pid == 0:
        try:
            _become(owner)
            os.kill(-1, number)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def _bury() -> dict[int, int]:
    """Take the status of each child that has ended; negative where a signal ended it."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def _signal_all(child: int, number: signal.Signals) -> None:
    for pid in _descendants():
        _signal(pid, number)
    if sys.platform != "linux":
        _signal(-child, number)  # its process group


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _left(child: int) -> bool:
    if sys.platform == "linux":
        return _has_children() and bool(_descendants())
    try:
        os.killpg(child, 0)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return False
    return True


def _has_children() -> bool:
    """Say whether anything may be left, without reading all of /proc: an orphan, however far removed, is a child."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _descendants() -> list[int]:
    """Return the living processes below this one; none where there is no /proc."""
    threads, parents = process_table()
    return [pid for pid in threads if _is_below(os.getpid(), pid, parents)]


def process_table() -> tuple[dict[int, int], dict[int, int]]:
    """Return the threads of each living process, and the parent of each, living or dead; nothing without /proc."""
    threads, parents = {}, {}
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()] if sys.platform == "linux" else []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
                # man 5 proc_pid_stat, from the third field on
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        parents[pid] = int(fields[1])
        # A zombie whose other threads go on is alive.
        if fields[0] not in "ZX" or int(fields[17]) > 1:
            threads[pid] = int(fields[17])
    return threads, parents


def _is_below(ancestor: int, pid: int, parents: dict[int, int]) -> bool:
    while pid := parents.get(pid, 0):
        if pid == ancestor:
            return True
    return False


def _drop_capabilities() -> None:
    """Drop the inheritable ones, too, and by that the ambient ones.

    Raises:
        OSError: the kernel has refused.
    """
    header, none = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
