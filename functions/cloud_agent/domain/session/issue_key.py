"""What names an issue in its branch and commit: a tracker's key in its title, else its number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_PROJECT = re.compile(r"[A-Z][A-Z0-9]{1,9}")
_SETTING = "tracker_keys"
# What the agent admits of a repository's settings: bytes, of which a character is at least one, and what YAML makes of
# them. Without these two, 64 KiB of brackets would take as long as the function has: PyYAML looks at each open one for
# each character.
_SETTINGS_LIMIT = 65_536
_EVENTS_LIMIT = 5_000
_DEPTH_LIMIT = 20
# A project key as trackers define it (capital first, up to ten characters), then a number without leading zero.
_TRACKER_KEY = re.compile(r"(?<![A-Za-z0-9_-])([A-Z][A-Z0-9]{1,9})-([1-9][0-9]{0,9})(?![A-Za-z0-9_-])")


def issue_key(title: str, number: int, projects: Collection[str] = ()) -> str:
    """`AGNTS-124` when the title has a key of one of these projects, else the issue's number in digits.

    No other text is a key, whatever it looks like: `UTF-8`, `PHP-8` and `COVID-19` are names.
    """
    return next((match[0] for match in _TRACKER_KEY.finditer(title) if match[1] in projects), str(number))


def projects_in(settings: str) -> frozenset[str]:
    """Return the projects that a repository's settings name; none where the file can't be read.

    What's wrong with the file is for the agent to say, which reads all of it. Here nothing of it is constructed: no tag
    and no alias makes anything of it but text.
    """
    if _SETTING not in settings or len(settings) > _SETTINGS_LIMIT:
        return frozenset()
    import yaml  # noqa: PLC0415 - few repositories have the setting, and a function that starts cold is waited for

    try:
        depth = 0
        for events, event in enumerate(yaml.parse(settings, yaml.SafeLoader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH_LIMIT or events > _EVENTS_LIMIT:
                return frozenset()
        document = yaml.compose(settings, yaml.SafeLoader)
    except yaml.YAMLError:
        return frozenset()
    members = document.value if isinstance(document, yaml.MappingNode) else []
    listed = [value for key, value in members if key.value == _SETTING and isinstance(value, yaml.SequenceNode)]
    texts = [one.value for one in listed[-1].value if isinstance(one, yaml.ScalarNode)] if listed else []
    return frozenset(text for text in texts if _PROJECT.fullmatch(text))


def branch_name(key: str) -> str:
    """Return the session's branch: `claude/agnts-124` or `claude/42`. Always a valid Git ref."""
    return f"claude/{key.lower()}"


def own_branch_name(key: str, number: int) -> str:
    """Return the branch of an issue whose key another issue's branch has: `claude/agnts-124-42`."""
    return branch_name(f"{key}-{number}")
