"""People steer by comments, reviews and comments on lines; who answers can react to each and reply on the line."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ADD_REACTION = """
mutation($subject: ID!, $content: ReactionContent!) {
    addReaction(input: {subjectId: $subject, content: $content}) {
        reaction { content user { login } }
        subject { id reactions(first: 10) { totalCount nodes { content } } }
    }
}
"""


REVIEW = """
query($subject: ID!, $after: String) {
    node(id: $subject) {
        ... on PullRequestReview { ...review }
        ... on PullRequestReviewComment { replyTo { fullDatabaseId } pullRequestReview { ...review } }
    }
}
fragment review on PullRequestReview {
    fullDatabaseId state submittedAt body url author { login }
    comments(first: 1, after: $after) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes { id fullDatabaseId path line originalLine startLine diffHunk body createdAt url }
    }
}
"""


@pytest.fixture
def pull(api: httpx.Client, repo: str, branch_with_commit: Callable[[str], str], git: Any, server: Any) -> str:
    """The API path of a pull request, by the person, that adds a file of three lines."""
    branch_with_commit("claude/1")
    git.run("clone", "-q", "-b", "claude/1", git.url(repo, server.credentials["token"]), "work")
    (git.folder / "work/new.txt").write_text("one\ntwo\nthree\n")
    git.run("add", "new.txt", folder="work")
    git.run("commit", "-q", "-m", "add", folder="work")
    git.run("push", "-q", "origin", "claude/1", folder="work")
    answer = api.post(f"/repos/{repo}/pulls", json={"title": "t", "head": "claude/1", "base": "main"})
    assert answer.status_code == 201, answer.text
    return f"/repos/{repo}/pulls/{answer.json()['number']}"


@pytest.fixture
def app(server: Any) -> Any:
    """REST and GraphQL as the App's installation."""
    with server.client(server.installation_token()) as client:
        yield client


def _react(server: Any, client: httpx.Client, subject: str, content: str = "EYES") -> dict[str, Any]:
    body = {"query": ADD_REACTION, "variables": {"subject": subject, "content": content}}
    return dict(client.post(f"{server.url}/api/graphql", json=body).json())


def _review(api: httpx.Client, pull: str) -> dict[str, Any]:
    comments = [{"path": "new.txt", "line": line, "body": f"line {line}"} for line in (1, 2)]
    answer = api.post(f"{pull}/reviews", json={"event": "COMMENT", "body": "two things", "comments": comments})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_review_with_two_comments_is_told_as_one_review_and_two_comments(
    api: httpx.Client, pull: str, receiver: Any
) -> None:
    review = _review(api, pull)
    receiver.wait_for("pull_request_review_comment", "created", times=2)
    delivered = receiver.wait_for("pull_request_review", "submitted").payload["review"]
    assert (review["id"], review["node_id"], "two things", "commented") == (
        delivered["id"],
        delivered["node_id"],
        delivered["body"],
        delivered["state"],
    )
    assert (delivered["user"]["login"], delivered["user"]["type"], delivered["author_association"]) == (
        "octo-dev",
        "User",
        "MEMBER",
    )
    events = [delivery.event for delivery in receiver.deliveries if "review" in delivery.event]
    assert sorted(events) == ["pull_request_review", "pull_request_review_comment", "pull_request_review_comment"]
    comments = [d.payload["comment"] for d in receiver.deliveries if d.event == "pull_request_review_comment"]
    assert {(1, "line 1"), (2, "line 2")} == {(comment["line"], comment["body"]) for comment in comments}
    for comment in comments:
        assert (review["id"], "new.txt") == (comment["pull_request_review_id"], comment["path"])
        hunk = ["@@ -0,0 +1,3 @@", "+one", "+two"]
        assert hunk[: comment["line"] + 1] == comment["diff_hunk"].split("\n")
        assert comment["node_id"]
        assert "in_reply_to_id" not in comment


def test_a_reviews_comments_are_listed_by_themselves_and_as_html_where_that_is_asked_for(
    api: httpx.Client, pull: str
) -> None:
    api.post(f"{pull}/comments", json={"path": "new.txt", "line": 1, "body": "Of another."}).raise_for_status()
    comments = [{"path": "new.txt", "line": 2, "body": "**Two**"}]
    review = api.post(f"{pull}/reviews", json={"event": "COMMENT", "body": "_One_", "comments": comments}).json()
    full = {"Accept": "application/vnd.github.full+json"}
    read = api.get(f"{pull}/reviews/{review['id']}", headers=full).json()
    listed = api.get(f"{pull}/reviews/{review['id']}/comments", headers=full).json()
    html = [one["body_html"].strip() for one in (read, *listed)]
    assert html == ["<p><em>One</em></p>", "<p><strong>Two</strong></p>"]


def test_a_single_comment_on_a_line_is_told_with_a_review_without_a_text(
    api: httpx.Client, pull: str, receiver: Any
) -> None:
    api.post(f"{pull}/comments", json={"path": "new.txt", "line": 1, "body": "why?"}).raise_for_status()
    comment = receiver.wait_for("pull_request_review_comment", "created").payload["comment"]
    review = receiver.wait_for("pull_request_review", "submitted").payload["review"]
    assert (None, comment["pull_request_review_id"]) == (review["body"], review["id"])


def test_a_reply_stands_below_the_comment_it_answers(
    api: httpx.Client, app: httpx.Client, pull: str, receiver: Any
) -> None:
    comment = api.post(f"{pull}/comments", json={"path": "new.txt", "line": 2, "body": "why?"}).json()
    answer = app.post(f"{pull}/comments/{comment['id']}/replies", json={"body": "because"})
    reply = answer.json()
    assert (201, comment["id"], "because") == (answer.status_code, reply["in_reply_to_id"], reply["body"])
    assert ("new.txt", 2, comment["diff_hunk"]) == (reply["path"], reply["line"], reply["diff_hunk"])
    delivered = receiver.wait_for("pull_request_review_comment", "created", times=2).payload
    replies = [d.payload["comment"] for d in receiver.deliveries if d.payload.get("comment", {}).get("in_reply_to_id")]
    assert [reply["id"]] == [one["id"] for one in replies]
    assert delivered["pull_request"]["number"]


def test_a_reply_is_refused_to_a_reply_and_to_a_comment_of_another_pull_request(
    api: httpx.Client, app: httpx.Client, pull: str
) -> None:
    comment = api.post(f"{pull}/comments", json={"path": "new.txt", "line": 2, "body": "why?"}).json()
    reply = app.post(f"{pull}/comments/{comment['id']}/replies", json={"body": "because"}).json()
    assert app.post(f"{pull}/comments/{reply['id']}/replies", json={"body": "again"}).status_code == 422
    assert app.post(f"{pull}/comments/999999/replies", json={"body": "again"}).status_code == 404
    assert app.post(f"{pull}/comments/{comment['id']}/replies", json={"body": " "}).status_code == 422


def test_the_app_reacts_to_a_comment_a_review_and_a_comment_on_a_line(
    server: Any, api: httpx.Client, app: httpx.Client, pull: str
) -> None:
    subjects = [
        api.post(f"{pull.replace('/pulls/', '/issues/')}/comments", json={"body": "please"}).json(),
        _review(api, pull),
        api.get(f"{pull}/comments").json()[0],
        api.get(pull.replace("/pulls/", "/issues/")).json(),
    ]
    for subject in subjects:
        for _ in range(2):  # the second one changes nothing
            data = _react(server, app, subject["node_id"])["data"]["addReaction"]
            assert data["reaction"] == {"content": "EYES", "user": {"login": "local-app[bot]"}}
            seen = {"id": subject["node_id"], "reactions": {"totalCount": 1, "nodes": [{"content": "EYES"}]}}
            assert seen == data["subject"]
    comment = api.get(f"{pull.replace('/pulls/', '/issues/')}/comments").json()[0]
    assert (comment["reactions"]["eyes"], comment["reactions"]["total_count"]) == (1, 1)


def test_the_page_shows_what_people_said_in_order_with_reviews_threads_and_reactions(
    server: Any, api: httpx.Client, pull: str
) -> None:
    comments = pull.replace("/pulls/", "/issues/") + "/comments"
    comment = api.post(comments, json={"body": "First words"}).json()
    api.post(f"{comment['url']}/reactions", json={"content": "eyes"})
    line = {"path": "new.txt", "line": 2, "body": "This line"}
    api.post(f"{pull}/reviews", json={"event": "COMMENT", "body": "The whole", "comments": [line]})
    (thread,) = api.get(f"{pull}/comments").json()
    api.post(f"{pull}/comments/{thread['id']}/replies", json={"body": "And the reply"})

    page = httpx.get(server.url + pull.removeprefix("/repos").replace("/pulls/", "/pull/")).text

    words = ["First words", "👀 1", "reviewed", "The whole", "new.txt, line 2", "+two", "This line", "the reply"]
    positions = [page.find(word) for word in words]
    assert -1 not in positions, page
    assert sorted(positions) == positions


def test_a_comment_on_a_line_that_the_diff_does_not_show_is_refused(api: httpx.Client, pull: str) -> None:
    refused = api.post(f"{pull}/comments", json={"path": "new.txt", "line": 4, "body": "why?"})
    (cause,) = refused.json()["errors"]
    assert (refused.status_code, cause["message"]) == (422, "pull_request_review_thread.line must be part of the diff")


@pytest.mark.parametrize("subject", ["IC_999999", "PRR_x", "nonsense", ""])
def test_nothing_is_no_subject_of_a_reaction(server: Any, app: httpx.Client, subject: str) -> None:
    (error,) = _react(server, app, subject)["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["addReaction"])


def test_a_token_that_may_not_write_may_not_react(server: Any, api: httpx.Client, repo: str) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "t"}).raise_for_status()
    comment = api.post(f"/repos/{repo}/issues/1/comments", json={"body": "please"}).json()
    with server.client(server.installation_token(permissions={"contents": "write"})) as narrow:
        (error,) = _react(server, narrow, comment["node_id"])["errors"]
    assert (error["type"], error["message"]) == ("FORBIDDEN", "Resource not accessible by integration")
    assert api.get(f"/repos/{repo}/issues/comments/{comment['id']}").json()["reactions"]["eyes"] == 0


def test_who_edited_an_issues_text_last_is_known_and_a_new_title_or_label_is_no_edit(
    server: Any, api: httpx.Client, repo: str
) -> None:
    issue = api.post(f"/repos/{repo}/issues", json={"title": "t", "body": "one"}).json()
    query = "query($id: ID!) { node(id: $id) { ... on Issue { editor { __typename login } lastEditedAt } } }"

    def edit() -> dict[str, Any]:
        body = {"query": query, "variables": {"id": issue["node_id"]}}
        return dict(api.post(f"{server.url}/api/graphql", json=body).json()["data"]["node"])

    api.patch(f"/repos/{repo}/issues/{issue['number']}", json={"title": "u", "labels": ["bug"]}).raise_for_status()
    assert edit() == {"editor": None, "lastEditedAt": None}
    edited = api.patch(f"/repos/{repo}/issues/{issue['number']}", json={"body": "two"}).json()
    assert edit() == {"editor": {"__typename": "User", "login": "octo-dev"}, "lastEditedAt": edited["updated_at"]}


def test_an_unknown_content_is_refused(server: Any, app: httpx.Client) -> None:
    assert "SHRUG" in _react(server, app, "IC_1", "SHRUG")["errors"][0]["message"]


@pytest.mark.parametrize(
    ("given", "shown_as"),
    [("pull", ("read", "read")), ("triage", ("read", "triage")), ("push", ("write", "write"))],
)
def test_the_app_reads_what_a_person_may_do(
    server: Any, api: httpx.Client, repo: str, given: str, shown_as: tuple[str, str]
) -> None:
    login = f"zoe-{given}-{repo[-8:]}"
    api.post("/admin/users", json={"login": login}).raise_for_status()
    api.put(f"/repos/{repo}/collaborators/{login}", json={"permission": given}).raise_for_status()
    # The narrowest token there is: metadata is part of every one.
    with server.client(server.installation_token(permissions={"contents": "read"})) as app:
        shown = app.get(f"/repos/{repo}/collaborators/{login}/permission").json()
        assert app.get(f"/repos/{repo}/collaborators/nobody-at-all/permission").status_code == 404
    assert (*shown_as, login) == (shown["permission"], shown["role_name"], shown["user"]["login"])


def test_a_comparison_tells_each_commits_parents(api: httpx.Client, repo: str, branch_with_commit: Any) -> None:
    sha = branch_with_commit("claude/1")
    document = api.get(f"/repos/{repo}/compare/main...claude/1").json()
    (commit,) = document["commits"]
    assert (sha, [document["base_commit"]["sha"]]) == (commit["sha"], [parent["sha"] for parent in commit["parents"]])


def _read(server: Any, client: httpx.Client, subject: str, after: str | None = None) -> dict[str, Any]:
    body = {"query": REVIEW, "variables": {"subject": subject, "after": after}}
    answer = client.post(f"{server.url}/api/graphql", json=body).json()
    return dict(answer["data"]["node"])


def test_graphql_pages_through_a_reviews_comments_and_leads_from_each_to_the_review(
    server: Any, api: httpx.Client, pull: str, app: httpx.Client
) -> None:
    submitted = _review(api, pull)
    review = _read(server, app, submitted["node_id"])
    assert (str(submitted["id"]), "COMMENTED", "two things", "octo-dev", submitted["html_url"]) == (
        review["fullDatabaseId"],
        review["state"],
        review["body"],
        review["author"]["login"],
        review["url"],
    )
    first = review["comments"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (2, True)
    second = _read(server, app, submitted["node_id"], first["pageInfo"]["endCursor"])["comments"]
    assert second["pageInfo"]["hasNextPage"] is False
    (comment,) = first["nodes"]
    listed = api.get(f"{pull}/comments").json()
    assert [comment["fullDatabaseId"], second["nodes"][0]["fullDatabaseId"]] == [str(one["id"]) for one in listed]
    assert (comment["path"], comment["line"], comment["diffHunk"]) == ("new.txt", 1, listed[0]["diff_hunk"])
    of_comment = _read(server, app, comment["id"])
    assert (of_comment["pullRequestReview"]["fullDatabaseId"], of_comment["replyTo"]) == (str(submitted["id"]), None)
    reply = api.post(f"{pull}/comments/{listed[0]['id']}/replies", json={"body": "and?"}).json()
    assert _read(server, app, reply["node_id"])["replyTo"] == {"fullDatabaseId": comment["fullDatabaseId"]}


def test_reviews_and_their_comments_are_edited_and_deleted_and_each_is_announced(
    api: httpx.Client, pull: str, receiver: Any
) -> None:
    review = _review(api, pull)
    receiver.wait_for("pull_request_review_comment", "created", times=2)
    assert api.put(f"{pull}/reviews/{review['id']}", json={"body": "one thing"}).json()["body"] == "one thing"
    assert api.get(f"{pull}/reviews/{review['id']}").json()["body"] == "one thing"
    edited = receiver.wait_for("pull_request_review", "edited").payload
    assert (edited["review"]["body"], edited["changes"]) == ("one thing", {"body": {"from": "two things"}})

    first, second = api.get(f"{pull}/comments").json()
    one = first["url"].removeprefix(str(api.base_url).rstrip("/"))
    assert api.patch(one, json={"body": "this line"}).json()["body"] == "this line"
    changed = receiver.wait_for("pull_request_review_comment", "edited").payload
    assert (changed["comment"]["body"], changed["changes"]) == ("this line", {"body": {"from": "line 1"}})
    assert api.delete(one).status_code == 204
    assert receiver.wait_for("pull_request_review_comment", "deleted").payload["comment"]["id"] == first["id"]
    assert [comment["id"] for comment in api.get(f"{pull}/comments").json()] == [second["id"]]
    assert api.get(one).status_code == 404


def test_a_reaction_to_an_issue_returns_its_state_and_labels(
    server: Any, api: httpx.Client, repo: str, app: Any
) -> None:
    issue = api.post(f"/repos/{repo}/issues", json={"title": "t", "labels": ["b", "a"]}).json()
    query = """mutation($subject: ID!) { addReaction(input: {subjectId: $subject, content: EYES}) {
        subject { ... on Issue { state labels(first: 100) { nodes { name } } } } } }"""
    body = {"query": query, "variables": {"subject": issue["node_id"]}}
    subject = app.post(f"{server.url}/api/graphql", json=body).json()["data"]["addReaction"]["subject"]
    assert subject == {"state": "OPEN", "labels": {"nodes": [{"name": "a"}, {"name": "b"}]}}
    assert api.get(f"/repos/{repo}/issues/{issue['number']}/reactions").json()[0]["content"] == "eyes"


def test_the_threads_of_a_pull_request_are_known_by_their_lines_and_replies(
    server: Any, api: httpx.Client, pull: str
) -> None:
    _review(api, pull)
    first = api.get(f"{pull}/comments").json()[0]["id"]
    api.post(f"{pull}/comments/{first}/replies", json={"body": "a reply"}).raise_for_status()
    query = """query($id: ID!) { node(id: $id) { ... on PullRequest { reviewThreads(first: 9) {
        nodes { isResolved path line comments(first: 9) { nodes { body } } }
    } } } }"""
    body = {"query": query, "variables": {"id": api.get(pull).json()["node_id"]}}
    found = api.post(f"{server.url}/api/graphql", json=body).json()["data"]["node"]["reviewThreads"]["nodes"]
    assert [(one["path"], one["line"], one["isResolved"]) for one in found] == [
        ("new.txt", 1, False),
        ("new.txt", 2, False),
    ]
    said = [[comment["body"] for comment in one["comments"]["nodes"]] for one in found]
    assert said == [["line 1", "a reply"], ["line 2"]]
