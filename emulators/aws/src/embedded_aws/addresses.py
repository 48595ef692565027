"""Addresses of tasks: on Linux each task has its own in 127.0.0.0/8, as it would have in a VPC."""

from __future__ import annotations

import errno
import ipaddress
import secrets
import socket
import threading

LOOPBACK = "127.0.0.1"
# Clear of 127.0.0.0/16, where machines keep resolvers and names of their own.
_POOL = ipaddress.ip_network("127.64.0.0/10")
# An address is held by a socket bound to this port on it: the kernel then keeps every other embedded AWS on
# the machine off the address, and frees it however this one ends.
_HOLD_PORT = 47_264


class AddressesExhaustedError(Exception):
    """Every address tried is held; something on the machine leaks tasks."""


class TaskAddresses:
    """Gives each task one address and takes it back when the task is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[str, socket.socket | None]] = {}
        self._next = secrets.randbelow(_POOL.num_addresses)

    def of(self, task_arn: str) -> str:
        """Return the task's address, reserved at the first call: 127.0.0.1 where the machine has no other.

        Raises:
            AddressesExhaustedError: 1,000 addresses in a row are held.
        """
        with self._lock:
            if task_arn not in self._held:
                self._held[task_arn] = self._reserve()
            return self._held[task_arn][0]

    def release(self, task_arn: str) -> None:
        """Free the task's address. Call it once no process of the task is left."""
        with self._lock:
            _, holder = self._held.pop(task_arn, (LOOPBACK, None))
        if holder:
            holder.close()

    def _reserve(self) -> tuple[str, socket.socket | None]:
        for _ in range(1_000):
            self._next = (self._next + 1) % _POOL.num_addresses
            address = str(_POOL[self._next])
            holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                holder.bind((address, _HOLD_PORT))
            except OSError as error:
                holder.close()
                if error.errno != errno.EADDRINUSE:
                    return LOOPBACK, None  # macOS: 127.0.0.1 is the only loopback address
                continue
            return address, holder
        raise AddressesExhaustedError(f"1,000 addresses in a row of {_POOL} are in use on port {_HOLD_PORT}")
