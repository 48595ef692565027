"""The App's web server looks after the tokens of the App's users.

https://docs.github.com/rest/apps/oauth-applications
"""

from __future__ import annotations

from local_github import oauth
from local_github.errors import NotFoundError
from local_github.rest import Call, Reply, app_client_route


def _delete_token(call: Call) -> Reply:
    if call.path["client_id"] != call.site.credentials.client_id:
        raise NotFoundError
    oauth.revoke(call.site, call.text("access_token"))
    return Reply(None, 204)


ROUTES = [app_client_route("DELETE", "/applications/{client_id}/token", _delete_token)]
