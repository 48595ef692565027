"""Why a session has no preview."""

from __future__ import annotations


class PreviewError(Exception):
    """A reason for which there is no preview, in a sentence for people. It ends no session."""
