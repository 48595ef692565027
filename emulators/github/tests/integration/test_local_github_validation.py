"""What GitHub refuses, the local GitHub refuses in the same words."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from local_github.api import accounts, apps, deployments, git_data, issues, pulls, repositories, rulesets, stage
from local_github.rest import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

LONGEST_BODY = 65_536


def _causes(answer: httpx.Response) -> list[str]:
    return [cause["message"] for cause in answer.json().get("errors", [])]


def _main(api: httpx.Client, repo: str) -> str:
    return str(api.get(f"/repos/{repo}/git/ref/heads/main").json()["object"]["sha"])


def test_errors_have_githubs_shape(api: httpx.Client) -> None:
    answer = api.get("/repos/acme/nothing-here")
    assert answer.status_code == 404
    expected = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
    assert expected == answer.json()
    assert answer.headers["x-github-request-id"]
    assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= set(answer.headers)


def test_an_existing_ref_is_not_created_again(api: httpx.Client, repo: str) -> None:
    ref = {"ref": "refs/heads/x", "sha": _main(api, repo)}
    assert api.post(f"/repos/{repo}/git/refs", json=ref).status_code == 201
    again = api.post(f"/repos/{repo}/git/refs", json=ref)
    assert (again.status_code, again.json()["message"]) == (422, "Reference already exists")


@pytest.mark.parametrize(
    "ref",
    [
        "heads/x",
        "refs/x",
        "refs/heads/",
        "refs/heads/-x",
        "refs/heads/--upload-pack=touch",
        "refs/heads/a..b",
        "refs/heads/a b",
        "refs/heads/a\u0000b",
        "refs/heads/a\nb",
        "refs/heads/../../config",
        "refs/heads/x.lock",
        "refs/pull/1/head",
        "-x",
    ],
)
def test_an_invalid_ref_name_is_refused(api: httpx.Client, repo: str, ref: str) -> None:
    answer = api.post(f"/repos/{repo}/git/refs", json={"ref": ref, "sha": _main(api, repo)})
    assert (422, f"{ref} is not a valid ref name.") == (answer.status_code, answer.json()["message"])


def test_a_ref_that_is_the_folder_of_another_is_refused(api: httpx.Client, repo: str) -> None:
    answer = api.post(f"/repos/{repo}/git/refs", json={"ref": "refs/heads/main/x", "sha": _main(api, repo)})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("sha", "message"),
    [
        ("f" * 40, "Object does not exist"),
        ("main", "The sha parameter must be exactly 40 characters and contain only [0-9a-f]."),
        ("--all", "The sha parameter must be exactly 40 characters and contain only [0-9a-f]."),
    ],
)
def test_a_ref_needs_an_existing_commit(api: httpx.Client, repo: str, sha: str, message: str) -> None:
    answer = api.post(f"/repos/{repo}/git/refs", json={"ref": "refs/heads/y", "sha": sha})
    assert (422, message) == (answer.status_code, answer.json()["message"])


def test_only_force_moves_a_ref_back(api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]) -> None:
    main, ahead = _main(api, repo), branch_with_commit("b")
    refused = api.patch(f"/repos/{repo}/git/refs/heads/b", json={"sha": main})
    assert (refused.status_code, refused.json()["message"]) == (422, "Update is not a fast forward")
    forced = api.patch(f"/repos/{repo}/git/refs/heads/b", json={"sha": main, "force": True})
    assert main == forced.json()["object"]["sha"]
    assert ahead == api.patch(f"/repos/{repo}/git/refs/heads/b", json={"sha": ahead}).json()["object"]["sha"]
    assert api.delete(f"/repos/{repo}/git/refs/heads/b").status_code == 204
    assert api.delete(f"/repos/{repo}/git/refs/heads/b").status_code == 422
    assert api.delete(f"/repos/{repo}/git/refs/heads/main").status_code == 422


def test_one_pull_request_per_pair_of_branches(
    api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]
) -> None:
    branch_with_commit("claude/1")
    pull = {"title": "t", "head": "acme:claude/1", "base": "main"}
    assert api.post(f"/repos/{repo}/pulls", json=pull).status_code == 201
    again = api.post(f"/repos/{repo}/pulls", json=pull)
    assert again.status_code == 422
    assert _causes(again) == ["A pull request already exists for acme:claude/1."]
    found = api.get(f"/repos/{repo}/pulls", params={"head": "acme:claude/1", "state": "open"}).json()
    assert [listed["number"] for listed in found] == [1]
    assert api.get(f"/repos/{repo}/pulls", params={"head": "other:claude/1"}).json() == []


def test_a_pull_request_needs_commits(api: httpx.Client, repo: str) -> None:
    api.post(f"/repos/{repo}/git/refs", json={"ref": "refs/heads/x", "sha": _main(api, repo)})
    answer = api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": "x", "base": "main"})
    assert (answer.status_code, _causes(answer)) == (422, ["No commits between main and x"])


@pytest.mark.parametrize(
    ("head", "base", "field"), [("no", "main", "head"), ("main", "no", "base"), ("a:main", "main", "head")]
)
def test_a_pull_request_needs_its_branches(api: httpx.Client, repo: str, head: str, base: str, field: str) -> None:
    answer = api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": head, "base": base})
    assert (422, field) == (answer.status_code, answer.json()["errors"][0]["field"])


@pytest.mark.parametrize("body", ["", "x" * LONGEST_BODY, "😀" * LONGEST_BODY, 'a\n"b"\r\n`c` **d** <script>\u0000'])
def test_a_hard_body_comes_back_as_it_was_sent(api: httpx.Client, repo: str, body: str) -> None:
    issue = api.post(f"/repos/{repo}/issues", json={"title": "t", "body": body})
    assert issue.status_code == 201
    assert (body or None) == api.get(f"/repos/{repo}/issues/{issue.json()['number']}").json()["body"]


def test_a_title_may_hold_anything(api: httpx.Client, repo: str) -> None:
    title = "**bold** \"quotes\" 'single' `code`\n😀 </title><script>alert(1)</script> $(id)"
    assert title == api.post(f"/repos/{repo}/issues", json={"title": title}).json()["title"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": "t", "body": "x" * (LONGEST_BODY + 1)}, "body is too long (maximum is 65536 characters)"),
        ({"title": "t" * 257}, "title is too long (maximum is 256 characters)"),
    ],
)
def test_a_text_that_is_too_long_is_refused(
    api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str], fields: dict[str, str], message: str
) -> None:
    branch_with_commit("b")
    for path, more in (("issues", {}), ("pulls", {"head": "b", "base": "main"})):
        answer = api.post(f"/repos/{repo}/{path}", json={**fields, **more})
        assert (422, [message]) == (answer.status_code, _causes(answer))


def test_a_comment_that_is_too_long_or_blank_is_refused(api: httpx.Client, repo: str) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "t"})
    for body, message in (
        ("x" * (LONGEST_BODY + 1), "body is too long (maximum is 65536 characters)"),
        (" \n", "body can't be blank"),
    ):
        answer = api.post(f"/repos/{repo}/issues/1/comments", json={"body": body})
        assert (422, [message]) == (answer.status_code, _causes(answer))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b"3", 400),
        (b'{"title": "\\ud800"}', 400),
        (b"[" * 100_000, 400),
        (b"{}", 422),
        (b'{"title": 1}', 422),
        (b'{"title": " "}', 422),
        (b'{"title": "t", "labels": [{"a": 1}]}', 422),
        (b'["title"]', 422),
    ],
)
def test_a_malformed_request_is_refused(api: httpx.Client, repo: str, content: bytes, status: int) -> None:
    assert status == api.post(f"/repos/{repo}/issues", content=content).status_code
    assert api.get(f"/repos/{repo}/issues").json() == []


def test_an_archived_repository_can_be_read_only(api: httpx.Client, repo: str) -> None:
    assert api.patch(f"/repos/{repo}", json={"archived": True}).json()["archived"]
    refused = api.post(f"/repos/{repo}/issues", json={"title": "t"})
    assert (refused.status_code, refused.json()["message"]) == (403, "Repository was archived so is read-only.")
    assert api.get(f"/repos/{repo}/branches").status_code == 200
    assert not api.patch(f"/repos/{repo}", json={"archived": False}).json()["archived"]


def test_an_empty_repository_says_so(api: httpx.Client, new_repository: Callable[..., str]) -> None:
    empty = new_repository(auto_init=False)
    for path in ("git/ref/heads/main", "commits"):
        answer = api.get(f"/repos/{empty}/{path}")
        assert (answer.status_code, answer.json()["message"]) == (409, "Git Repository is empty.")
    answer = api.post(f"/repos/{empty}/git/refs", json={"ref": "refs/heads/x", "sha": "a" * 40})
    assert (answer.status_code, answer.json()["message"]) == (409, "Git Repository is empty.")
    assert api.get(f"/repos/{empty}/branches").json() == []


@pytest.mark.parametrize(
    "path",
    [
        "/repos/..%2f..%2fetc/x",
        "/repos/%2e%2e/%2e%2e",
        "/repos/acme/..%2f..%2fcredentials.json",
        "/repos/acme/%00",
        "/repos/acme/-x",
    ],
)
def test_no_address_leads_out_of_the_repositories(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "git/ref/heads/..%2f..%2f..%2fHEAD",
        "git/ref/heads/--help",
        "git/ref/heads/a%00b",
        "branches/--all",
        "branches/main~1",
        "branches/@%7b-1%7d",
        "compare/--output=x...main",
        "compare/main...%3A%2Finitial",
        "compare/main",
        "contents/..%2f..%2fconfig",
        "contents/a%00b",
        "contents/README.md?ref=--help",
        "git/commits/--all",
        "git/trees/--all",
        "git/blobs/HEAD",
    ],
)
def test_no_name_is_taken_for_an_option_or_an_expression(api: httpx.Client, repo: str, path: str) -> None:
    assert api.get(f"/repos/{repo}/{path}").status_code == 404


@pytest.mark.parametrize("name", ["..", ".", "a/b", "-/..", "x.git", "", "a b", "é", "a\u0000"])
def test_a_repository_name_is_a_plain_word(api: httpx.Client, name: str) -> None:
    assert api.post("/orgs/acme/repos", json={"name": name}).status_code == 422


def test_a_repository_name_is_taken_once_whatever_its_case(api: httpx.Client, repo: str) -> None:
    name = repo.split("/")[1]
    assert api.post("/orgs/acme/repos", json={"name": name.upper()}).status_code == 422
    assert repo == api.get(f"/repos/ACME/{name.upper()}").json()["full_name"]


def test_a_merge_is_refused_while_it_cannot_be_made(
    api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]
) -> None:
    branch_with_commit("b")
    number = api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": "b", "base": "main", "draft": True}).json()[
        "number"
    ]
    merge = f"/repos/{repo}/pulls/{number}/merge"
    assert _said(api.put(merge, json={})) == (405, "Pull Request is still a draft")
    assert api.put(merge, json={"sha": "0" * 40}).status_code == 409
    assert api.put(merge, json={"merge_method": "rebase"}).status_code == 405
    assert api.get(merge).status_code == 404


def _said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


def test_pages_are_linked(api: httpx.Client, repo: str) -> None:
    for number in range(1, 6):
        api.post(f"/repos/{repo}/issues", json={"title": f"{number}"})
    first = api.get(f"/repos/{repo}/issues", params={"per_page": 2, "state": "all"})
    assert [issue["number"] for issue in first.json()] == [5, 4]
    assert {"next", "last"} == set(first.links)
    second = api.get(first.links["next"]["url"])
    assert [issue["number"] for issue in second.json()] == [3, 2]
    assert {"first", "prev", "next", "last"} == set(second.links)
    last = api.get(second.links["last"]["url"])
    assert [issue["number"] for issue in last.json()] == [1]
    assert {"first", "prev"} == set(last.links)
    assert api.get(f"/repos/{repo}/issues", params={"page": "99999999999999999999"}).json()[5:] == []


def test_the_same_reaction_is_kept_once(api: httpx.Client, repo: str) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "t"})
    reactions = f"/repos/{repo}/issues/1/reactions"
    statuses = [api.post(reactions, json={"content": "eyes"}).status_code for _ in range(2)]
    assert statuses == [201, 200]
    assert api.post(reactions, json={"content": "wave"}).status_code == 422
    assert api.get(f"/repos/{repo}/issues/1").json()["reactions"]["eyes"] == 1


def test_success_in_an_environment_retires_what_was_there(api: httpx.Client, repo: str) -> None:
    made = [
        api.post(f"/repos/{repo}/deployments", json={"ref": "main", "environment": name}).json()["statuses_url"]
        for name in ("pr-1", "pr-2", "pr-1")
    ]
    for statuses in made:
        api.post(statuses, json={"state": "success", "environment_url": "http://x"})
    states: list[Any] = [api.get(statuses).json()[0]["state"] for statuses in made]
    assert states == ["inactive", "success", "success"]


JUNK: list[Any] = [None, True, -1, 2**70, 1e300, "", "x\u0000", "-x", [], [[]], [{}], {}, {"title": []}]
MEMBERS = [
    "title",
    "body",
    "state",
    "labels",
    "name",
    "color",
    "content",
    "ref",
    "sha",
    "force",
    "message",
    "tree",
    "parents",
    "author",
    "head",
    "base",
    "draft",
    "event",
    "comments",
    "path",
    "line",
    "side",
    "in_reply_to",
    "merge_method",
    "commit_title",
    "environment",
    "payload",
    "description",
    "context",
    "status",
    "conclusion",
    "output",
    "head_sha",
    "default_branch",
    "archived",
    "private",
    "auto_init",
    "permission",
    "permissions",
    "repositories",
    "repository_ids",
    "url",
    "content_type",
    "secret",
    "login",
    "scopes",
    "state_reason",
    "rules",
    "conditions",
    "bypass_actors",
    "enforcement",
    "kind",
    "count",
    "account",
]


@pytest.mark.parametrize("part", [accounts, apps, deployments, git_data, issues, pulls, repositories, rulesets, stage])
def test_no_malformed_body_is_an_error_of_the_server(
    server: Any, api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str], part: Any
) -> None:
    branch_with_commit("b")
    api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": "b", "base": "main"})
    api.post(f"/repos/{repo}/issues/1/comments", json={"body": "c"})
    api.post(f"/repos/{repo}/deployments", json={"ref": "main"})
    names = {"owner": "acme", "repo": repo.split("/")[1], "number": "1", "org": "acme", "login": "octo-dev"}
    app, token = server.client(server.app_jwt()), server.client(server.installation_token())
    with app, token:
        for method, template in _changing_addresses(part):
            url = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: names.get(found[1], "1"), template)
            url = url.replace("/installations/1", f"/installations/{server.credentials['installation_id']}")
            client = app if template.startswith("/app") else token if "check-runs" in template else api
            for junk in JUNK:
                for body in (junk, dict.fromkeys(MEMBERS, junk)):
                    answer = client.request(method, url, json=body, follow_redirects=True)  # "-x" is a new name
                    assert answer.status_code < 500, (method, url, body)
        for template in ("/issues/{}", "/pulls/{}", "/issues/comments/{}", "/deployments/{}"):
            address = f"/repos/{repo}{template.format(10**30)}"
            assert api.get(address, follow_redirects=True).status_code == 404
        secret = server.credentials["webhook_secret"]
        hook = {"url": "", "content_type": "json", "secret": secret}  # what the tests after this one expect
        assert app.patch("/app/hook/config", json=hook).status_code == 200
        app.delete(f"/app/installations/{server.credentials['installation_id']}/suspended")


def _changing_addresses(part: Any) -> list[tuple[str, str]]:
    routes = [(method, route.path.removeprefix(PREFIX)) for route in part.ROUTES for method in route.methods]
    return [(method, path) for method, path in routes if method in {"POST", "PATCH", "PUT"}]
