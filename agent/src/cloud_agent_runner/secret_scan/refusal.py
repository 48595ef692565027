"""What Claude and the person are told when commits hold a secret: its kind and its place, never its value."""

from __future__ import annotations

import secrets
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cloud_agent_runner.git.publish_errors import PublishRefusedError
from cloud_agent_runner.repository.config import CONFIG_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_agent_runner.secret_scan.found_secret import FoundSecret

_SHOWN = 20
_SHORT_SHA = 7


def not_allowed(found: Sequence[FoundSecret], allowed: Sequence[str]) -> list[FoundSecret]:
    """Return the secrets in files whose path no pattern matches. `*` and `?` match a slash, too."""
    return [secret for secret in found if not any(fnmatchcase(secret.path or "", pattern) for pattern in allowed)]


def secrets_refused(found: Sequence[FoundSecret], branch: str, base: str) -> PublishRefusedError:
    """Return the refusal to push commits after `base` that hold secrets."""
    places = "\n".join(f"- {_place(secret)}" for secret in found[:_SHOWN])
    if len(found) > _SHOWN:
        places += f"\n- and {len(found) - _SHOWN} more"
    return PublishRefusedError(_for_people(places, branch), _for_claude(places, base))


def _for_people(places: str, branch: str) -> str:
    return f"""\
Nothing was pushed to {branch}, because the commits contain what looks like a secret:

{places}

- If it's real, comment and ask Claude to take it out of the commits, and rotate it.
- If it's a sample or a test key, add its path to `secret_scan_ignore` in `{CONFIG_PATH}` on the default branch, \
then comment to try again.

The commits are kept, and each turn tries again."""


def _for_claude(places: str, base: str) -> str:
    mark = f"refused_push-{secrets.token_hex(8)}"
    return f"""\
This turn's commits were not pushed, because they contain what looks like a secret. The marked lines say what it is, \
and the file, line and commit that first has it.

<{mark}>
{places}
</{mark}>

Take it out of every commit that has it. A further commit isn't enough, because the earlier one would still be \
pushed: amend or rebase the commits after {base[:_SHORT_SHA]}, which nobody has seen yet, and leave the ones up to \
there alone. Have the code read the value from the environment, and keep files such as .env out of Git with \
.gitignore. Don't encode, split or rename anything to get past this check. If it's a sample or a test key that has \
to stay, leave it: only a person can allow it.

End with one or two sentences for the pull request that say what you did, without the value.
"""


def _place(secret: FoundSecret) -> str:
    where = f"`{_printable(secret.path)}` line {secret.line}" if secret.path else "the message"
    return f"{where}, commit {secret.commit[:_SHORT_SHA]}: {secret.kind}"


def _printable(path: str) -> str:
    return "".join(letter if letter.isprintable() and letter != "`" else "?" for letter in path)
