"""Where an entry link leads to once it has been changed into a cookie."""

from __future__ import annotations

import re

# Browsers take \ for /, and leave out control characters before they look: any of these could name another host.
_PATH = re.compile(r"/(?![/\\])[^\x00-\x1f\x7f]*")


def return_path(asked_for: str) -> str:
    """Return `asked_for` if it is a path of the same host, else the start page."""
    return asked_for if _PATH.fullmatch(asked_for) else "/"
