"""Does GitHub accept the App, with the permissions, events and installations it needs?

Calls GitHub's API, at the address the stack was given, with the App's own key: does it respond and accept the key;
does the App have the permissions and events of docs/deploy.md; is it installed anywhere; and is no installation
suspended or still on the previous permissions. With a personal token in place of an App, only checks that GitHub
accepts it.

The fix is made in GitHub's settings: on the App (Permissions & events), or by the owner of the account it's installed
on, who has to accept new permissions. A rejected key is replaced by a new one in GitHubSecret.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from cloud_agent.adapters.github.installation_tokens import OWN_PERMISSIONS, WORKFLOW_PERMISSIONS
from cloud_agent.domain.errors import ConfigurationError, GitHubRequestError, GitHubUnavailableError
from cloud_agent_doctor import github
from cloud_agent_doctor.engine.check import Check
from cloud_agent_doctor.engine.errors import DataUnavailableError, NotApplicableError
from cloud_agent_doctor.engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloud_agent_doctor.engine.context import CheckContext

    Document = Mapping[str, Any]

PERMISSIONS = OWN_PERMISSIONS | {"metadata": "read"}
EVENTS = frozenset(
    {"issues", "issue_comment", "pull_request", "pull_request_review", "pull_request_review_comment", "push"},
)
_LEVELS = ("none", "read", "write", "admin")
_NOTHING_STARTS = "No session starts, and running ones can't post to their pull requests."


def run(context: CheckContext) -> Iterator[Finding]:
    """Find that GitHub doesn't respond, rejects the App, or doesn't let it do what it has to."""
    connection = github.connect(context)
    try:
        app = connection.registration() if connection.is_app else _person(connection)
    except GitHubUnavailableError as error:
        yield _unreachable(connection, str(error))
        return
    except (ConfigurationError, GitHubRequestError) as error:
        yield _refused(context, connection, str(error))
        return
    if not connection.is_app:
        raise NotApplicableError("GitHub accepts the personal token: there is no App")
    needed = needed_permissions(context)
    yield from _of_app(connection, app, needed)
    try:
        installations = connection.installations()
    except (GitHubUnavailableError, GitHubRequestError) as error:
        raise DataUnavailableError(str(error)) from error
    yield from _of_installations(connection, app, installations, needed)


def needed_permissions(context: CheckContext) -> Mapping[str, str]:
    """Return the permissions that the deployment needs of its App."""
    allows_workflows = context.stack.parameters.get("AllowWorkflowChanges") == "true"
    return PERMISSIONS | (WORKFLOW_PERMISSIONS if allows_workflows else {})


def lacking(granted: Mapping[str, str], needed: Mapping[str, str] = PERMISSIONS) -> list[str]:
    """Return the permissions that are missing or lower than needed, as `issues: write`."""
    return [
        f"{name}: {level}"
        for name, level in sorted(needed.items())
        if _LEVELS.index(granted.get(name, "none")) < _LEVELS.index(level)
    ]


def _person(connection: github.GitHub) -> Document:
    response = connection.get("/user")
    if response.status != HTTPStatus.OK:
        raise GitHubRequestError(response.summary)
    return response.read(dict[str, Any])


def _unreachable(connection: github.GitHub, reason: str) -> Finding:
    return Finding(
        resource=connection.api_url,
        problem=f"GitHub's API doesn't respond from here: {reason}.",
        impact=_NOTHING_STARTS,
        remediation=f"If {connection.api_url} isn't GitHub's API, deploy with the right GitHubApiUrl; if it is, wait "
        "for GitHub to recover (https://www.githubstatus.com).",
        confirm=f"curl -sS -o /dev/null -w '%{{http_code}}\\n' {connection.api_url}/meta",
    )


def _refused(context: CheckContext, connection: github.GitHub, reason: str) -> Finding:
    secret = context.stack.physical_id("GitHubSecret")
    who = f"the App {connection.credentials.app_id}" if connection.is_app else "the token"
    return Finding(
        resource=secret,
        problem=f"GitHub at {connection.api_url} rejects {who} from GitHubSecret: {reason}",
        impact=_NOTHING_STARTS,
        remediation="Put the App's id and a private key that its settings list into GitHubSecret, or a token that "
        "hasn't expired (docs/deploy.md, step 4).",
        confirm=f"aws secretsmanager describe-secret --secret-id {secret} --query LastChangedDate",
        logical_ids=("GitHubSecret",),
    )


def _of_app(connection: github.GitHub, app: Document, needed: Mapping[str, str]) -> Iterator[Finding]:
    faults = []
    permissions = lacking(app.get("permissions", {}), needed)
    if permissions:
        faults.append(f"it lacks the permissions {', '.join(permissions)}")
    events = sorted(EVENTS - set(app.get("events", [])))
    if events:
        faults.append(f"it isn't subscribed to the events {', '.join(events)}")
    if faults:
        yield Finding(
            resource=app.get("html_url", app["slug"]),
            problem=f"The GitHub App {app['slug']} isn't set up as docs/deploy.md says: {'; '.join(faults)}.",
            impact="What needs them fails or never arrives: labels, comments, closed pull requests.",
            remediation="In the App's settings, Permissions & events: add what's missing; the owner of each account "
            "it's installed on then has to accept the new permissions.",
            confirm=f"gh api apps/{app['slug']}{connection.cli_host} --jq '.permissions, .events'",
        )


def _of_installations(
    connection: github.GitHub, app: Document, installations: list[Any], needed: Mapping[str, str]
) -> Iterator[Finding]:
    if not installations:
        yield Finding(
            resource=app.get("html_url", app["slug"]),
            problem=f"The GitHub App {app['slug']} isn't installed on any account.",
            impact="It gets no events: labels do nothing.",
            remediation="In the App's settings, Install App: install it on the repositories it should serve.",
            confirm=f"gh api apps/{app['slug']}{connection.cli_host} --jq .installations_count",
        )
    of_app = set(lacking(app.get("permissions", {}), needed))
    for installation in installations:
        account = (installation.get("account") or {}).get("login", "?")
        not_accepted = [one for one in lacking(installation.get("permissions", {}), needed) if one not in of_app]
        faults = []
        if installation.get("suspended_at"):
            faults.append(f"has been suspended since {installation['suspended_at']}")
        if not_accepted:
            faults.append(f"still lacks the App's permissions {', '.join(not_accepted)}")
        if faults:
            yield Finding(
                resource=installation.get("html_url", f"installation {installation['id']}"),
                problem=f"The installation {installation['id']} of {app['slug']} on {account} {' and '.join(faults)}.",
                impact=f"In {account}'s repositories no session starts, or none can do its work.",
                remediation=f"An owner of {account} has to unsuspend it, or accept the permissions, under Settings, "
                "GitHub Apps.",
                confirm=f"gh api orgs/{account}/installations{connection.cli_host} --jq "
                f"'.installations[] | select(.id=={installation['id']}) | .suspended_at, .permissions'",
            )


CHECK = Check(
    name="github-app",
    question="Does GitHub accept the App, with the permissions, events and installations it needs?",
    run=run,
    actions=github.ACTIONS,
)
