"""What package managers of Node.js refuse to install, and install all the same when they're told to.

A lock file that lags behind and peers that conflict are no reason to show nothing: the repository's authors have
installed it, by an older program or in this way. None of these commands writes a lock file.
"""

from __future__ import annotations

import re

NPM_CI = r"\bnpm (?:ci|clean-install)\b"
_FROZEN = r"\b({} install\b[^;&|]*) --frozen-lockfile\b"
# What the program says, what there is in the command, and what does instead ("npm config: legacy-peer-deps, save",
# "yarn install: --pure-lockfile", "bun install: --no-save", "pnpm install: --no-lockfile"). pnpm has no option by which
# it reads a lock file that it doesn't write.
_REFUSALS = (
    (
        r"\bERESOLVE\b",
        r"\bnpm (?:ci|clean-install|install|i)\b(?!-)(?! --legacy-peer-deps)",
        r"\g<0> --legacy-peer-deps",
    ),
    (r"can only install packages when", NPM_CI, "npm install --no-save"),
    (r"Your lockfile needs to be updated", _FROZEN.format("yarn"), r"\1 --pure-lockfile"),
    (r"ERR_PNPM_OUTDATED_LOCKFILE", _FROZEN.format("pnpm"), r"\1 --no-lockfile"),
    (r"lockfile had changes, but lockfile is frozen", _FROZEN.format("bun"), r"\1 --no-save"),
)


def installing_all_the_same(command: str, output: str) -> str | None:
    """Return the command that installs what this one refused to, by its output; None where it refused nothing.

    Each of its parts has done so after two such answers at most.
    """
    for said, asked, instead in _REFUSALS:
        if re.search(said, output) and (other := re.sub(asked, instead, command)) != command:
            return other
    return None
