"""Which stack a command looks at, and in which AWS."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cloud_agent_cli.errors import NoAccountError

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_STACK = "claude-cloud-agent"  # of samconfig.toml


@dataclass(frozen=True)
class Target:
    """A stack, words for where it is, and what makes clients of the AWS it is in."""

    stack: str
    place: str
    client: Callable[[str], Any]


def on_aws(stack: str, region: str | None) -> Target:
    """Return a stack of the account that the AWS configuration of this machine leads to.

    Raises:
        NoAccountError: there is no region, there are no credentials, or the configuration can't be read.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        # AWS_REGION: the AWS CLI and other SDKs read it, boto3 knows AWS_DEFAULT_REGION alone.
        session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
        credentials = session.get_credentials()
    except BotoCoreError as error:  # such as a profile that doesn't exist
        raise NoAccountError(f"Your AWS configuration can't be used: {error}") from error
    if session.region_name is None:
        raise NoAccountError("No AWS region is set. Say --region or set AWS_REGION.")
    if credentials is None:
        raise NoAccountError("No AWS credentials were found. Sign in with the AWS CLI, or set AWS_PROFILE.")
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    place = f"in {session.region_name}" + (f" at {endpoint}" if endpoint else "")
    client: Any = session.client  # its overloads take a literal name, not a variable
    return Target(stack, place, cast("Callable[[str], Any]", client))
