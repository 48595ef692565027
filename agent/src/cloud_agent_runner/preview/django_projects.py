"""Django's projects, by the program for commands that `startproject` gives to each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cloud_agent_runner.repository.file import has_repository_file, read_repository_text

if TYPE_CHECKING:
    from pathlib import Path

# What starts Django's commands ("django-admin and manage.py").
_OF_DJANGO = re.compile(r"\bdjango\.core\b|DJANGO_SETTINGS_MODULE|\bexecute_from_command_line\b|\bimport django\b")


def is_djangos(work_tree: Path, manage: str) -> bool:
    """Return whether a `manage.py` is there and Django's: others have one, too. One without content could be."""
    if not has_repository_file(work_tree, manage):
        return False
    text = read_repository_text(work_tree, manage)
    return not text or _OF_DJANGO.search(text) is not None
