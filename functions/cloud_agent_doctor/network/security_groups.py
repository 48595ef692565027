"""Security groups as EC2 describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.network.rules import PeerKind

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.context import CheckContext
    from cloud_agent_doctor.network.rules import Peer

    Document = dict[str, Any]

ACTION = "ec2:DescribeSecurityGroups"


def security_group(context: CheckContext, group_id: str) -> Document | None:
    """Return the group; None if it doesn't exist.

    Raises:
        DataUnavailableError: EC2 refused or didn't respond.
    """
    # One at a time: EC2 describes none of several if one of them is gone.
    response = context.aws.describe(
        "ec2",
        "describe_security_groups",
        missing=["InvalidGroup.NotFound", "InvalidGroupId.Malformed"],
        GroupIds=[group_id],
    )
    return response["SecurityGroups"][0] if response and response["SecurityGroups"] else None


def described(context: CheckContext, peer: Peer) -> str:
    """Return a peer as text, and whether it's a group that was deleted.

    Raises:
        DataUnavailableError: as of `security_group`.
    """
    if peer.kind is not PeerKind.GROUP:
        return str(peer)
    known = {one: name for name, one in context.stack.of_type("AWS::EC2::SecurityGroup").items()}
    if security_group(context, peer.name) is None:
        return f"{peer} (deleted)"
    return f"{peer} ({known[peer.name]})" if peer.name in known else str(peer)
