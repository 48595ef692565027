"""The local GitHub and clones of its repositories, for the person who looks at what the steps have done there."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_agent.domain.session.session_request import RequestedSession

    Json = dict[str, Any]

GIT_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": f"claude@{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
_numbers = itertools.count(1)


class GitHub:
    """The local GitHub, spoken to as its administrator."""

    def __init__(self, port: int, data_dir: Path) -> None:
        self.url = f"http://localhost:{port}"
        self.api_url = f"{self.url}/api/v3"
        self.credentials: Json = json.loads((data_dir / "credentials.json").read_text())
        authorization = {"Authorization": f"Bearer {self.credentials['token']}"}
        self._http = httpx.Client(base_url=self.api_url, headers=authorization, timeout=30)

    def call(self, method: str, path: str, /, **body: Any) -> Any:  # noqa: ANN401 - whatever JSON
        answer = self._http.request(method, path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON
        return self.call("GET", path)

    def new_repository(self, *, auto_init: bool = True) -> str:
        """The full name of a repository of the organization, with one commit unless told otherwise."""
        name = f"app-{next(_numbers)}"
        name_of: str = self.call("POST", "/orgs/acme/repos", name=name, auto_init=auto_init)["full_name"]
        return name_of

    def branches(self, repo: str) -> dict[str, str]:
        """Head by branch."""
        return {branch["name"]: branch["commit"]["sha"] for branch in self.get(f"/repos/{repo}/branches")}

    def add_commit(self, repo: str, branch: str, message: str) -> str:
        """The sha of an empty commit on top of the branch."""
        return self._commit(repo, branch, message, [self.branches(repo)[branch]])

    def merge(self, repo: str, branch: str) -> str:
        """The sha of the commit that merges the branch into main."""
        heads = self.branches(repo)
        return self._commit(repo, "main", f"Merge {branch}", [heads["main"], heads[branch]])

    def squash(self, pull: Json) -> None:
        """Merge the pull request as one new commit, and keep its branch."""
        query = "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } }"
        self.call("POST", f"{self.url}/api/graphql", query=query, variables={"id": pull["node_id"]})
        self.call(
            "PUT", f"/repos/{pull['base']['repo']['full_name']}/pulls/{pull['number']}/merge", merge_method="squash"
        )

    def _commit(self, repo: str, branch: str, message: str, parents: list[str]) -> str:
        tree = self.get(f"/repos/{repo}/git/commits/{parents[-1]}")["tree"]["sha"]
        commit = self.call("POST", f"/repos/{repo}/git/commits", message=message, tree=tree, parents=parents)
        self.call("PATCH", f"/repos/{repo}/git/refs/heads/{branch}", sha=commit["sha"])
        return str(commit["sha"])

    def pulls(self, session: RequestedSession) -> list[Json]:
        """The pull requests of the session's branch, open or not."""
        found = self.get(f"/repos/{session.repo}/pulls?state=all&per_page=100")
        return [pull for pull in found if pull["head"]["ref"] == session.branch]

    def comments(self, repo: str, number: int) -> list[str]:
        return [comment["body"] for comment in self.get(f"/repos/{repo}/issues/{number}/comments?per_page=100")]

    def deployments(self, session: RequestedSession) -> list[Json]:
        """The Deployments of the session's branch, each with its latest state and address."""
        found = self.get(f"/repos/{session.repo}/deployments?ref={session.branch}")
        for deployment in found:
            statuses = self.get(f"/repos/{session.repo}/deployments/{deployment['id']}/statuses")
            latest = statuses[0] if statuses else {"state": "pending", "environment_url": "", "log_url": ""}
            deployment |= {name: latest[name] for name in ("state", "environment_url", "log_url")}
        return list(found)


class Clone:
    """A work tree of a repository, for a person or Claude to work in."""

    def __init__(self, url: str, folder: Path) -> None:
        self._folder = folder
        subprocess.run(["git", "clone", "--quiet", url, str(folder)], check=True, env=GIT_ENVIRONMENT)

    def run(self, *arguments: str) -> str:
        """What git says; a conflict is nobody's subject here."""
        command = ["git", "-C", str(self._folder), *arguments]
        return subprocess.run(command, check=True, env=GIT_ENVIRONMENT, capture_output=True, text=True).stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, name: str) -> str:
        """The sha of a commit that adds a file of this name; its message names it."""
        (self._folder / name).write_text(f"{name}\n")
        self.run("add", "--all")
        self.run("commit", "--quiet", "-m", f"Add {name}")
        return self.run("rev-parse", "HEAD")

    def push(self, branch: str) -> str:
        """Make the branch on GitHub what is checked out, whatever it was; returns its sha."""
        self.run("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return self.run("rev-parse", "HEAD")
