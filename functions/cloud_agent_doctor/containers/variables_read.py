"""The environment variables the two containers read.

The code that reads them is in deployable units of its own, which the functions' package can't import: a contract test
holds these names equal to the settings there, and to what template.yaml and the workflow's RunTask pass.
"""

from __future__ import annotations

from typing import Final

PROXY_CONTAINER: Final = "proxy"
PROXY_VARIABLES: Final = frozenset(
    {
        "SESSIONS_TABLE",
        "ARTIFACTS_BUCKET",
        "UAT_DOMAIN",
        "MAX_SESSIONS",
        "AGENT_CIDR",
        "UAT_ACCESS",
        "GITHUB_URL",
        "GITHUB_API_URL",
        "LOG_LEVEL",
    }
)
PROXY_SECRETS: Final = frozenset({"UAT_ACCESS_KEYS", "UAT_SIGN_IN"})

AGENT_CONTAINER: Final = "agent"
AGENT_VARIABLES: Final = frozenset(
    {
        "AGENT_API_URL",
        "GITHUB_URL",
        "UAT_DOMAIN",
        "ALLOW_WORKFLOW_CHANGES",
        "MODEL_PROVIDER",
        "ANTHROPIC_BASE_URL",
        "CLAUDE_MODEL",
        "ALLOWED_MODELS",
        "MAX_TURNS",
        "MAX_BUDGET_USD",
        "REPOSITORY_CLAUDE_SETTINGS",
        "PICTURES",
        "LOG_LEVEL",
    }
)
# With AgentEgress=listed the agent gets these, too: its programs read them, not its settings.
EGRESS_VARIABLES: Final = frozenset({"HTTPS_PROXY", "HTTP_PROXY"})
AGENT_SECRETS: Final = frozenset({"ANTHROPIC_API_KEY"})
# The workflow passes these to each task: they're one session's, so in no task definition.
RUN_TASK_VARIABLES: Final = frozenset(
    {"SESSION_ID", "SESSION_TOKEN", "TASK_TOKEN", "REPOSITORY", "BRANCH", "BASE_BRANCH"}
)
