"""What the site's administrator can see, do and let go wrong: requests made, faults, installations, attachments."""

from __future__ import annotations

import base64
import binascii

from pydantic import ValidationError

from local_github import installations
from local_github.attachments import attach
from local_github.documents import accounts
from local_github.errors import InvalidError
from local_github.faults import FAULT
from local_github.rest import Call, Reply, site_admin_route


def _list_requests(call: Call) -> Reply:
    """List the API requests that have ended after the one whose id is `since`."""
    since = call.query.get("since", "0")
    if not (since.isascii() and since.isdigit()):
        raise InvalidError("Invalid request.\n\n'since' is the id of a request, a number.")
    return Reply({"requests": call.site.request_log.since(int(since))})


def _list_faults(call: Call) -> Reply:
    return Reply({"faults": call.site.faults.documents()})


def _plan_fault(call: Call) -> Reply:
    try:
        fault = FAULT.validate_python(call.body)
    except ValidationError as error:
        causes = "; ".join(f"{'.'.join(map(str, cause['loc'])) or 'body'}: {cause['msg']}" for cause in error.errors())
        raise InvalidError(f"Invalid request.\n\n{causes}") from error
    return Reply(call.site.faults.add(fault), 201)


def _clear_faults(call: Call) -> Reply:
    call.site.faults.clear()
    return Reply(None, 204)


def _install(call: Call) -> Reply:
    """Install the App on an account once more, as its owner would on GitHub's pages."""
    row = installations.install(call.site, call.text("account"))
    return Reply(accounts.installation(call.site, row), 201)


def _attach(call: Call) -> Reply:
    """Attach a file, as a person does by dropping it on a text; `content` is in base64."""
    try:
        content = base64.b64decode(call.text("content"), validate=True)
    except binascii.Error as error:
        raise InvalidError("Invalid request.\n\nFor 'properties/content', it is not base64.") from error
    return Reply({"url": attach(call.site, call.text("name"), content)}, 201)


ROUTES = [
    site_admin_route("POST", "/admin/attachments", _attach),
    site_admin_route("POST", "/admin/installations", _install),
    site_admin_route("GET", "/admin/requests", _list_requests),
    site_admin_route("GET", "/admin/faults", _list_faults),
    site_admin_route("POST", "/admin/faults", _plan_fault),
    site_admin_route("DELETE", "/admin/faults", _clear_faults),
]
