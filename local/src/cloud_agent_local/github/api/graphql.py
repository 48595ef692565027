"""The few GraphQL operations that REST has no counterpart of."""

from typing import Any

from anyio import to_thread
from graphql import GraphQLError, GraphQLResolveInfo, build_schema, graphql_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cloud_agent_local.github.actors import Actor, Anonymous, App, identify
from cloud_agent_local.github.documents import issues
from cloud_agent_local.github.documents.accounts import node_id
from cloud_agent_local.github.errors import ApiError, UnauthenticatedError
from cloud_agent_local.github.permissions import authorize, may_see, writing
from cloud_agent_local.github.pull_requests import set_draft
from cloud_agent_local.github.rest import Reply, parse_json, respond
from cloud_agent_local.github.site import Acting, Repository, Site
from cloud_agent_local.github.storage import Row

_SCHEMA = build_schema("""
    type Query { viewer: User!  node(id: ID!): PullRequest }
    type User { id: ID!  login: String! }
    type PullRequest {
        id: ID!  databaseId: Int!  number: Int!  title: String!  url: String!  isDraft: Boolean!  state: String!
    }
    input MarkPullRequestReadyForReviewInput { pullRequestId: ID!  clientMutationId: String }
    input ConvertPullRequestToDraftInput { pullRequestId: ID!  clientMutationId: String }
    type MarkPullRequestReadyForReviewPayload { pullRequest: PullRequest  clientMutationId: String }
    type ConvertPullRequestToDraftPayload { pullRequest: PullRequest  clientMutationId: String }
    type Mutation {
        markPullRequestReadyForReview(
            input: MarkPullRequestReadyForReviewInput!
        ): MarkPullRequestReadyForReviewPayload
        convertPullRequestToDraft(input: ConvertPullRequestToDraftInput!): ConvertPullRequestToDraftPayload
    }
""")
_DRAFTING = writing("pull_requests")


class NodeNotFoundError(GraphQLError):
    """A global id names nothing the viewer may see."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"Could not resolve to a node with the global id of '{wanted}'")


class _Root:
    """Resolves the fields of Query and Mutation for one viewer."""

    def __init__(self, site: Site, actor: Actor) -> None:
        self._site = site
        self._actor = actor

    def viewer(self, _info: GraphQLResolveInfo) -> dict[str, Any]:
        user = self._site.user(self._actor.login)
        return {"id": node_id("U", user["id"] if user else 0), "login": self._actor.login}

    def node(self, _info: GraphQLResolveInfo, id: str) -> dict[str, Any]:  # noqa: A002 - GraphQL's own name
        return _pull_request(*self._find(id))

    def markPullRequestReadyForReview(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        return self._set_draft(input, draft=False)

    def convertPullRequestToDraft(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        return self._set_draft(input, draft=True)

    def _set_draft(self, given: dict[str, Any], *, draft: bool) -> dict[str, Any]:
        repo, row = self._find(given["pullRequestId"])
        try:
            authorize(self._site, self._actor, repo, _DRAFTING)
        except ApiError as error:
            raise GraphQLError(error.message) from error
        changed = set_draft(Acting(self._site, repo, self._actor.login), row, draft=draft)
        return {"pullRequest": _pull_request(repo, changed), "clientMutationId": given.get("clientMutationId")}

    def _find(self, wanted: str) -> tuple[Repository, Row]:
        kind, _, key = wanted.partition("_")
        row = None
        if kind == "PR" and key.isascii() and key.isdigit():
            row = self._site.storage.one("SELECT * FROM issues WHERE CAST(id AS TEXT) = ? AND head IS NOT NULL", key)
        if not row:
            raise NodeNotFoundError(wanted)
        repo = self._site.repository_by_id(row["repository_id"])
        if not may_see(self._site, self._actor, repo):
            raise NodeNotFoundError(wanted)
        return repo, row


def _pull_request(repo: Repository, row: Row) -> dict[str, Any]:
    return {
        "id": node_id("PR", row["id"]),
        "databaseId": row["id"],
        "number": row["number"],
        "title": row["title"],
        "url": issues.html_url(repo, row),
        "isDraft": bool(row["draft"]),
        "state": "MERGED" if row["merged_at"] else row["state"].upper(),
    }


def _answer(site: Site, authorization: str, content: bytes) -> Response:
    with site.storage.transaction():
        actor = identify(site, authorization)
        if isinstance(actor, Anonymous | App):
            raise UnauthenticatedError("This endpoint requires you to be authenticated.")
        body = parse_json(content)
        asked = body if isinstance(body, dict) else {}
        if not isinstance(asked.get("query"), str):
            return respond(
                Reply({"errors": [{"message": "A query attribute must be specified and must be a string."}]})
            )
        variables = asked.get("variables")
        result = graphql_sync(
            _SCHEMA,
            asked["query"],
            root_value=_Root(site, actor),
            variable_values=variables if isinstance(variables, dict) else None,
        )
    document: dict[str, Any] = {"data": result.data}
    if result.errors:
        document["errors"] = [_error(error) for error in result.errors]
    return respond(Reply(document))


def _error(error: GraphQLError) -> dict[str, Any]:
    missing = {"type": "NOT_FOUND"} if isinstance(error.original_error or error, NodeNotFoundError) else {}
    return {**missing, **error.formatted}


async def serve(request: Request) -> Response:
    """Answer POST /api/graphql."""
    content, authorization = await request.body(), request.headers.get("authorization", "")
    return await to_thread.run_sync(_answer, request.app.state.site, authorization, content)


ROUTES = [Route("/api/graphql", serve, methods=["POST"])]
