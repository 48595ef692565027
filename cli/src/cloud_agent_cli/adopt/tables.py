"""Tables that may be the sessions table, in CloudFormation's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_agent_cli.adopt.resources import SESSIONS_INDEX, SESSIONS_TABLE, Found

if TYPE_CHECKING:
    from cloud_agent_cli.adopt.search import Search
    from cloud_agent_doctor.engine.aws import Aws

    Document = dict[str, Any]

_MISSING = ("ResourceNotFoundException",)


def tables(aws: Aws, search: Search, tagged: list[str]) -> list[Found]:
    """Return the tables that the stack's tags or name, or a person, point at, and that exist.

    Raises:
        DataUnavailableError: AWS refused or did not respond.
    """
    names = aws.describe_all("dynamodb", "list_tables", "TableNames")
    candidates = {name: "its name" for name in names if search.is_own_name(SESSIONS_TABLE, name)}
    candidates |= {arn.rpartition("/")[2]: "its tags" for arn in tagged} | search.named(SESSIONS_TABLE)
    found = []
    for name, why in candidates.items():
        response = aws.describe("dynamodb", "describe_table", missing=_MISSING, TableName=name)
        if response is not None:
            properties = _properties(response["Table"]) | _recovery(aws, name) | _expiry(aws, name)
            found.append(Found(SESSIONS_TABLE, name, why, properties))
    return found


def _properties(table: Document) -> Document:
    # An index that the template does not have is not the stack's, and left out with its attributes.
    indexes = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in table.get("GlobalSecondaryIndexes", ())
        if index["IndexName"] == SESSIONS_INDEX
    ]
    keys = {key["AttributeName"] for one in (table, *indexes) for key in one["KeySchema"]}
    properties: Document = {
        "KeySchema": table["KeySchema"],
        "AttributeDefinitions": [one for one in table["AttributeDefinitions"] if one["AttributeName"] in keys],
        "BillingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = indexes
    if properties["BillingMode"] == "PROVISIONED":
        units = ("ReadCapacityUnits", "WriteCapacityUnits")
        properties["ProvisionedThroughput"] = {name: table["ProvisionedThroughput"][name] for name in units}
    if table.get("StreamSpecification", {}).get("StreamEnabled"):
        properties["StreamSpecification"] = {"StreamViewType": table["StreamSpecification"]["StreamViewType"]}
    # False: DynamoDB's own key, of which DescribeTable says nothing. Whose key it is otherwise, stays as it is.
    encryption = table.get("SSEDescription", {})
    properties["SSESpecification"] = {"SSEEnabled": encryption.get("Status") == "ENABLED"}
    return properties


def _recovery(aws: Aws, name: str) -> Document:
    response = aws.describe("dynamodb", "describe_continuous_backups", missing=_MISSING, TableName=name) or {}
    backups = response.get("ContinuousBackupsDescription", {})
    status = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    return {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": status == "ENABLED"}}


def _expiry(aws: Aws, name: str) -> Document:
    response = aws.describe("dynamodb", "describe_time_to_live", missing=_MISSING, TableName=name) or {}
    described = response.get("TimeToLiveDescription", {})
    if described.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
        return {}
    return {"TimeToLiveSpecification": {"AttributeName": described["AttributeName"], "Enabled": True}}
