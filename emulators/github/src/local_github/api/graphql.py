"""GraphQL: what REST has no counterpart of, and what one request of it does instead of several."""

from __future__ import annotations

from dataclasses import replace
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

from local_github import pull_requests, tracker
from local_github.actors import Actor, Anonymous, App, AppClient, identify
from local_github.api.nodes import (
    MOST_NODES,
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
from local_github.errors import ForbiddenError, InvalidError, UnauthenticatedError
from local_github.permissions import Needs, authorize, writing
from local_github.reactions import react
from local_github.rest import Reply, parse_json, respond
from local_github.site import Acting, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.requests import Request
    from starlette.responses import Response

    from local_github.storage import Row

_SCHEMA = build_schema((Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8"))
_DRAFTING = writing("pull_requests")
_TAKING_PART = writing("issues", "pull_requests", person="read")
_EDITING = writing("pull_requests", person="read")
_COMMENTED = frozenset({"Issue", "PullRequest"})


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

    def nodes(self, _info: GraphQLResolveInfo, ids: list[str]) -> list[dict[str, Any] | NodeNotFoundError]:
        if len(ids) > MOST_NODES:
            raise GraphQLError(f"You may not provide more than {MOST_NODES} node ids; you provided {len(ids)}.")
        return [self._node_or_error(one) for one in ids]

    def is_viewer(self, login: str) -> bool:
        """Whether the viewer has this login."""
        return login == self._actor.login

    def _node_or_error(self, wanted: str) -> dict[str, Any] | NodeNotFoundError:
        try:
            return describe(self._site, find_node(self._site, self._actor, wanted))
        except NodeNotFoundError as error:
            return error

    def repository(self, _info: GraphQLResolveInfo, owner: str, name: str, *, followRenames: bool) -> dict[str, Any]:  # noqa: N803 - GraphQL's own name
        return find_repository(self._site, self._actor, owner, name, follow_renames=followRenames)

    def markPullRequestReadyForReview(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        return self._set_draft(input, draft=False)

    def convertPullRequestToDraft(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        return self._set_draft(input, draft=True)

    def addReaction(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        node = find_node(self._site, self._actor, input["subjectId"])
        content = REACTION_CONTENTS[input["content"]]
        row, _ = self._changed(node, _TAKING_PART, lambda acting: react(acting, node.subject, node.row["id"], content))
        return _payload(input, reaction=describe_reaction(self._site, row), subject=describe(self._site, node))

    def addComment(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        node = self._find(input["subjectId"], _COMMENTED)
        row = self._changed(node, _TAKING_PART, lambda acting: tracker.add_comment(acting, node.row, input["body"]))
        comment = describe(self._site, Node("IssueComment", "comment", node.repo, row))
        return _payload(input, commentEdge={"node": comment}, subject=describe(self._site, node))

    def updateIssueComment(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        node = self._find(input["id"], {"IssueComment"})
        needs = _TAKING_PART if node.row["author"] == self._actor.login else writing("issues", "pull_requests")
        row = self._changed(node, needs, lambda acting: tracker.edit_comment(acting, node.row, input["body"]))
        return _payload(input, issueComment=describe(self._site, replace(node, row=row)))

    def updatePullRequest(self, _info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GraphQL's own names
        node = self._find(input["pullRequestId"], {"PullRequest"})
        needs = _EDITING if node.row["author"] == self._actor.login else _DRAFTING
        given = {name: input.get(name) for name in ("title", "body", "state", "baseRefName")}
        row = self._changed(node, needs, lambda acting: _edit(acting, node.row, given))
        return _payload(input, pullRequest=describe(self._site, replace(node, row=row)))

    def _find(self, wanted: str, kinds: Collection[str]) -> Node:
        node = find_node(self._site, self._actor, wanted)
        if node.kind not in kinds:
            raise NodeNotFoundError(wanted)
        return node

    def _set_draft(self, given: dict[str, Any], *, draft: bool) -> dict[str, Any]:
        node = self._find(given["pullRequestId"], {"PullRequest"})
        row = self._changed(node, _DRAFTING, lambda acting: pull_requests.set_draft(acting, node.row, draft=draft))
        return _payload(given, pullRequest=describe(self._site, replace(node, row=row)))

    def _changed(self, node: Node, needs: Needs, change: Callable[[Acting], Any]) -> Any:  # noqa: ANN401 - whatever the change returns
        """Change something in the actor's name, if they may."""
        authorize(self._site, self._actor, node.repo, needs)
        return change(Acting(self._site, node.repo, self._actor.login))


def _edit(acting: Acting, row: Row, given: dict[str, str | None]) -> Row:
    """Change what is given of a pull request."""
    base = given["baseRefName"]
    if base is not None and base != row["base"]:
        row = pull_requests.change_base(acting, row, base)
    title, body, state = given["title"], given["body"], given["state"]
    wanted = tracker.Edit(
        title=row["title"] if title is None else title,
        body=row["body"] if body is None else body,
        state=row["state"] if state is None else state.lower(),
    )
    return pull_requests.edit(acting, row, wanted)


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
        case InvalidError():
            return {"type": "UNPROCESSABLE", **error.formatted}
    return {**error.formatted}


async def serve(request: Request) -> Response:
    """Answer POST /api/graphql."""
    return await to_thread.run_sync(_answer, request, await request.body())


ROUTES = [Route("/api/graphql", serve, methods=["POST"])]
