"""On which address the proxy may listen."""

from __future__ import annotations

import json
import urllib.request
from ipaddress import IPv4Address

EVERYWHERE = IPv4Address("0.0.0.0")  # noqa: S104 - a task of its own; its security group decides who gets there
_TIMEOUT_SECONDS = 5


class MetadataUnavailableError(Exception):
    """The ECS metadata endpoint of this task did not say which address the task has."""


def listen_address(metadata_uri: str | None) -> IPv4Address:
    """Return the task's own address where many tasks share one machine's loopback, else every address.

    Raises:
        MetadataUnavailableError: `metadata_uri` is given and does not answer with an address.
    """
    if metadata_uri is None:
        return EVERYWHERE
    try:
        with urllib.request.urlopen(metadata_uri, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - the platform's own http address
            own = IPv4Address(json.load(response)["Networks"][0]["IPv4Addresses"][0])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise MetadataUnavailableError(
            f"ECS_CONTAINER_METADATA_URI_V4={metadata_uri} gave no Networks[0].IPv4Addresses[0]: {error}"
        ) from error
    return own if own.is_loopback else EVERYWHERE
