"""The few GraphQL operations that REST has no counterpart of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    build_schema,
    graphql_sync,
    parse,
)
from starlette.routing import Route

from local_github.actors import Actor, Anonymous, App, AppClient, identify
from local_github.api.nodes import (
    REACTION_CONTENTS,
    Node,
    NodeNotFoundError,
    NotResolvedError,
    describe,
    describe_reaction,
    find_node,
)
from local_github.api.repository_nodes import describe_repository, find_repository
from local_github.documents.accounts import node_id
from local_github.errors import ForbiddenError, UnauthenticatedError
from local_github.permissions import Needs, authorize, writing
from local_github.pull_requests import set_draft
from local_github.reactions import react
from local_github.rest import Reply, parse_json, respond
from local_github.site import Acting, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

_SCHEMA = build_schema((Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8"))
_DRAFTING = writing("pull_requests")
_REACTING = writing("issues", "pull_requests", person="read")


class _Root:
    """Resolves the fields of Query and Mutation for one viewer."""

    def __init__(self, site: Site, actor: Actor) -> None:
        self._site = site
        self._actor = actor

    def viewer(self, _info: GraphQLResolveInfo) -> dict[str, Any]:
        user = self._site.user(self._actor.login)
        return {"id": node_id("U", user["id"] if user else 0), "login": self._actor.login}

    def node(self, _info: GraphQLResolveInfo, id: str) -> dict[str, Any]:  # noqa: A002 - GraphQL's own name
        return describe(self._site, find_node(self._site, self._actor, id))

    def repository(self, _info: GraphQLResolveInfo, owner: str, name: str, *, followRenames: bool) -> dict[str, Any]:  # noqa: N803 - GraphQL's own name
        return find_repository(self._site, self._actor, owner, name, follow_renames=followRenames)

    def markPullRequestReadyForReview(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        return self._set_draft(input, draft=False)

    def convertPullRequestToDraft(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        return self._set_draft(input, draft=True)

    def addReaction(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        node = find_node(self._site, self._actor, input["subjectId"])
        content = REACTION_CONTENTS[input["content"]]
        row, _ = self._changed(node, _REACTING, lambda acting: react(acting, node.subject, node.row["id"], content))
        return _payload(input, reaction=describe_reaction(self._site, row), subject=describe(self._site, node))

    def _set_draft(self, given: dict[str, Any], *, draft: bool) -> dict[str, Any]:
        node = find_node(self._site, self._actor, given["pullRequestId"])
        if node.kind != "PullRequest":
            raise NodeNotFoundError(given["pullRequestId"])
        row = self._changed(node, _DRAFTING, lambda acting: set_draft(acting, node.row, draft=draft))
        changed = Node(node.kind, node.subject, node.repo, row)
        return _payload(given, pullRequest=describe(self._site, changed))

    def _changed(self, node: Node, needs: Needs, change: Callable[[Acting], Any]) -> Any:  # noqa: ANN401 - whatever the change returns
        """Change something in the actor's name, if they may."""
        authorize(self._site, self._actor, node.repo, needs)
        return change(Acting(self._site, node.repo, self._actor.login))


def _payload(given: dict[str, Any], **members: dict[str, Any]) -> dict[str, Any]:
    return {**members, "clientMutationId": given.get("clientMutationId")}


def _answer(request: Request, content: bytes) -> Response:
    site: Site = request.app.state.site
    with site.storage.transaction():
        actor = request.state.actor = identify(site, request.headers.get("authorization", ""))
        if isinstance(actor, Anonymous | App | AppClient):
            raise UnauthenticatedError("This endpoint requires you to be authenticated.")
        body = parse_json(content)
        asked = body if isinstance(body, dict) else {}
        if not isinstance(asked.get("query"), str):
            return respond(
                Reply({"errors": [{"message": "A query attribute must be specified and must be a string."}]})
            )
        request.state.operation = _root_fields(asked["query"])
        variables = asked.get("variables")
        result = graphql_sync(
            _SCHEMA,
            asked["query"],
            root_value=_Root(site, actor),
            context_value=lambda repo: describe_repository(site, actor, repo),
            variable_values=variables if isinstance(variables, dict) else None,
        )
    document: dict[str, Any] = {"data": result.data}
    if result.errors:
        document["errors"] = [_error(error) for error in result.errors]
    return respond(Reply(document))


def _root_fields(query: str) -> str:
    """Return what a document asks for, `addReaction` for instance; of one that is no GraphQL, nothing."""
    try:
        document = parse(query)
    except GraphQLError:
        return ""
    operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    fields = [field for part in operations for field in part.selection_set.selections if isinstance(field, FieldNode)]
    return " ".join(field.name.value for field in fields)


def _error(error: GraphQLError) -> dict[str, Any]:
    match error.original_error or error:
        case NotResolvedError():
            return {"type": "NOT_FOUND", **error.formatted}
        case ForbiddenError():
            return {"type": "FORBIDDEN", **error.formatted}
    return {**error.formatted}


async def serve(request: Request) -> Response:
    """Answer POST /api/graphql."""
    return await to_thread.run_sync(_answer, request, await request.body())


ROUTES = [Route("/api/graphql", serve, methods=["POST"])]
