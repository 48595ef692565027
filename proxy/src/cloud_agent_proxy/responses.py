from starlette.responses import Response

from cloud_agent_proxy.pages import Page

EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""What a visitor may send; HAProxy refuses TRACE and CONNECT."""


def page_response(page: Page) -> Response:
    """Send a page as it is."""
    return Response(page.body, page.status, page.headers)
