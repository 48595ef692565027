"""Rulesets of a repository, and which of their rules apply to a branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from local_github import rulesets
from local_github.documents.accounts import node_id
from local_github.errors import InvalidError
from local_github.permissions import ADMINISTERING, reading
from local_github.rest import Reply, RepositoryCall, found, repository_route

if TYPE_CHECKING:
    from local_github.storage import Row

_METADATA = reading("metadata")


def _document(call: RepositoryCall, row: Row) -> dict[str, Any]:
    url = f"{call.repo.api_url}/rulesets/{row['id']}"
    return {
        "id": row["id"],
        "node_id": node_id("RRS", row["id"]),
        **rulesets.stored(row).model_dump(mode="json"),
        "source_type": "Repository",
        "source": call.repo.full_name,
        "created_at": row["created_at"],
        "updated_at": row["created_at"],
        "_links": {"self": {"href": url}, "html": {"href": f"{call.repo.html_url}/rules/{row['id']}"}},
    }


def _list_rulesets(call: RepositoryCall) -> Reply:
    rows = call.storage.all("SELECT * FROM rulesets WHERE repository_id = ? ORDER BY id", call.repo.id)
    return call.page(rows, lambda row: _document(call, row))


def _create_ruleset(call: RepositoryCall) -> Reply:
    try:
        wanted = rulesets.Ruleset.model_validate(call.body)
    except ValidationError as error:
        causes = "; ".join(f"{'.'.join(map(str, cause['loc']))}: {cause['msg']}" for cause in error.errors())
        raise InvalidError(f"Invalid request.\n\n{causes}") from error
    return Reply(_document(call, rulesets.create(call.site, call.repo, wanted)), 201)


def _ruleset(call: RepositoryCall) -> Row:
    sql = "SELECT * FROM rulesets WHERE id = ? AND repository_id = ?"
    row: Row = found(call.storage.one(sql, call.path["ruleset_id"], call.repo.id))
    return row


def _get_ruleset(call: RepositoryCall) -> Reply:
    return Reply(_document(call, _ruleset(call)))


def _delete_ruleset(call: RepositoryCall) -> Reply:
    call.storage.delete("rulesets", _ruleset(call)["id"])
    return Reply(None, 204)


def _list_rules_of_branch(call: RepositoryCall) -> Reply:
    ref = f"refs/heads/{call.path['branch']}"

    def describe(rule: tuple[Row, rulesets.Rule]) -> dict[str, Any]:
        origin = {"ruleset_source_type": "Repository", "ruleset_source": call.repo.full_name}
        return {**rule[1].model_dump(mode="json"), **origin, "ruleset_id": rule[0]["id"]}

    return call.page(rulesets.applying(call.site, call.repo, ref), describe)


ROUTES = [
    repository_route("GET", "/rulesets", _list_rulesets, _METADATA),
    repository_route("POST", "/rulesets", _create_ruleset, ADMINISTERING),
    repository_route("GET", "/rulesets/{ruleset_id:int}", _get_ruleset, _METADATA),
    repository_route("DELETE", "/rulesets/{ruleset_id:int}", _delete_ruleset, ADMINISTERING),
    repository_route("GET", "/rules/branches/{branch:path}", _list_rules_of_branch, _METADATA),
]
