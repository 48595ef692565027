"""What another user of this machine gets at."""

from __future__ import annotations

from pathlib import Path


def others_reach(path: Path | str) -> bool:
    """Whether every folder on the way lets others through; a checkout in a folder of root's own doesn't."""
    return all(folder.stat().st_mode & 0o001 for folder in Path(path).resolve().parents)
