"""The dev server: runs the lunch board, and again after every change.

It holds the listening socket itself and hands it to each new copy of the application. A request
that arrives during a restart waits in the socket's queue: nobody ever meets a closed door.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WATCHED = ("lunchboard/**/*.py", "templates/*.html", "static/*", "content/*.json")
POLL_SECONDS = 0.2


def snapshot() -> dict[Path, int]:
    """Return every watched file with the time of its last change."""
    seen = {}
    for pattern in WATCHED:
        for path in ROOT.glob(pattern):
            try:
                seen[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # an editor is just replacing it
                continue
    return seen


class Application:
    """One running copy of the lunch board, or of the page that shows why it does not run."""

    def __init__(self, server: socket.socket, *, broken: str = "") -> None:
        self._complaints = tempfile.TemporaryFile(mode="w+")
        module = "lunchboard.error_page" if broken else "lunchboard"
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(server.fileno())],
            cwd=ROOT,
            pass_fds=[server.fileno()],
            stdin=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        if self._process.stdin:
            self._process.stdin.write(broken)
            self._process.stdin.close()

    def fault(self) -> str | None:
        """Return why it ended, or None while it runs."""
        if self._process.poll() is None:
            return None
        self._complaints.seek(0)
        return self._complaints.read() or f"It ended with status {self._process.returncode}."

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaints.close()


def serve(server: socket.socket) -> None:
    """Restart the application whenever a watched file changes, until interrupted."""
    before, application = snapshot(), Application(server)
    try:
        while True:
            time.sleep(POLL_SECONDS)
            now = snapshot()
            fault = application.fault()
            if now != before:
                print("changed:", *changed(before, now), flush=True)
                application.stop()
                before, application = now, Application(server)
            elif fault is not None:
                print(fault, flush=True)
                application.stop()
                application = Application(server, broken=fault)
    finally:
        application.stop()


def changed(before: dict[Path, int], now: dict[Path, int]) -> list[str]:
    paths = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def main() -> None:
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "3000"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.create_server((host, port), backlog=128) as server:
        print(f"Lunch board at http://{host}:{server.getsockname()[1]}", flush=True)
        try:
            serve(server)
        except KeyboardInterrupt:
            print("Stopped.")


if __name__ == "__main__":
    main()
