"""What can go wrong on one machine, each with what to do about it."""

from __future__ import annotations

from cloud_agent_cli.errors import CommandError


class LocalModeError(CommandError):
    """Base: the text says what happened, where, and what to do."""


class PortInUseError(LocalModeError):
    """Another program listens on a port that local mode needs."""


class MissingToolError(LocalModeError):
    """A program that local mode needs is not on this machine."""


class ImageBuildError(LocalModeError):
    """A container image can't be built."""


class PartFailedError(LocalModeError):
    """A part did not start, or died."""


class NotRunningError(LocalModeError):
    """The command needs a running system."""


class InUseError(LocalModeError):
    """Another command is starting or running the system, or it runs with other options."""


class StateDirectoryError(LocalModeError):
    """The state directory, or what was written down there, can't be used."""


class NoLogError(LocalModeError):
    """No log has the name that was given."""


class DemoError(LocalModeError):
    """A part of the demo is not as it should be."""
