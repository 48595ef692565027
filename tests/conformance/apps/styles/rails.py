"""How Rails in development judges a request: the hosts it answers to, and where a form may come from.

After ActionDispatch::HostAuthorization, ActionDispatch::Http::URL, Rack::Request#scheme and
ActionController::RequestForgeryProtection#valid_request_origin? of Rails 8; its authenticity tokens are left out.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pages import serve

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

DEVELOPMENT_HOST = re.compile(
    r"(([a-z0-9-]+\.)?(localhost|test)|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\])(:\d+)?", re.IGNORECASE
)


# What an app that is visited by a public name is told of it, as Rails' own guide has it.
ALLOWED_HOST = os.environ["RAILS_DEVELOPMENT_HOSTS"]


def last(value: str) -> str:
    return value.rpartition(",")[2].strip()


def base_url(environ: WSGIEnvironment) -> str:
    scheme = last(environ.get("HTTP_X_FORWARDED_PROTO", "")) or environ["wsgi.url_scheme"]
    host = last(environ.get("HTTP_X_FORWARDED_HOST", "")) or environ["HTTP_HOST"]
    standard_port = {"http": ":80", "https": ":443"}[scheme]
    return f"{scheme}://{host.removesuffix(standard_port)}"


def refusal(environ: WSGIEnvironment) -> str:
    for host in (environ["HTTP_HOST"], last(environ.get("HTTP_X_FORWARDED_HOST", ""))):
        allowed = host.partition(":")[0].endswith(ALLOWED_HOST) or DEVELOPMENT_HOST.fullmatch(host)
        if host and not allowed:
            return f"Blocked host: {host}"
    origin, own = environ.get("HTTP_ORIGIN"), base_url(environ)
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") and origin not in (None, own):
        return f"HTTP Origin header ({origin}) didn't match request.base_url ({own})"
    return ""


if __name__ == "__main__":
    serve(base_url, refusal)
