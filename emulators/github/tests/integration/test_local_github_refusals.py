"""Repositories and installations as the App can find them: archived, ruled, suspended, gone, renamed, empty."""

# ruff: noqa: ANN401 - the fixtures' classes stand in conftest.py, which cannot be imported

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

CREATIONS = "Cannot create ref due to creations being restricted."
UPDATES = "Cannot update this protected ref."


@pytest.fixture
def app(server: Any) -> Iterator[httpx.Client]:
    """REST as the App's installation."""
    with server.client(server.installation_token()) as client:
        yield client


@pytest.fixture
def app_itself(server: Any) -> Iterator[httpx.Client]:
    """REST as the App, proven by its JWT."""
    with server.client(server.app_jwt()) as client:
        yield client


@pytest.fixture
def rule(server: Any, api: httpx.Client, repo: str) -> Callable[..., None]:
    """Let a ruleset hold for the agents' branches, and bind all but `exempt`."""
    bypass = {
        "the app": {"actor_id": server.credentials["app_id"], "actor_type": "Integration", "bypass_mode": "always"},
        "administrators": {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"},
    }

    def make(*types: str, exempt: str = "", **more: Any) -> None:
        ruleset = {
            "name": "no agents",
            "enforcement": "active",
            "conditions": {"ref_name": {"include": ["refs/heads/claude/**"], "exclude": ["refs/heads/claude/free/*"]}},
            "rules": [{"type": kind} for kind in types],
            "bypass_actors": [bypass[exempt]] if exempt else [],
            **more,
        }
        answer = api.post(f"/repos/{repo}/rulesets", json=ruleset)
        assert answer.status_code == 201, answer.text

    return make


def _clone_with_commit(git: Any, url: str) -> str:
    git.run("clone", "-q", url, "work")
    git.run("commit", "-q", "--allow-empty", "-m", "more", folder="work")
    return str(git.run("rev-parse", "HEAD", folder="work"))


def _main(api: httpx.Client, repo: str) -> str:
    return str(api.get(f"/repos/{repo}/git/ref/heads/main").json()["object"]["sha"])


def test_an_archived_repository_refuses_the_apps_writes_and_pushes(
    server: Any, api: httpx.Client, app: httpx.Client, repo: str, git: Any
) -> None:
    _clone_with_commit(git, git.url(repo, server.installation_token()))
    api.patch(f"/repos/{repo}", json={"archived": True}).raise_for_status()
    ref = {"ref": "refs/heads/claude/1", "sha": _main(api, repo)}
    for path, body in (("git/refs", ref), ("issues", {"title": "t"})):
        refused = app.post(f"/repos/{repo}/{path}", json=body)
        assert (refused.status_code, refused.json()["message"]) == (403, "Repository was archived so is read-only.")
    printed = git.run("push", "origin", "main", folder="work", fails=True)
    assert "This repository was archived so it is read-only." in printed
    assert "403" in printed


def test_a_push_by_one_who_may_only_read_is_refused_in_githubs_words(
    server: Any, api: httpx.Client, repo: str, git: Any
) -> None:
    token = server.installation_token(permissions={"contents": "read"})
    _clone_with_commit(git, git.url(repo, token))
    assert "Write access to repository not granted." in git.run("push", "origin", "main", folder="work", fails=True)
    login = f"zoe-{repo[-8:]}"
    api.post("/admin/users", json={"login": login})
    zoe = api.post(f"/admin/users/{login}/authorizations", json={"scopes": ["repo"]}).json()["token"]
    printed = git.run("push", git.url(repo, zoe), "main", folder="work", fails=True)
    assert f"Permission to {repo}.git denied to {login}." in printed


def test_a_rule_forbids_to_make_an_agents_branch_by_the_api(
    api: httpx.Client, app: httpx.Client, repo: str, rule: Callable[..., None]
) -> None:
    rule("creation")
    main = _main(api, repo)
    refused = app.post(f"/repos/{repo}/git/refs", json={"ref": "refs/heads/claude/1", "sha": main})
    message = f"Repository rule violations found\n\n{CREATIONS}\n\n"
    assert (422, message) == (refused.status_code, refused.json()["message"])
    assert api.get(f"/repos/{repo}/git/ref/heads/claude/1").status_code == 404
    for free in ("refs/heads/claude/free/1", "refs/heads/other"):
        assert app.post(f"/repos/{repo}/git/refs", json={"ref": free, "sha": main}).status_code == 201


def test_a_rule_forbids_to_move_and_to_remove_an_agents_branch(
    app: httpx.Client, api: httpx.Client, repo: str, rule: Callable[..., None], branch_with_commit: Any
) -> None:
    sha, main = branch_with_commit("claude/1"), _main(api, repo)
    path = f"/repos/{repo}/git/refs/heads/claude/1"
    rule("update", "deletion")
    refused = app.patch(path, json={"sha": main, "force": True})
    assert (refused.status_code, UPDATES in refused.json()["message"]) == (422, True)
    assert app.delete(path).status_code == 422
    assert sha == api.get(f"/repos/{repo}/git/ref/heads/claude/1").json()["object"]["sha"]


@pytest.mark.parametrize("exempt", ["the app", "administrators"])
def test_a_rule_binds_nobody_on_its_bypass_list(
    api: httpx.Client, app: httpx.Client, repo: str, rule: Callable[..., None], exempt: str
) -> None:
    rule("creation", exempt=exempt)
    ref = {"ref": "refs/heads/claude/1", "sha": _main(api, repo)}
    free, bound = (app, api) if exempt == "the app" else (api, app)
    assert [who.post(f"/repos/{repo}/git/refs", json=ref).status_code for who in (bound, free)] == [422, 201]


@pytest.mark.parametrize("enforcement", ["disabled", "evaluate"])
def test_a_ruleset_that_is_not_active_forbids_nothing(
    api: httpx.Client, app: httpx.Client, repo: str, rule: Callable[..., None], enforcement: str
) -> None:
    rule("creation", enforcement=enforcement)
    ref = {"ref": "refs/heads/claude/1", "sha": _main(api, repo)}
    assert app.post(f"/repos/{repo}/git/refs", json=ref).status_code == 201


def test_the_active_rules_of_a_branch_are_listed_whether_it_exists_or_not(
    app: httpx.Client, repo: str, rule: Callable[..., None]
) -> None:
    rule("update", "deletion", exempt="the app")
    rule("creation", enforcement="evaluate")

    def rules(branch: str) -> list[str]:
        return [one["type"] for one in app.get(f"/repos/{repo}/rules/branches/{branch}").json()]

    assert rules("claude/never-pushed") == ["update", "deletion"]
    assert rules("claude/free/1") == rules("main") == []


@pytest.mark.parametrize("ruleset", [{}, {"name": "x", "enforcement": "active", "rules": [{"type": "file_size"}]}])
def test_a_ruleset_that_cannot_be_enforced_here_is_refused(
    api: httpx.Client, repo: str, ruleset: dict[str, Any]
) -> None:
    assert api.post(f"/repos/{repo}/rulesets", json=ruleset).status_code == 422
    assert api.get(f"/repos/{repo}/rulesets").json() == []


def test_a_push_that_a_rule_forbids_is_declined_with_gh013_and_moves_nothing(
    server: Any, api: httpx.Client, repo: str, git: Any, rule: Callable[..., None]
) -> None:
    _clone_with_commit(git, git.url(repo, server.installation_token()))
    rule("creation", "update")
    printed = git.run("push", "origin", "HEAD:refs/heads/claude/1", "HEAD:refs/heads/other", folder="work", fails=True)
    for words in (
        "remote: error: GH013: Repository rule violations found for refs/heads/claude/1.",
        f"{repo}/rules?ref=refs%2Fheads%2Fclaude%2F1",
        f"remote: - {CREATIONS}",
        "! [remote rejected] HEAD -> claude/1 (push declined due to repository rule violations)",
    ):
        assert words in printed
    assert [branch["name"] for branch in api.get(f"/repos/{repo}/branches").json()] == ["main"]
    git.run("push", "-q", "origin", "HEAD:refs/heads/other", folder="work")


def test_a_push_to_an_agents_branch_that_exists_is_declined_by_a_rule_for_updates(
    server: Any, repo: str, git: Any, rule: Callable[..., None], branch_with_commit: Any
) -> None:
    sha = branch_with_commit("claude/1")
    _clone_with_commit(git, git.url(repo, server.installation_token()))
    rule("update")
    printed = git.run("push", "--force", "origin", "HEAD:refs/heads/claude/1", folder="work", fails=True)
    assert f"remote: - {UPDATES}" in printed
    assert f"{sha}\trefs/heads/claude/1" == git.run("ls-remote", "origin", "claude/1", folder="work")


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("required_signatures", {}, "Commits must have verified signatures."),
        ("required_linear_history", {}, "This branch must not contain merge commits."),
        (
            "commit_message_pattern",
            {"operator": "starts_with", "pattern": "feat: "},
            "Commit message must start with: feat: ",
        ),
        (
            "commit_author_email_pattern",
            {"operator": "regex", "pattern": "@", "negate": True},
            "Commit author email must not match: @",
        ),
    ],
)
def test_a_push_of_commits_that_a_rule_forbids_is_declined_with_their_names(  # noqa: PLR0913, PLR0917 - a row
    server: Any, api: httpx.Client, repo: str, git: Any, kind: str, parameters: dict[str, Any], words: str
) -> None:
    _clone_with_commit(git, git.url(repo, server.installation_token()))
    git.run("checkout", "-q", "-b", "side", "HEAD~1", folder="work")
    git.run("commit", "-q", "--allow-empty", "-m", "aside", folder="work")
    git.run("checkout", "-q", "main", folder="work")
    git.run("merge", "-q", "-m", "merge", "side", folder="work")
    sha = git.run("rev-parse", "HEAD", folder="work")
    ruleset = {
        "name": "commits",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/heads/claude/*"]}},
        "rules": [{"type": kind, **({"parameters": parameters} if parameters else {})}],
    }
    api.post(f"/repos/{repo}/rulesets", json=ruleset).raise_for_status()

    printed = git.run("push", "origin", "HEAD:refs/heads/claude/1", folder="work", fails=True)

    assert "GH013: Repository rule violations found for refs/heads/claude/1." in printed
    assert f"remote: - {words}" in printed
    assert f"remote:   {sha}" in printed
    assert "(push declined due to repository rule violations)" in printed
    assert [branch["name"] for branch in api.get(f"/repos/{repo}/branches").json()] == ["main"]
    listed = {**parameters, "negate": parameters.get("negate", False), "name": ""} if parameters else None
    (told,) = api.get(f"/repos/{repo}/rules/branches/claude/1").json()
    assert (told["type"], told.get("parameters")) == (kind, listed)
    git.run("push", "-q", "origin", "HEAD:refs/heads/other", folder="work")


def test_a_workflow_is_taken_only_from_a_token_that_may_write_workflows_or_once_a_branch_has_it(
    server: Any, api: httpx.Client, repo: str, git: Any
) -> None:
    may, may_not = (
        git.url(repo, server.installation_token(permissions=permissions))
        for permissions in ({"contents": "write", "workflows": "write"}, {"contents": "write"})
    )
    git.run("clone", "-q", may_not, "work")
    file = Path(git.folder, "work", ".github", "workflows", "ci.yml")
    file.parent.mkdir(parents=True)
    file.write_text("on: push\n")
    git.run("add", ".", folder="work")
    git.run("commit", "-q", "-m", "a workflow", folder="work")

    printed = git.run("push", may_not, "HEAD:refs/heads/claude/1", folder="work", fails=True)

    reason = (
        "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows`"
    )
    assert f"! [remote rejected] HEAD -> claude/1 ({reason} permission)" in printed
    assert [branch["name"] for branch in api.get(f"/repos/{repo}/branches").json()] == ["main"]
    git.run("push", "-q", may, "HEAD:refs/heads/other", folder="work")
    git.run("commit", "-q", "--allow-empty", "-m", "more", folder="work")
    git.run("push", "-q", may_not, "HEAD:refs/heads/claude/1", folder="work")
    git.run("push", "-q", may_not, ":refs/heads/other", folder="work")


@pytest.fixture
def suspended(server: Any, app: httpx.Client, app_itself: httpx.Client) -> Iterator[Callable[[], None]]:
    """Let the organization's installation, which has a token, be suspended; call it to end the suspension."""
    assert app.headers["Authorization"]
    path = f"/app/installations/{server.credentials['installation_id']}/suspended"
    assert app_itself.put(path).status_code == 204

    def end() -> None:
        assert app_itself.delete(path).status_code == 204

    yield end
    end()


def test_a_suspended_installation_can_do_nothing_until_it_is_not_any_more(
    app: httpx.Client, app_itself: httpx.Client, repo: str, suspended: Callable[[], None]
) -> None:
    (installation,) = [i for i in app_itself.get("/app/installations").json() if i["suspended_at"]]
    tokens = f"/app/installations/{installation['id']}/access_tokens"
    for refused in (app.get(f"/repos/{repo}"), app_itself.post(tokens)):
        printed = "This installation has been suspended"
        assert (403, printed) == (refused.status_code, refused.json()["message"])
    suspended()
    assert app.get(f"/repos/{repo}").status_code == 200
    assert app_itself.post(tokens).status_code == 201


@pytest.mark.usefixtures("suspended")
def test_git_tells_that_an_installation_is_suspended(
    app: httpx.Client, git: Any, new_repository: Callable[..., str]
) -> None:
    token = app.headers["Authorization"].removeprefix("Bearer ")
    printed = git.run("clone", "-q", git.url(new_repository(private=True), token), "work", fails=True)
    assert "This installation has been suspended" in printed


def test_a_suspended_installation_is_told_nothing(
    api: httpx.Client, repo: str, receiver: Any, suspended: Callable[[], None]
) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "unheard of"}).raise_for_status()
    suspended()
    api.post(f"/repos/{repo}/issues", json={"title": "delivered"}).raise_for_status()
    receiver.wait_for("issues", "opened")
    titles = [delivery.payload["issue"]["title"] for delivery in receiver.deliveries if delivery.event == "issues"]
    assert titles == ["delivered"]


def test_a_deleted_installation_is_gone_with_its_tokens_and_a_new_one_has_another_id(
    server: Any, api: httpx.Client, app_itself: httpx.Client
) -> None:
    (person,) = [i for i in app_itself.get("/app/installations").json() if i["account"]["login"] == "octo-dev"]
    installation = f"/app/installations/{person['id']}"
    token = app_itself.post(f"{installation}/access_tokens").json()["token"]
    assert app_itself.delete(installation).status_code == 204
    try:
        assert app_itself.post(f"{installation}/access_tokens").status_code == 404
        assert app_itself.get("/users/octo-dev/installation").status_code == 404
        with server.client(token) as orphan:
            assert orphan.get("/installation/repositories").status_code == 401
    finally:
        made = api.post("/admin/installations", json={"account": "octo-dev"})
    assert made.status_code == 201
    assert person["id"] != made.json()["id"]
    assert made.json()["id"] == app_itself.get("/users/octo-dev/installation").json()["id"]
    assert api.post("/admin/installations", json={"account": "zoe"}).status_code == 404


def test_a_renamed_repository_is_found_by_its_new_name_and_its_old_one_leads_there(
    server: Any, api: httpx.Client, app: httpx.Client, repo: str, git: Any
) -> None:
    new = f"{repo}-renamed"
    name = new.removeprefix("acme/")
    renamed = api.patch(f"/repos/{repo}", json={"name": name}).json()
    assert new == renamed["full_name"]
    moved = app.get(f"/repos/{repo}/issues", params={"state": "all"})
    assert (301, f"{server.api_url}/repositories/{renamed['id']}/issues?state=all") == (
        moved.status_code,
        moved.headers["location"],
    )
    assert moved.json()["message"] == "Moved Permanently"
    assert app.post(f"/repos/{repo}/issues", json={"title": "t"}).status_code == 307
    followed = app.post(f"/repos/{repo}/issues", json={"title": "t"}, follow_redirects=True)
    assert (201, new) == (followed.status_code, followed.json()["repository_url"].split("/repos/")[1])
    _clone_with_commit(git, git.url(repo, server.installation_token()))
    git.run("push", "-q", "origin", "main", folder="work")
    taken = api.post("/orgs/acme/repos", json={"name": repo.removeprefix("acme/")})
    assert taken.status_code == 201  # the old name is free, and then leads nowhere else
    assert api.get(f"/repos/{repo}").status_code == 200


def test_a_transferred_repository_keeps_its_number_and_its_old_address_leads_to_it(
    api: httpx.Client, repo: str
) -> None:
    before = api.get(f"/repos/{repo}").json()
    issue = api.post(f"/repos/{repo}/issues", json={"title": "t"}).json()
    transferred = api.post(f"/repos/{repo}/transfer", json={"new_owner": "octo-dev"})
    after = f"octo-dev/{before['name']}"
    assert (202, before["id"], after) == (transferred.status_code, *map(transferred.json().get, ("id", "full_name")))
    found = api.get(f"/repos/{repo}/issues/{issue['number']}", follow_redirects=True).json()
    assert (issue["id"], after) == (found["id"], found["repository_url"].split("/repos/")[1])
    assert api.get(f"/repositories/{before['id']}").json()["full_name"] == after
    assert api.post(f"/repos/{after}/transfer", json={"new_owner": "nobody"}).status_code == 422


def test_a_repository_is_not_renamed_to_a_name_that_is_taken(api: httpx.Client, repo: str, new_repository: Any) -> None:
    other = new_repository().removeprefix("acme/")
    assert api.patch(f"/repos/{repo}", json={"name": other}).status_code == 422
    assert api.get(f"/repos/{repo}").status_code == 200


def test_a_deleted_repository_is_not_found_by_api_and_git(
    server: Any, api: httpx.Client, app: httpx.Client, repo: str, git: Any
) -> None:
    api.post(f"/repos/{repo}/issues", json={"title": "t", "labels": ["x"]}).raise_for_status()
    assert app.delete(f"/repos/{repo}").status_code == 403
    assert api.delete(f"/repos/{repo}").status_code == 204
    assert [app.get(f"/repos/{repo}{rest}").status_code for rest in ("", "/issues/1")] == [404, 404]
    printed = git.run("clone", "-q", git.url(repo, server.installation_token()), "work", fails=True)
    assert "not found" in printed
    api.post("/orgs/acme/repos", json={"name": repo.removeprefix("acme/"), "auto_init": True}).raise_for_status()
    assert api.get(f"/repos/{repo}/issues", params={"state": "all"}).json() == []


def test_an_empty_repository_has_no_branch_to_start_from(app: httpx.Client, new_repository: Callable[..., str]) -> None:
    empty = new_repository(auto_init=False)
    assert app.get(f"/repos/{empty}").json()["default_branch"] == "main"
    ref = app.get(f"/repos/{empty}/git/ref/heads/main")
    assert (ref.status_code, ref.json()["message"]) == (409, "Git Repository is empty.")
    assert app.get(f"/repos/{empty}/branches/main").status_code == 404
    assert app.get(f"/repos/{empty}/commits").status_code == 409
    made = app.post(f"/repos/{empty}/git/refs", json={"ref": "refs/heads/claude/1", "sha": "0" * 40})
    assert made.status_code == 409
