"""The HTTP API of a SAM template: routes from its Body, and the events functions get."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from embedded_aws.testing import EmbeddedAws, Json

ECHO = """
    import json
    def handler(event, context):
        return {"statusCode": 200, "body": json.dumps(event), "headers": {"X-Seen": "yes"}}
"""


def sam_template(function_arn: str, *paths: str) -> Json:
    """What SAM makes of an AWS::Serverless::HttpApi with one HttpApi event for each path."""
    uri = (
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
        f"{function_arn}/invocations"
    )
    integration = {
        "httpMethod": "POST",
        "type": "aws_proxy",
        "uri": {"Fn::Sub": uri},
        "payloadFormatVersion": "2.0",
    }
    operation = {"x-amazon-apigateway-integration": integration, "responses": {}}
    declared: Json = {}
    for method, path in (each.split() for each in paths):
        declared.setdefault(path, {})[method] = operation
    body = {"openapi": "3.0.1", "info": {"version": "1.0", "title": {"Ref": "AWS::StackName"}}, "paths": declared}
    return {
        "Resources": {
            "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": body}},
            "Stage": {
                "Type": "AWS::ApiGatewayV2::Stage",
                "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": True},
            },
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
    }


class Api:
    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.function = aws.function(ECHO)
        paths = ("post /webhook", "x-amazon-apigateway-any-method /agent/{proxy+}")
        self.stack = aws.deploy(sam_template(self.function, *paths))
        self.url = f"{aws.url}/_aws/execute-api/{self.stack['Api']}/$default"

    def request(
        self, method: str, path: str, content: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return httpx.request(method, self.url + path, content=content, headers=headers)


@pytest.fixture(scope="module")
def api(aws: EmbeddedAws) -> Api:
    return Api(aws)


def test_a_route_hands_its_function_a_version_2_event(api: Api) -> None:
    answer = api.request("POST", "/webhook?a=1&b=2", content='{"x": "ä"}', headers={"X-Hub-Signature-256": "s"})
    event = answer.json()
    assert (answer.status_code, answer.headers["x-seen"]) == (200, "yes")
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "POST /webhook", "/webhook")
    assert (event["headers"]["x-hub-signature-256"], event["rawQueryString"]) == ("s", "a=1&b=2")
    assert [name.lower() for name in event["headers"]] == list(event["headers"])
    assert tuple(event["requestContext"]["http"][key] for key in ("method", "path")) == ("POST", "/webhook")


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", None])
def test_the_raw_body_reaches_the_function_byte_for_byte(api: Api, content_type: str | None) -> None:
    body = b'{"x": "\xc3\xa4", "y": [1,  2]}\n'
    headers = {"content-type": content_type} if content_type else {}
    event = api.request("POST", "/webhook", content=body, headers=headers).json()
    raw = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    assert body == raw


def test_bytes_that_are_no_text_are_base64(api: Api) -> None:
    body = bytes(range(256))
    event = api.request("POST", "/webhook", content=body, headers={"content-type": "application/octet-stream"}).json()
    assert (True, body) == (event["isBase64Encoded"], base64.b64decode(event["body"]))


@pytest.mark.parametrize(("method", "path"), [("POST", "/agent/ready"), ("GET", "/agent/prompts/a/b")])
def test_a_greedy_path_takes_every_method_and_names_the_rest(api: Api, method: str, path: str) -> None:
    event = api.request(method, f"{path}?after=01J").json()
    assert {"proxy": path.removeprefix("/agent/")} == event["pathParameters"]
    assert (event["routeKey"], event["queryStringParameters"]) == ("ANY /agent/{proxy+}", {"after": "01J"})


def test_what_has_no_route_is_404(api: Api) -> None:
    assert [api.request(*each).status_code for each in [("GET", "/webhook"), ("POST", "/other")]] == [404, 404]


def test_the_hostname_form_works_as_well(api: Api) -> None:
    host = {"Host": f"{api.stack['Api']}.execute-api.127.0.0.1:{api.aws.port}"}
    assert httpx.post(f"{api.aws.url}/webhook", headers=host, content="{}").json()["rawPath"] == "/webhook"


def test_the_path_form_works_without_the_default_stage(api: Api, aws: EmbeddedAws) -> None:
    url = f"{aws.url}/_aws/execute-api/{api.stack['Api']}/agent/ready"
    assert httpx.post(url, content="{}").json()["pathParameters"] == {"proxy": "ready"}


def test_a_function_that_raises_is_a_500(aws: EmbeddedAws) -> None:
    broken = aws.function("def handler(event, context): raise ValueError('secret detail')")
    stack = aws.deploy(sam_template(broken, "get /broken"))
    answer = httpx.get(f"{aws.url}/_aws/execute-api/{stack['Api']}/$default/broken")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_an_update_replaces_the_routes(aws: EmbeddedAws) -> None:
    function = aws.function(ECHO)
    stack = aws.deploy(sam_template(function, "get /old", "get /kept"))
    aws.deploy(sam_template(function, "get /kept", "get /new"), stack["Stack"])
    url = f"{aws.url}/_aws/execute-api/{stack['Api']}/$default"
    assert [httpx.get(f"{url}/{name}").status_code for name in ("old", "kept", "new")] == [404, 200, 200]
    routes = aws.client("apigatewayv2").get_routes(ApiId=stack["Api"])["Items"]
    assert {"GET /kept", "GET /new"} == {route["RouteKey"] for route in routes}
    assert len(aws.client("apigatewayv2").get_integrations(ApiId=stack["Api"])["Items"]) == 2
