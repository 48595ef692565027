"""What ends a command with a message: each text says what happened, where, and what to do."""

from __future__ import annotations


class CommandError(Exception):
    """Base: `main` prints the text and ends with the exit code."""

    exit_code = 1


class ParameterError(CommandError):
    """An option of the command can't be used."""


class AdoptionError(CommandError):
    """Resources of an account can't be brought into a stack."""


class RestorationError(CommandError):
    """Rows of a sessions table can't be restored."""


class CloneNeededError(CommandError):
    """The command runs in a clone of the repository only."""


class NoAccountError(CommandError):
    """No AWS account can be asked: no region, or no credentials."""

    exit_code = 2  # the doctor's for "not everything could be checked"
