"""GraphQL's view of a repository: an issue, what was said on it, and the threads of a branch's pull request."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

QUERY = """
query($owner: String!, $name: String!, $branch: String!) {
    repository(owner: $owner, name: $name) {
        nameWithOwner
        issue(number: 1) {
            title body state author { __typename login }
            labels(first: 10) { nodes { name } }
            comments(last: 2) { totalCount nodes { body url authorAssociation author { __typename login } } }
        }
        pullRequests(headRefName: $branch, states: [OPEN], first: 1) {
            nodes {
                number
                reviewThreads(last: 10) {
                    nodes { isResolved path line comments(first: 10) { nodes { body author { login } } } }
                }
            }
        }
        one: issueOrPullRequest(number: 1) { ... on Issue { title state } ... on PullRequest { title state } }
        none: issueOrPullRequest(number: 99) { ... on Issue { title } }
    }
}
"""


def _ask(server: Any, client: httpx.Client, repo: str, query: str = QUERY) -> dict[str, Any]:
    owner, name = repo.split("/")
    body = {"query": query, "variables": {"owner": owner, "name": name, "branch": "claude/1"}}
    return dict(client.post(f"{server.url}/api/graphql", json=body).json())


def test_an_issue_is_described_with_what_was_said_on_it_and_on_the_pull_request_of_its_branch(
    server: Any, api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]
) -> None:
    issue = api.post(f"/repos/{repo}/issues", json={"title": "Red", "body": "Please.", "labels": ["ui"]}).json()
    with server.client(server.installation_token()) as app:
        for client, said in ((api, "first"), (api, "second"), (app, "third")):
            client.post(f"/repos/{repo}/issues/1/comments", json={"body": said}).raise_for_status()
        branch_with_commit("claude/1")
        pull = api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": "claude/1", "base": "main"}).json()
        answer = _ask(server, app, repo)
    found = answer["data"]["repository"]
    author = {"__typename": "User", "login": "octo-dev"}
    assert (issue["number"], found["nameWithOwner"]) == (1, repo)
    assert found["issue"] | {"comments": None} == {
        "title": "Red", "body": "Please.", "state": "OPEN", "author": author,
        "labels": {"nodes": [{"name": "ui"}]}, "comments": None,
    }  # fmt: skip
    comments = found["issue"]["comments"]
    assert (comments["totalCount"], [one["body"] for one in comments["nodes"]]) == (3, ["second", "third"])
    assert comments["nodes"][0]["author"] == author
    assert comments["nodes"][1]["author"] == {"__typename": "Bot", "login": "local-app"}
    assert comments["nodes"][1]["authorAssociation"] == "NONE"
    assert found["pullRequests"]["nodes"] == [{"number": pull["number"], "reviewThreads": {"nodes": []}}]
    assert (found["one"], found["none"]) == ({"title": "Red", "state": "OPEN"}, None)
    (error,) = answer["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["repository", "none"])


def test_a_pull_request_tells_when_it_was_converted_to_a_draft(
    server: Any, api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]
) -> None:
    branch_with_commit("claude/1")
    draft = {"title": "t", "head": "claude/1", "base": "main", "draft": True}
    node = api.post(f"/repos/{repo}/pulls", json=draft).json()["node_id"]
    query = f"""query {{ node(id: "{node}") {{ ... on PullRequest {{
        timelineItems(itemTypes: [CONVERT_TO_DRAFT_EVENT], last: 1) {{
            totalCount nodes {{ __typename ... on ConvertToDraftEvent {{ actor {{ login }} }} }}
        }}
    }} }} }}"""
    assert _ask(server, api, repo, query)["data"]["node"]["timelineItems"] == {"totalCount": 0, "nodes": []}
    for mutation in ("markPullRequestReadyForReview", "convertPullRequestToDraft", "convertPullRequestToDraft"):
        change = f'mutation {{ {mutation}(input: {{pullRequestId: "{node}"}}) {{ clientMutationId }} }}'
        _ask(server, api, repo, change)
    converted = {"__typename": "ConvertToDraftEvent", "actor": {"login": "octo-dev"}}
    found = _ask(server, api, repo, query)["data"]["node"]["timelineItems"]
    assert found == {"totalCount": 1, "nodes": [converted]}


def test_a_repository_that_is_not_there_and_a_connection_without_a_page_are_refused(
    server: Any, api: httpx.Client, repo: str
) -> None:
    (error,) = _ask(server, api, "acme/nowhere")["errors"]
    assert error["type"] == "NOT_FOUND"
    assert error["message"] == "Could not resolve to a Repository with the name 'acme/nowhere'."
    unpaged = """query($owner: String!, $name: String!) {
        repository(owner: $owner, name: $name) { pullRequests { totalCount } }
    }"""
    assert "`first` or `last`" in _ask(server, api, repo, unpaged)["errors"][0]["message"]


def test_an_issue_is_read_with_the_permission_for_issues_alone(server: Any, api: httpx.Client, repo: str) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "Red"}).raise_for_status()
    query = """query($owner: String!, $name: String!) {
        repository(owner: $owner, name: $name) { nameWithOwner issue(number: 1) { title } }
    }"""
    with server.client(server.installation_token(permissions={"contents": "read"})) as narrow:
        answer = _ask(server, narrow, repo, query)
    assert answer["data"]["repository"]["issue"] is None
    assert [error["type"] for error in answer["errors"]] == ["FORBIDDEN"]


def test_a_file_is_read_by_gits_words_for_it(server: Any, api: httpx.Client, repo: str) -> None:
    query = """query($owner: String!, $name: String!) {
        repository(owner: $owner, name: $name) {
            readme: object(expression: "HEAD:README.md") { ... on Blob { text byteSize isBinary } }
            none: object(expression: "HEAD:nothing.md") { ... on Blob { text } }
            folder: object(expression: "HEAD:") { ... on Blob { text } }
            option: object(expression: "--all") { ... on Blob { text } }
        }
    }"""
    found = _ask(server, api, repo, query)["data"]["repository"]
    text = found.pop("readme")["text"]
    assert text.startswith("# ")
    assert found == {"none": None, "folder": None, "option": None}
    with server.client(server.installation_token(permissions={"issues": "read"})) as narrow:
        assert _ask(server, narrow, repo, query)["data"]["repository"]["readme"] is None


def test_a_branch_is_compared_with_what_another_has(
    server: Any, api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]
) -> None:
    head = branch_with_commit("claude/1")
    listed = api.get(f"/repos/{repo}/compare/main...claude/1").json()
    query = """query($owner: String!, $name: String!, $branch: String!) {
        repository(owner: $owner, name: $name) {
            defaultBranchRef {
                name prefix target { oid ... on Commit { tree { oid } } }
                compare(headRef: $branch) {
                    aheadBy behindBy status baseTarget { oid } headTarget { oid }
                    commits(first: 100) {
                        totalCount pageInfo { hasNextPage }
                        nodes { oid message url author { name email } tree { oid } parents(first: 2) { nodes { oid } } }
                    }
                }
                none: compare(headRef: "nowhere") { aheadBy }
            }
            none: ref(qualifiedName: "refs/heads/nowhere") { name }
        }
    }"""
    found = _ask(server, api, repo, query)["data"]["repository"]
    base = listed["base_commit"]
    default = found["defaultBranchRef"]
    compared = default.pop("compare")
    assert (found["none"], default) == (None, {
        "name": "main", "prefix": "refs/heads/", "none": None,
        "target": {"oid": base["sha"], "tree": {"oid": base["commit"]["tree"]["sha"]}},
    })  # fmt: skip
    (commit,) = listed["commits"]
    assert compared == {
        "aheadBy": 1, "behindBy": 0, "status": "AHEAD",
        "baseTarget": {"oid": base["sha"]}, "headTarget": {"oid": head},
        "commits": {"totalCount": 1, "pageInfo": {"hasNextPage": False}, "nodes": [{
            "oid": head, "message": commit["commit"]["message"], "url": commit["html_url"],
            "author": {name: commit["commit"]["author"][name] for name in ("name", "email")},
            "tree": {"oid": commit["commit"]["tree"]["sha"]}, "parents": {"nodes": [{"oid": base["sha"]}]},
        }]},
    }  # fmt: skip


def test_one_document_changes_several_things_and_each_refusal_is_of_its_own(
    server: Any, api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str]
) -> None:
    branch_with_commit("claude/1")
    pull = api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": "claude/1", "base": "main"}).json()
    comments = f"/repos/{repo}/issues/{pull['number']}/comments"
    mutation = """mutation($pull: ID!, $comment: ID!) {
        gone: updateIssueComment(input: {id: "IC_999", body: "b"}) { clientMutationId }
        described: updatePullRequest(input: {pullRequestId: $pull, body: "d"}) { pullRequest { body title } }
        blank: addComment(input: {subjectId: $pull, body: " "}) { commentEdge { node { id } } }
        edited: updateIssueComment(input: {id: $comment, body: "e"}) { issueComment { body } }
        added: addComment(input: {subjectId: $pull, body: "a"}) { commentEdge { node { id fullDatabaseId body } } }
    }"""
    with server.client(server.installation_token()) as app:
        first = app.post(comments, json={"body": "first"}).json()
        variables = {"pull": pull["node_id"], "comment": first["node_id"]}
        body = {"query": mutation, "variables": variables}
        answer = app.post(f"{server.url}/api/graphql", json=body).json()
    added = api.get(comments).json()[1]
    assert answer["data"] == {
        "gone": None, "described": {"pullRequest": {"body": "d", "title": "t"}}, "blank": None,
        "edited": {"issueComment": {"body": "e"}},
        "added": {
            "commentEdge": {"node": {"id": added["node_id"], "fullDatabaseId": str(added["id"]), "body": "a"}}
        },
    }  # fmt: skip
    assert [(error["type"], error["path"]) for error in answer["errors"]] == [
        ("NOT_FOUND", ["gone"]), ("UNPROCESSABLE", ["blank"]),
    ]  # fmt: skip
    assert [one["body"] for one in api.get(comments).json()] == ["e", "a"]
    assert api.get(f"/repos/{repo}/pulls/{pull['number']}").json()["body"] == "d"
    with server.client(server.installation_token(permissions={"contents": "write"})) as narrow:
        refused = narrow.post(f"{server.url}/api/graphql", json=body).json()["errors"]
    assert {error["type"] for error in refused} == {"NOT_FOUND", "FORBIDDEN"}


def test_who_asks_learns_which_comments_are_their_own(server: Any, api: httpx.Client, repo: str) -> None:
    query = """query($ids: [ID!]!) {
        nodes(ids: $ids) { ... on IssueComment { fullDatabaseId viewerDidAuthor } }
    }"""
    api.post(f"/repos/{repo}/issues", json={"title": "Red"}).raise_for_status()
    with server.client(server.installation_token()) as app:
        written = [
            client.post(f"/repos/{repo}/issues/1/comments", json={"body": "Hello."}).json() for client in (api, app)
        ]
        ids = [comment["node_id"] for comment in written]
        for client, own in ((api, [True, False]), (app, [False, True])):
            answer = client.post(
                f"{server.url}/api/graphql", json={"query": query, "variables": {"ids": [*ids, "IC_0"]}}
            ).json()
            *found, none = answer["data"]["nodes"]
            assert [one["viewerDidAuthor"] for one in found] == own
            assert [int(one["fullDatabaseId"]) for one in found] == [comment["id"] for comment in written]
            assert (none, answer["errors"][0]["type"]) == (None, "NOT_FOUND")
        body = {"query": query, "variables": {"ids": ids * 51}}
        refused = app.post(f"{server.url}/api/graphql", json=body).json()
    assert refused["errors"][0]["message"] == "You may not provide more than 100 node ids; you provided 102."
