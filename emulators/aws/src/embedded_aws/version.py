"""The one ministack version the patches are written for."""

from __future__ import annotations

from importlib import metadata

REQUIRED = "1.5.33"


class UnsupportedMinistackError(Exception):
    """The installed ministack is not the one the patches are written for."""


def require_supported_ministack() -> None:
    """Return if the installed ministack is the required one.

    Raises:
        UnsupportedMinistackError: It is another, or none is installed.
    """
    try:
        installed = metadata.version("ministack")
    except metadata.PackageNotFoundError:
        installed = "not installed"
    if installed != REQUIRED:
        raise UnsupportedMinistackError(
            f"ministack {REQUIRED} is required, found: {installed}. The patches replace private members and "
            f"hold for that version only; install it with `uv pip install ministack=={REQUIRED}`."
        )
