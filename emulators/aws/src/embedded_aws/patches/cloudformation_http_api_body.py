"""Defect: AWS::ApiGatewayV2::Api ignores Body, so an AWS::Serverless::HttpApi has no routes.

SAM declares every HttpApi event as a path of an OpenAPI document in Body. AWS documents that Body defines the
API: each path and method is a route, its `x-amazon-apigateway-integration` the integration, and an update
replaces them.

Source: AWS CloudFormation Template Reference, "AWS::ApiGatewayV2::Api", Body; Amazon API Gateway Developer Guide,
"Working with OpenAPI definitions for HTTP APIs" and "x-amazon-apigateway-any-method object".
Upstream: not reported.
"""
# ruff: noqa: SLF001 - a patch works on private members of the pinned ministack

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

from embedded_aws.seam import wrap_handler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Provisioned = tuple[str, dict[str, str]]

_TYPE = "AWS::ApiGatewayV2::Api"
_INTEGRATION = "x-amazon-apigateway-integration"


def apply() -> None:
    """Make routes and integrations from Body when the API is created and when it is updated."""
    wrap_handler(_TYPE, "create", _create)
    wrap_handler(_TYPE, "update", _update)


def _create(original: Callable[..., Provisioned], *args: Any) -> Provisioned:  # noqa: ANN401 - passed through
    api_id, attributes = original(*args)
    _, props, stack = args
    _import_routes(api_id, props, stack)
    return api_id, attributes


def _update(original: Callable[..., Provisioned], *args: Any) -> Provisioned:  # noqa: ANN401 - passed through
    api_id, attributes = original(*args)
    _, old, new, stack, *_ = args
    if old.get("Body") != new.get("Body"):
        apigateway._routes[api_id] = {}
        apigateway._integrations[api_id] = {}
        _import_routes(api_id, new, stack)
    return api_id, attributes


def _import_routes(api_id: str, props: dict[str, Any], stack: str) -> None:
    for route_key, integration in _operations(props.get("Body") or {}):
        integration_id, _ = provisioners._apigw_v2_integration_create(
            route_key,
            {
                "ApiId": api_id,
                "IntegrationType": integration.get("type", "aws_proxy").upper(),
                "IntegrationUri": integration.get("uri", ""),
                "PayloadFormatVersion": integration.get("payloadFormatVersion", "2.0"),
            },
            stack,
        )
        provisioners._apigw_v2_route_create(
            route_key,
            {"ApiId": api_id, "RouteKey": route_key, "Target": f"integrations/{integration_id}"},
            stack,
        )


def _operations(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in (body.get("paths") or {}).items():
        for method, operation in operations.items():
            if not isinstance(operation, dict) or _INTEGRATION not in operation:
                continue
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            yield ("$default" if path == "/$default" else f"{verb} {path}"), operation[_INTEGRATION]
