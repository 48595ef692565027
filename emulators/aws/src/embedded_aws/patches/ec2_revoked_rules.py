"""Defect: revoking a rule that names a group or a prefix list needs the rule's description too.

AWS documents that a description is not needed to revoke a rule. ministack leaves it out of address ranges only.

Source: SDK model "ec2": RevokeSecurityGroupIngress ("you do not need to specify the description to revoke the rule").
Upstream: not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import ec2

from embedded_aws.seam import wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = dict[str, Any]


def apply() -> None:
    """Compare rules without what describes them."""
    wrap(ec2, "_strip_descriptions", _strip)


def _strip(original: Callable[[Rule], Rule], rule: Rule) -> Rule:
    def plain(entry: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in entry.items() if name != "Description"}

    peers = {kind: [plain(entry) for entry in rule.get(kind, [])] for kind in ("UserIdGroupPairs", "PrefixListIds")}
    return original(rule) | peers
