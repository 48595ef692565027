"""A session's branch and its pull request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from cloud_agent.adapters.github.documents import (
    BranchDocument,
    Comparison,
    Conversions,
    ListedCommit,
    Pull,
    Reference,
    RuleDocument,
    Sha,
)
from cloud_agent.domain.errors import DefaultBranchNotFoundError
from cloud_agent.domain.session.branch_rule import BranchRule
from cloud_agent.domain.session.provenance import CLAUDE, Commit, initial_commit
from cloud_agent.domain.session.session_request import DefaultHead

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cloud_agent.adapters.github.documents import CommitAuthor
    from cloud_agent.adapters.github.repository_requests import RepositoryRequests
    from cloud_agent.adapters.github.requests import Response

_NOT_FOUND = frozenset({404})
_NO_RULESETS = frozenset({403, 404})  # a private repository on a free plan; a server that is too old
_UNPROCESSABLE = frozenset({422})
_COMPARISON_PAGE = 250  # commits; few branches need a second request
_CONVERSIONS = """\
query($subject: ID!) {
  node(id: $subject) {
    ... on PullRequest { timelineItems(itemTypes: [CONVERT_TO_DRAFT_EVENT], last: 1) { nodes { __typename } } }
  }
}"""
_MARK_READY = (
    "mutation($subject: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $subject}) { clientMutationId } }"
)


@dataclass(frozen=True)
class Branch:
    """A session's branch: the commit it left its base at, and the empty commit it began with.

    `base` is what its open pull request is for; None where it has none.
    """

    base_sha: str
    initial_sha: str | None
    base: str | None = None


@dataclass(frozen=True)
class Beginning:
    """The default branch's head, and an empty commit on top of it."""

    base_sha: str
    initial_sha: str

    @property
    def branch(self) -> Branch:
        """A branch that is at this commit."""
        return Branch(self.base_sha, self.initial_sha)


class Creation(Enum):
    """What came of creating a branch."""

    CREATED = auto()
    EXISTS = auto()
    CLASHES = auto()


@dataclass(frozen=True)
class PullRequest:
    """A pull request's number and page, the last commit of its branch, the branch that it's for, and its title."""

    number: int
    url: str
    head_sha: str
    base: str
    title: str = ""

    @classmethod
    def of(cls, pull: Pull) -> Self:
        """Return it of REST's document."""
        return cls(pull.number, pull.html_url, pull.head.sha, pull.base.ref, pull.title)


@dataclass(frozen=True)
class PullAsItIs:
    """A pull request's title and text, and whether it's a draft that may be made ready: one that always was a draft.

    None where nobody has asked whether somebody converted it to one.
    """

    number: int
    node_id: str
    title: str
    body: str
    may_be_ready: bool | None

    @classmethod
    def of(cls, pull: Pull) -> Self:
        """Return it of REST's document."""
        may_be_ready = None if pull.draft and pull.state == "open" else False
        return cls(pull.number, pull.node_id, pull.title, pull.body or "", may_be_ready=may_be_ready)


class Repository:
    """The branches and pull requests of one repository. Raises as `connection.GitHub` does."""

    def __init__(self, requests: RepositoryRequests) -> None:
        self._requests = requests
        self._owner = requests.repo.partition("/")[0]

    # ------------------------------------------------------------ branch

    def begin(self, default_branch: str, head: DefaultHead | None, message: str) -> Beginning:
        """Write an empty commit on top of the default branch, to which no branch points yet; None asks for its head."""
        base = head or self._head_of(default_branch)
        initial = {"message": message, "tree": base.tree, "parents": [base.sha]}
        return Beginning(base.sha, self._requests.send("POST", "/git/commits", initial).read(Sha).sha)

    def create_branch(self, branch: str, sha: str) -> Creation:
        """Create the branch at this commit, unless a branch of this name, or one whose name clashes with it, exists."""
        body = {"ref": f"refs/heads/{branch}", "sha": sha}
        response = self._requests.send("POST", "/git/refs", body, expected=_UNPROCESSABLE)
        if response.status not in _UNPROCESSABLE:
            return Creation.CREATED
        if response.refuses(422, "already exists"):
            return Creation.EXISTS
        if response.refuses(422, "reference update failed"):  # a branch `claude` where `claude/42` needs a folder
            return Creation.CLASHES
        raise self._requests.refused(response)

    def take_up(
        self,
        branch: str,
        default_branch: str,
        beginning: Beginning,
        attempts: Collection[str] | None = None,
        pull_number: int | None = None,
    ) -> Branch | None:
        """Return an existing branch, which keeps what it has; with `attempts`, only if it began with one of these.

        Its pull request is the one with `pull_number`, if there is such a one, whatever people have made its base. One
        that was merged has nothing of its own left, and GitHub opens no pull request from such a branch: it is moved to
        the new empty commit. After a squash or rebase merge, its commits are on it as they were, and count as merged
        while nothing has been pushed since.
        """
        if attempts is not None and not attempts:
            return None
        pulls = self._pulls(branch, "all")
        opened = _likeliest([pull for pull in pulls if pull.state == "open"], default_branch, pull_number)
        pages = self._comparison(opened.base.ref if opened else default_branch, branch) or []
        ahead = _commits(pages) if pages else []
        if attempts is not None and not any(commit.sha in attempts for commit in ahead):
            return None
        if opened and pages:
            return Branch(pages[0].merge_base_commit.sha, initial_commit(ahead), opened.base.ref)
        ours = [pull for pull in pulls if pull.base.ref == default_branch or pull.number == pull_number]
        if ahead and not _has_merged(ours, ahead[-1].sha):
            return Branch(pages[0].merge_base_commit.sha, initial_commit(ahead))
        moved = {"sha": beginning.initial_sha, "force": bool(ahead)}
        self._requests.send("PATCH", f"/git/refs/heads/{quote(branch)}", moved)
        return beginning.branch

    def branches_from(self, prefix: str) -> list[str]:
        """Return the names of all branches that begin with a prefix."""
        listed = self._requests.pages(f"/git/matching-refs/heads/{quote(prefix)}?per_page=100", list[Reference])
        return [reference.ref.removeprefix("refs/heads/") for page in listed for reference in page]

    def rules(self, branch: str) -> list[BranchRule]:
        """Return the active rules for a branch, whoever may bypass them; none where the plan has no rulesets."""
        path = f"/rules/branches/{quote(branch)}?per_page=100"
        response = self._requests.send("GET", path, expected=_NO_RULESETS)
        return [] if response.status in _NO_RULESETS else [_rule(one) for one in response.read(list[RuleDocument])]

    def compare(self, base: str, head: str) -> list[Commit] | None:
        """Return the commits that only `head` has, oldest first, `head`'s own last; None if a branch is gone."""
        pages = self._comparison(base, head)
        return None if pages is None else _commits(pages)

    # ------------------------------------------------------------ pull request

    def ensure_draft_pull_request(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open the pull request of the two branches, or find it; a draft, where the repository's plan has drafts."""
        pull = {"head": branch, "base": base, "title": title, "body": body}
        opened = self._requests.send("POST", "/pulls", {**pull, "draft": True}, expected=_UNPROCESSABLE)
        if opened.refuses(422, "draft pull requests are not supported"):
            opened = self._requests.send("POST", "/pulls", {**pull, "draft": False}, expected=_UNPROCESSABLE)
        if opened.status in _UNPROCESSABLE:
            return self._open_pull_request(branch, base, opened)
        return PullRequest.of(opened.read(Pull))

    def pull_request(self, pull_number: int) -> Pull:
        """Return the pull request as it stands now."""
        return self._requests.send("GET", f"/pulls/{pull_number}").read(Pull)

    def describe(self, pull_number: int, body: str) -> None:
        """Give the pull request this text."""
        self._requests.send("PATCH", f"/pulls/{pull_number}", {"body": body})

    def mark_ready_for_review(self, pull: PullAsItIs) -> bool:
        """Make an open draft ready for review; returns False where there is nothing to do, or a person made it one."""
        may_be_ready = pull.may_be_ready
        if may_be_ready is None:
            may_be_ready = not self._requests.graphql(_CONVERSIONS, subject=pull.node_id).read(Conversions).nodes
        if not may_be_ready:
            return False
        self._requests.graphql(_MARK_READY, subject=pull.node_id)
        return True

    def _head_of(self, branch: str) -> DefaultHead:
        response = self._requests.send("GET", f"/branches/{quote(branch, safe='')}", expected=_NOT_FOUND)
        if response.status in _NOT_FOUND:
            # That is also the answer for a repository that the App doesn't see, or that is empty: these refuse by name.
            self._requests.send("GET", "")
            self._requests.send("GET", f"/git/ref/heads/{quote(branch)}", expected=_NOT_FOUND)
        # A renamed branch is found by its old name, and nothing can be merged into that.
        if response.status in _NOT_FOUND or (found := response.read(BranchDocument)).name != branch:
            raise DefaultBranchNotFoundError(f"{self._requests.repo} has no branch {branch}.")
        return DefaultHead(sha=found.commit.sha, tree=found.commit.commit.tree.sha)

    def _pulls(self, branch: str, state: str) -> list[Pull]:
        """Return the latest 30 of a branch."""
        head = quote(f"{self._owner}:{branch}", safe="")
        return self._requests.send("GET", f"/pulls?state={state}&head={head}").read(list[Pull])

    def _comparison(self, base: str, head: str) -> list[Comparison] | None:
        path = f"/compare/{quote(base)}...{quote(head)}?per_page={_COMPARISON_PAGE}"
        return list(self._requests.pages(path, Comparison, expected=_NOT_FOUND)) or None

    def _open_pull_request(self, branch: str, base: str, refusal: Response) -> PullRequest:
        """Return the branch's open pull request, which is why GitHub refused another."""
        if refusal.refuses(422, "already exists"):
            for pull in self._pulls(branch, "open"):
                if pull.base.ref == base:
                    return PullRequest.of(pull)
        self._head_of(base)  # it may have been renamed since it was read with the issue
        raise self._requests.refused(refusal)


def _commits(pages: list[Comparison]) -> list[Commit]:
    """Read them with what GitHub does not say of each: whether it has the files of the one before it."""
    listed = [commit for page in pages for commit in page.commits]
    base = pages[0].merge_base_commit
    trees = {base.sha: base.commit.tree.sha} | {commit.sha: commit.commit.tree.sha for commit in listed}
    return [_commit(commit, trees) for commit in listed]


def _commit(commit: ListedCommit, trees: Mapping[str, str]) -> Commit:
    text = commit.commit
    parents = tuple(parent.sha for parent in commit.parents)
    return Commit(
        sha=commit.sha,
        message=text.message,
        url=commit.html_url,
        parents=parents,
        author=person_of(text.author),
        is_empty=len(parents) == 1 and trees.get(parents[0]) == text.tree.sha,
    )


def person_of(author: CommitAuthor | None) -> str | None:
    """Return the author's name, empty where the commit says none; None for Claude."""
    if author is None:
        return ""
    return None if (author.name, author.email) == CLAUDE else author.name


def _rule(document: RuleDocument) -> BranchRule:
    parameters = document.parameters
    if parameters is None or not parameters.operator:
        return BranchRule(type=document.type)
    return BranchRule.model_validate({"type": document.type, **parameters.model_dump()})


def _likeliest(pulls: Sequence[Pull], default_branch: str, pull_number: int | None) -> Pull | None:
    """Return the pull request that is a session's: people may have opened others from its branch."""

    def likelihood(pull: Pull) -> tuple[bool, bool, int]:
        return pull.number == pull_number, pull.base.ref == default_branch, -pull.number

    return max(pulls, key=likelihood, default=None)


def _has_merged(pulls: Sequence[Pull], head_sha: str) -> bool:
    """Whether one of them was merged with this head."""
    return any(pull.merged_at is not None and pull.head.sha == head_sha for pull in pulls)
