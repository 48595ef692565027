"""The faults that end a session."""

from __future__ import annotations


class AgentError(Exception):
    """A fault the supervisor understands.

    Its text is written for the person who opened the issue: what failed, where, and what to do. It never
    holds a token.
    """
