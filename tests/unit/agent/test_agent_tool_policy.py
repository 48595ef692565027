import pytest

from cloud_agent_runner.tool_policy import ToolPolicy


@pytest.mark.parametrize(
    "command",
    [
        "git push",
        "git push --force origin main",
        "cd x && git -C . -c user.name=a push origin HEAD",
        "/usr/bin/git push",
        "git --git-dir=.git push",
        "true; git push;",
    ],
)
def test_pushing_is_refused_in_words(command: str) -> None:
    assert "pushed for you" in (ToolPolicy().objection("Bash", command) or "")


@pytest.mark.parametrize(
    "command",
    [
        "git stash push -m x",
        "git commit -m 'push it'",
        "cp a .git/hooks/pre-push",
        "git log -- push.py",
        "npm run push",
        "git switch -c push",
    ],
)
def test_what_only_looks_like_a_push_is_let_through(command: str) -> None:
    assert ToolPolicy().objection("Bash", command) is None


def test_the_sixth_same_call_in_a_row_is_refused() -> None:
    policy = ToolPolicy()
    assert [None] * 5 == [policy.objection("Bash", "make") for _ in range(5)]
    assert "5 times in a row" in (policy.objection("Bash", "make") or "")
    assert policy.objection("Bash", "make test") is None
    assert policy.objection("Bash", "make") is None
