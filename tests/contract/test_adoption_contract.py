"""What `cloud-agent adopt` says of a resource is what template.yaml says of it, property by property."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kit.stack_template import MODES, evaluated

from cloud_agent_cli.adopt.resources import KINDS

Document = dict[str, Any]

# Left to its default in template.yaml, which a stack with a load balancer of its own spells out.
DEFAULTS = {"ProxyTargetGroup": {"ProtocolVersion": "HTTP1"}}
# What a resource may have and the template has not: the next deployment takes it away.
TAKEN_AWAY = {"SessionsTable": {"ProvisionedThroughput"}}


@pytest.mark.parametrize("logical_id", KINDS)
def test_an_import_states_what_the_template_states(expanded_template: Document, logical_id: str) -> None:
    """A property that one of the two leaves out would be changed by nobody, or taken from the resource."""
    kind, resource = KINDS[logical_id], evaluated(expanded_template, MODES["existing"])["Resources"][logical_id]
    assert kind.type == resource["Type"]
    assert set(kind.stated) == set(resource["Properties"]) | TAKEN_AWAY.get(logical_id, set())
    values = resource["Properties"] | DEFAULTS.get(logical_id, {})
    assert kind.fixed == {name: values[name] for name in kind.fixed}
    # An import's name for it would be one that the template does not give: CloudFormation would then replace it.
    assert kind.identifier not in resource["Properties"]
