"""Who may see a session: what the template offers and generates is what the functions understand."""

from __future__ import annotations

import json
from typing import Any

from cloud_agent.adapters.aws.secrets import UatAccessKeys
from cloud_agent.domain.session.entry_link import UatAccess

Document = dict[str, Any]


def test_access_is_by_link_unless_the_owner_says_otherwise(template: Document) -> None:
    parameter = template["Parameters"]["UatAccess"]
    assert ("link", [mode.value for mode in UatAccess]) == (parameter["Default"], parameter["AllowedValues"])


def test_the_keys_are_generated_in_the_form_that_is_read(resources: Document) -> None:
    generated = resources["UatAccessKeysSecret"]["Properties"]["GenerateSecretString"]
    signing_key = {generated["GenerateStringKey"]: "k" * generated["PasswordLength"]}
    value = json.loads(generated["SecretStringTemplate"]) | signing_key
    assert UatAccessKeys(signing_key="k" * 64, verifying_key="") == UatAccessKeys.model_validate(value)


def test_functions_and_proxy_are_told_of_the_same_access_and_the_same_keys(
    functions: Document, container: Document
) -> None:
    variables = functions["PublisherFunction"]["Environment"]["Variables"]
    proxy = container["ProxyTaskDefinition"]
    assert {"Name": "UAT_ACCESS", "Value": variables["UAT_ACCESS"]} in proxy["Environment"]
    assert {"Name": "UAT_ACCESS_KEYS", "ValueFrom": variables["UAT_ACCESS_KEYS_ARN"]} in proxy["Secrets"]
