"""Detects how a repository's dev server runs, where the repository's settings don't define it.

Each module here knows one kind of evidence. It looks into one folder, and returns what is to be run there with what
shows it, or None where the folder has nothing of that kind.
"""

from __future__ import annotations

from cloud_agent_runner.preview.detection.detect import DevServerNotConfiguredError, dev_server_plan

__all__ = ["DevServerNotConfiguredError", "dev_server_plan"]
