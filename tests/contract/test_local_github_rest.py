"""Every answer of the local GitHub is one that models made from GitHub's own OpenAPI description accept."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from types import GenericAlias
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pydantic
import pytest
from githubkit_schemas.latest import models
from tests.kit.asgi_server import serve_asgi
from tests.kit.github_webhooks import require_webhook

from embedded_aws.testing import eventually
from local_github.api import (
    accounts,
    apps,
    deployments,
    git_data,
    issues,
    pulls,
    repositories,
    rulesets,
    stage,
    user_tokens,
)
from local_github.app import build_app
from local_github.bare_repository import Identity
from local_github.documents import accounts as accounts_documents
from local_github.oauth import authorize_app, exchange, read_request
from local_github.rest import PREFIX
from local_github.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

PARTS = (accounts, apps, deployments, git_data, issues, pulls, repositories, rulesets, stage, user_tokens)


@dataclass(frozen=True)
class Example:
    """A request to a route, who makes it, and the status and model of its answer (None: no body)."""

    route: str
    url: str
    model: Any
    status: int = 200
    body: Any = None
    who: str = "app token"


def _list_of(model: Any) -> GenericAlias:  # noqa: ANN401 - as mypy doesn't look into githubkit, whose models are thousands
    return GenericAlias(list, model)


def _examples(world: dict[str, Any]) -> Iterator[Example]:  # noqa: PLR0915 - one line for each endpoint
    """Yield the requests in an order in which they can be made."""
    repo, main, ahead = "/repos/acme/app", world["main"], world["ahead"]
    m = models

    def of(
        route: str,
        model: Any,  # noqa: ANN401 - a model or a list of models
        status: int = 200,
        body: object = None,
        *,
        who: str = "app token",
        **path: Any,  # noqa: ANN401 - what stands in an address
    ) -> Example:
        method, template = route.split(" ", 1)
        url = template
        for name, value in {"number": 1, **path}.items():
            for spelling in (f"{{{name}}}", f"{{{name}:path}}", f"{{{name}:int}}"):
                url = url.replace(spelling, str(value))
        url = url.replace("/repos/{owner}/{repo}", repo)
        return Example(f"{method} {PREFIX}{template}", url, model, status, body, who)

    r = "/repos/{owner}/{repo}"
    yield of("GET /meta", None)
    yield of("GET /user", m.PrivateUser, who="person")
    yield of("GET /user", m.PrivateUser, who="user token")
    yield of("GET /users/{login}", m.SimpleUser, login="octo-dev")
    yield of("POST /admin/users", m.SimpleUser, 201, {"login": "zoe"}, who="person")
    yield of("POST /admin/users/{login}/authorizations", None, 201, {"scopes": ["repo"]}, who="person", login="zoe")
    yield of(f"PUT {r}/collaborators/{{login}}", None, 204, {"permission": "push"}, who="person", login="zoe")
    yield of(f"GET {r}/collaborators", _list_of(m.Collaborator))
    yield of(f"GET {r}/collaborators/{{login}}/permission", m.RepositoryCollaboratorPermission, login="zoe")
    yield of(f"DELETE {r}/collaborators/{{login}}", None, 204, who="person", login="zoe")

    yield of("GET /app", m.Integration, who="app")
    yield of("GET /app/installations", _list_of(m.Installation), who="app")
    one: dict[str, Any] = {"who": "app", "installation_id": world["installation_id"]}
    yield of("GET /app/installations/{installation_id:int}", m.Installation, **one)
    limits = {"repositories": ["app"], "permissions": {"contents": "write"}}
    yield of("POST /app/installations/{installation_id:int}/access_tokens", m.InstallationToken, 201, limits, **one)
    yield of("GET /orgs/{account}/installation", m.Installation, who="app", account="acme")
    yield of("GET /users/{account}/installation", m.Installation, who="app", account="octo-dev")
    yield of(f"GET {r}/installation", m.Installation, who="app")
    yield of("GET /installation/repositories", m.InstallationRepositoriesGetResponse200)
    yield of("PATCH /app/hook/config", m.WebhookConfig, 200, {"url": "http://127.0.0.1:9/"}, who="app")
    yield of("GET /app/hook/config", m.WebhookConfig, who="app")

    yield of("POST /user/repos", m.FullRepository, 201, {"name": "own", "auto_init": True}, who="person")
    yield of("POST /orgs/{org}/repos", m.FullRepository, 201, {"name": "more"}, who="person", org="acme")
    yield of("GET /user/repos", _list_of(m.Repository), who="person")
    yield of(f"GET {r}", m.FullRepository)
    yield of(f"GET {r}", m.FullRepository, who="user token")
    used_up = {"access_token": world["user_token"]}
    client: dict[str, Any] = {"who": "app client", "client_id": world["client_id"]}
    yield of("DELETE /applications/{client_id}/token", None, 204, used_up, **client)
    yield of(f"PATCH {r}", m.FullRepository, 200, {"default_branch": "main", "description": "d"}, who="person")
    yield of(f"GET {r}/branches", _list_of(m.ShortBranch))
    yield of(f"GET {r}/branches/{{branch:path}}", m.BranchWithProtection, branch="main")
    yield of(f"GET {r}/contents", _list_of(m.ContentDirectoryItems))
    yield of(f"GET {r}/contents/{{path:path}}", m.ContentFile, path="README.md")
    yield of(f"GET {r}/compare/{{basehead:path}}", m.CommitComparison, basehead=f"main...{ahead}")
    yield of(f"GET {r}/commits", _list_of(m.Commit))
    yield of(f"GET {r}/commits/{{ref:path}}", m.Commit, ref="main")

    yield of(f"GET {r}/git/ref/{{ref:path}}", m.GitRef, ref="heads/main")
    yield of(f"GET {r}/git/matching-refs/{{prefix:path}}", _list_of(m.GitRef), prefix="heads/")
    yield of(f"POST {r}/git/refs", m.GitRef, 201, {"ref": "refs/heads/new", "sha": main})
    yield of(f"PATCH {r}/git/refs/{{ref:path}}", m.GitRef, 200, {"sha": ahead}, ref="heads/new")
    yield of(f"DELETE {r}/git/refs/{{ref:path}}", None, 204, ref="heads/new")
    yield of(f"POST {r}/git/commits", m.GitCommit, 201, {"message": "m", "tree": world["tree"], "parents": [main]})
    yield of(f"GET {r}/git/commits/{{sha}}", m.GitCommit, sha=main)
    yield of(f"GET {r}/git/trees/{{tree:path}}", m.GitTree, tree="main")
    yield of(f"GET {r}/git/blobs/{{sha}}", m.Blob, sha=world["blob"])

    yield of(f"POST {r}/labels", m.Label, 201, {"name": "bug", "color": "ff0000", "description": "d"})
    yield of(f"GET {r}/labels", _list_of(m.Label))
    yield of(f"GET {r}/labels/{{name:path}}", m.Label, name="bug")
    yield of(f"POST {r}/issues", m.Issue, 201, {"title": "t", "body": "b", "labels": ["bug"]})
    yield of(f"GET {r}/issues", _list_of(m.Issue))
    yield of(f"GET {r}/issues/{{number:int}}", m.Issue)
    yield of(f"PATCH {r}/issues/{{number:int}}", m.Issue, 200, {"state": "closed"})
    yield of(f"POST {r}/issues/{{number:int}}/labels", _list_of(m.Label), 200, {"labels": ["x"]})
    yield of(f"PUT {r}/issues/{{number:int}}/labels", _list_of(m.Label), 200, {"labels": ["x", "y"]})
    yield of(f"GET {r}/issues/{{number:int}}/labels", _list_of(m.Label))
    yield of(f"DELETE {r}/issues/{{number:int}}/labels/{{name:path}}", _list_of(m.Label), name="x")
    yield of(f"DELETE {r}/issues/{{number:int}}/labels", None, 204)
    yield of(f"DELETE {r}/labels/{{name:path}}", None, 204, name="y")
    yield of(f"POST {r}/issues/{{number:int}}/comments", m.IssueComment, 201, {"body": "one"})
    yield of(f"POST {r}/issues/{{number:int}}/comments", m.IssueComment, 201, {"body": "two"})
    yield of(f"GET {r}/issues/{{number:int}}/comments", _list_of(m.IssueComment))
    yield of(f"GET {r}/issues/comments", _list_of(m.IssueComment))
    yield of(f"GET {r}/issues/comments/{{comment_id:int}}", m.IssueComment, comment_id=1)
    yield of(f"PATCH {r}/issues/comments/{{comment_id:int}}", m.IssueComment, 200, {"body": "b"}, comment_id=1)
    yield of(f"DELETE {r}/issues/comments/{{comment_id:int}}", None, 204, comment_id=2)

    pull = {"title": "t", "body": "b", "head": "claude/1", "base": "main"}
    line = {"body": "b", "path": "new.txt", "line": 1, "commit_id": ahead}
    yield of(f"POST {r}/pulls", m.PullRequest, 201, pull)
    yield of(f"GET {r}/pulls", _list_of(m.PullRequestSimple))
    yield of(f"GET {r}/pulls/{{number:int}}", m.PullRequest, number=2)
    yield of(f"PATCH {r}/pulls/{{number:int}}", m.PullRequest, 200, {"title": "new"}, number=2)
    yield of(f"GET {r}/pulls/{{number:int}}/commits", _list_of(m.Commit), number=2)
    yield of(f"GET {r}/pulls/{{number:int}}/files", _list_of(m.DiffEntry), number=2)
    approval = {"event": "APPROVE", "body": "good", "comments": [line]}
    yield of(f"POST {r}/pulls/{{number:int}}/reviews", m.PullRequestReview, 200, approval, who="person", number=2)
    yield of(f"GET {r}/pulls/{{number:int}}/reviews", _list_of(m.PullRequestReview), number=2)
    review = f"{r}/pulls/{{number:int}}/reviews/{{review_id:int}}"
    yield of(f"GET {review}", m.PullRequestReview, number=2, review_id=1)
    yield of(f"GET {review}/comments", _list_of(m.ReviewComment), number=2, review_id=1)
    changed = {"body": "better"}
    yield of(f"PUT {review}", m.PullRequestReview, 200, changed, who="person", number=2, review_id=1)
    yield of(f"POST {r}/pulls/{{number:int}}/comments", m.PullRequestReviewComment, 201, line, number=2)
    yield of(f"GET {r}/pulls/{{number:int}}/comments", _list_of(m.PullRequestReviewComment), number=2)
    yield of(f"GET {r}/pulls/comments/{{comment_id:int}}", m.PullRequestReviewComment, comment_id=1)
    replies = f"POST {r}/pulls/{{number:int}}/comments/{{comment_id:int}}/replies"
    yield of(replies, m.PullRequestReviewComment, 201, {"body": "done"}, number=2, comment_id=1)
    subjects: dict[str, dict[str, Any]] = {
        "issues/{number:int}": {},
        "issues/comments/{comment_id:int}": {"comment_id": 1},
        "pulls/comments/{review_comment_id:int}": {"review_comment_id": 1},
    }
    for given, (subject, path) in enumerate(subjects.items(), 1):
        yield of(f"POST {r}/{subject}/reactions", m.Reaction, 201, {"content": "+1"}, **path)
        yield of(f"GET {r}/{subject}/reactions", _list_of(m.Reaction), **path)
        yield of(f"DELETE {r}/{subject}/reactions/{{reaction_id:int}}", None, 204, reaction_id=given, **path)

    comment = f"{r}/pulls/comments/{{comment_id:int}}"
    yield of(f"PATCH {comment}", m.PullRequestReviewComment, 200, changed, comment_id=1)
    yield of(f"DELETE {comment}", None, 204, comment_id=1)

    deployment = {"ref": "claude/1", "environment": "pr-2", "description": "d", "payload": {"a": 1}}
    status = {"state": "success", "environment_url": "http://x", "log_url": "http://y", "description": "d"}
    yield of(f"POST {r}/deployments", m.Deployment, 201, deployment)
    yield of(f"GET {r}/deployments", _list_of(m.Deployment))
    yield of(f"GET {r}/deployments/{{deployment_id:int}}", m.Deployment, deployment_id=1)
    yield of(f"POST {r}/deployments/{{deployment_id:int}}/statuses", m.DeploymentStatus, 201, status, deployment_id=1)
    yield of(f"GET {r}/deployments/{{deployment_id:int}}/statuses", _list_of(m.DeploymentStatus), deployment_id=1)
    yield of(f"POST {r}/statuses/{{sha}}", m.Status, 201, {"state": "success", "context": "c"}, sha=main)
    yield of(f"GET {r}/commits/{{ref:path}}/statuses", _list_of(m.Status), ref="main")
    yield of(f"GET {r}/statuses/{{ref:path}}", _list_of(m.Status), ref=main)
    check = {"name": "c", "head_sha": main, "conclusion": "success", "output": {"title": "t", "summary": "s"}}
    yield of(f"POST {r}/check-runs", m.CheckRun, 201, check)
    yield of(f"GET {r}/commits/{{ref:path}}/check-runs", m.ReposOwnerRepoCommitsRefCheckRunsGetResponse200, ref="main")

    yield of(f"PATCH {r}/git/refs/{{ref:path}}", m.GitRef, 200, {"sha": world["newer"]}, ref="heads/main")
    updated = m.ReposOwnerRepoPullsPullNumberUpdateBranchPutResponse202
    yield of(f"PUT {r}/pulls/{{number:int}}/update-branch", updated, 202, {}, number=2)
    yield of(f"PUT {r}/pulls/{{number:int}}/merge", m.PullRequestMergeResult, 200, {}, number=2)
    yield of(f"GET {r}/pulls/{{number:int}}/merge", None, 204, number=2)
    yield of("GET /app/hook/deliveries", _list_of(m.HookDeliveryItem), who="app")
    yield of("GET /app/hook/deliveries/{delivery_id:int}", m.HookDelivery, who="app", delivery_id=1)
    yield of("POST /app/hook/deliveries/{delivery_id:int}/attempts", None, 202, who="app", delivery_id=1)

    rules = {
        "name": "no agents",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/heads/claude/**"], "exclude": []}},
        "rules": [
            {"type": "creation"},
            {"type": "update"},
            {"type": "commit_message_pattern", "parameters": {"operator": "regex", "pattern": "^[A-Z]"}},
        ],
        "bypass_actors": [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}],
    }
    yield of(f"POST {r}/rulesets", m.RepositoryRuleset, 201, rules, who="person")
    yield of(f"GET {r}/rulesets", _list_of(m.RepositoryRuleset))
    rule = m.RepositoryRuleDetailedOneof0 | m.RepositoryRuleDetailedOneof1 | m.RepositoryRuleDetailedOneof10
    yield of(f"GET {r}/rules/branches/{{branch:path}}", _list_of(rule), branch="claude/1")
    yield of(f"GET {r}/rulesets/{{ruleset_id:int}}", m.RepositoryRuleset, ruleset_id=1)
    yield of(f"DELETE {r}/rulesets/{{ruleset_id:int}}", None, 204, who="person", ruleset_id=1)
    yield of(f"POST {r}/transfer", m.MinimalRepository, 202, {"new_owner": "acme"}, who="person")
    yield of(f"DELETE {r}", None, 204, who="person")

    yield of("DELETE /installation/token", None, 204)
    yield of("PUT /app/installations/{installation_id:int}/suspended", None, 204, **one)
    yield of("DELETE /app/installations/{installation_id:int}/suspended", None, 204, **one)
    yield of("DELETE /app/installations/{installation_id:int}", None, 204, **one)
    yield of("POST /admin/installations", m.Installation, 201, {"account": "acme"}, who="person")
    yield of("POST /admin/faults", None, 201, {"kind": "drop", "path": "/nowhere"}, who="person")
    yield of("GET /admin/faults", None, who="person")
    yield of("DELETE /admin/faults", None, 204, who="person")
    yield of("GET /admin/requests", None, who="person")
    yield of("POST /admin/attachments", None, 201, {"name": "a.png", "content": "AAAA"}, who="person")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The real application behind a real socket."""
    sites: list[Site] = []

    def build(port: int) -> Starlette:
        data_dir = tmp_path_factory.mktemp("github")
        sites.append(Site(data_dir, f"http://localhost:{port}", "acme", ("http://x/callback",)))
        return build_app(sites[0])

    with serve_asgi(build):
        yield sites[0]


@pytest.fixture(scope="module")
def clients(site: Site) -> Iterator[dict[str, httpx.Client]]:
    """REST as the person, as the App, and as the App's installation."""
    moment = int(time.time())
    claims = {"iat": moment, "exp": moment + 300, "iss": site.credentials.client_id}
    tokens = {"person": site.credentials.token, "app": jwt.encode(claims, site.credentials.private_key_pem, "RS256")}
    made = {
        name: httpx.Client(base_url=site.api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        for name, token in tokens.items()
    }
    path = f"/app/installations/{site.credentials.installation_id}/access_tokens"
    token = made["app"].post(path).json()["token"]
    by_client = (site.credentials.client_id, site.credentials.client_secret)
    made["app client"] = httpx.Client(base_url=site.api_url, auth=by_client, timeout=30)
    with site.storage.transaction():
        asked = read_request(site, {"client_id": by_client[0]})
        code = parse_qs(urlsplit(authorize_app(site, asked, "octo-dev")).query)["code"][0]
        user_token = exchange(site, {"client_id": by_client[0], "client_secret": by_client[1], "code": code})
    headers = {"Authorization": f"Bearer {user_token}"}
    made["user token"] = httpx.Client(base_url=site.api_url, headers=headers, timeout=30)
    made["app token"] = httpx.Client(base_url=site.api_url, headers={"Authorization": f"token {token}"}, timeout=30)
    yield made
    for client in made.values():
        client.close()


@pytest.fixture(scope="module")
def world(site: Site, clients: dict[str, httpx.Client]) -> dict[str, Any]:
    """A repository with a branch that adds a file, and the names of its objects."""
    clients["person"].post("/orgs/acme/repos", json={"name": "app", "auto_init": True}).raise_for_status()
    git = site.repository("acme", "app").git
    main = git.branch_sha("main") or ""
    tree = git.tree_with_one_file("new.txt", b"1\n")
    ahead = git.commit_tree(tree, [main], "add", Identity("t", "t@example.com"))
    newer = git.commit_tree(git.text("rev-parse", f"{main}^{{tree}}"), [main], "more", Identity("t", "t@example.com"))
    ref = {"ref": "refs/heads/claude/1", "sha": ahead}
    clients["app token"].post("/repos/acme/app/git/refs", json=ref).raise_for_status()
    (readme,) = git.tree(main)
    installation = site.credentials.installation_id
    return {
        "main": main,
        "ahead": ahead,
        "newer": newer,
        "tree": tree,
        "blob": readme.sha,
        "installation_id": installation,
        "client_id": site.credentials.client_id,
        "user_token": clients["user token"].headers["Authorization"].removeprefix("Bearer "),
    }


def test_every_answer_is_one_github_could_give(
    site: Site, clients: dict[str, httpx.Client], world: dict[str, Any]
) -> None:
    asked = set()
    for example in _examples(world):
        method, _ = example.route.split(" ", 1)
        if "deliveries" in example.url:
            _wait_for_a_delivery(clients["app"])
        answer = clients[example.who].request(method, example.url, json=example.body)
        assert example.status == answer.status_code, (example.route, answer.text)
        if example.status == 204:
            assert answer.content == b""
        if example.model:
            _validate(example, answer.json())
        asked.add(example.route)
    served = {
        f"{method} {route.path}"
        for part in PARTS
        for route in part.ROUTES
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == asked
    deliveries = site.storage.all("SELECT * FROM deliveries")
    for delivery in deliveries:
        require_webhook(delivery["event"], json.loads(delivery["payload"]))
    assert set(accounts_documents.APP_EVENTS) | {"ping"} == {delivery["event"] for delivery in deliveries}


def _validate(example: Example, document: Any) -> None:  # noqa: ANN401 - JSON
    try:
        pydantic.TypeAdapter(example.model).validate_python(document)
    except pydantic.ValidationError as error:
        pytest.fail(f"{example.route}: {error}")
    if isinstance(document, list):
        assert document, f"{example.route} has nothing to show"


def _wait_for_a_delivery(app: httpx.Client) -> None:
    eventually(lambda: app.get("/app/hook/deliveries/1").is_success, 10)
