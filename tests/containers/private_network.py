"""A network that ends at its own loopback: what the tests' container engine makes in it, the machine never sees."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_SIOCSIFFLAGS = 0x8914  # linux/sockios.h
_SIOCSIFHWADDR = 0x8924
_SIOCGIFHWADDR = 0x8927
_IFF_UP = 1  # linux/if.h


@contextmanager
def private_network() -> Iterator[None]:
    """Have this thread, and all that it starts, in a network namespace of their own while the context lasts.

    Raises:
        PermissionError: this process may not make one; it takes root.
    """
    with Path("/proc/thread-self/ns/net").open() as before:
        _call("unshare", _CLONE_NEWNET)
        try:
            _bring_up_loopback()
            yield
        finally:
            _call("setns", before.fileno(), _CLONE_NEWNET)


def pin_bridges() -> None:
    """Have podman's bridges in this thread's network keep the hardware address that they have.

    netavark before 1.9 leaves it to the kernel, which changes it as containers come and go. For about ten seconds then,
    all that a container sends to this machine is lost: "bridge: force static mac on bridge interface",
    containers/netavark pull request 833.
    """
    with socket.socket() as any_socket:
        for _, name in socket.if_nameindex():
            if name.startswith("podman"):
                device = struct.pack("16s24x", name.encode())
                fcntl.ioctl(any_socket, _SIOCSIFHWADDR, fcntl.ioctl(any_socket, _SIOCGIFHWADDR, device))


def _call(function: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments):
        number = ctypes.get_errno()
        raise PermissionError(number, f"{function}: {os.strerror(number)}")


def _bring_up_loopback() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
