"""The variables of `.env` for the processes of a Procfile, as Foreman and `heroku local` give them.

Other programs read the file themselves, if they're made to. Sources: foreman(1), "ENVIRONMENT"; "Heroku Dev Center: Run
your app locally using the Heroku Local command line tool".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.repository.file import has_repository_file, read_repository_text

if TYPE_CHECKING:
    from pathlib import Path

_LINE = re.compile(r"^([A-Za-z_]\w*)=(?:'([^'\n]*)'|\"([^\"\n]*)\"|(.*))[^\S\n]*$", re.MULTILINE)
# Of the session's, not of a developer's machine.
_THE_SESSIONS = frozenset({"HOME", "HOST", "LANG", "PATH", "PORT", "TMPDIR"})


def procfile_environment(work_tree: Path) -> dict[str, str]:
    """Return what `.env` says in a repository with a Procfile; nothing in others."""
    if not any(has_repository_file(work_tree, name) for name in ("Procfile", "Procfile.dev")):
        return {}
    found = {name: "".join(value) for name, *value in _LINE.findall(read_repository_text(work_tree, ".env"))}
    return {name: value.strip() for name, value in found.items() if name not in _THE_SESSIONS}
