"""Security groups as EC2 describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_doctor.network.passage import PeerKind

if TYPE_CHECKING:
    from cloud_agent_doctor.engine.examination import Examination
    from cloud_agent_doctor.network.passage import Peer

    Document = dict[str, Any]

ACTION = "ec2:DescribeSecurityGroups"


def security_group(examination: Examination, group_id: str) -> Document | None:
    """Return the group; None when it does not exist.

    Raises:
        CannotLookError: EC2 refused or did not answer.
    """
    # One at a time: of several EC2 answers for none when one of them is gone.
    answer = examination.aws.ask(
        "ec2",
        "describe_security_groups",
        missing=["InvalidGroup.NotFound", "InvalidGroupId.Malformed"],
        GroupIds=[group_id],
    )
    return answer["SecurityGroups"][0] if answer and answer["SecurityGroups"] else None


def described(examination: Examination, peer: Peer) -> str:
    """Return a peer in words, and whether it is a group that was deleted.

    Raises:
        CannotLookError: as of `security_group`.
    """
    if peer.kind is not PeerKind.GROUP:
        return str(peer)
    known = {one: name for name, one in examination.stack.of_type("AWS::EC2::SecurityGroup").items()}
    if security_group(examination, peer.name) is None:
        return f"{peer} (deleted)"
    return f"{peer} ({known[peer.name]})" if peer.name in known else str(peer)
