"""The values the stack gives its functions and containers, as far as its parameters and resources show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_agent_doctor.engine.stack import Stack

_CONSTANTS: Final = {
    "POWERTOOLS_SERVICE_NAME": "claude-cloud-agent",
    "POWERTOOLS_METRICS_NAMESPACE": "ClaudeCloudAgent",
}
_PARAMETERS: Final = {
    "AGENT_CIDR": "VpcCidr",
    "ALLOWED_BOTS": "AllowedBots",
    "ALLOW_WORKFLOW_CHANGES": "AllowWorkflowChanges",
    "ALLOWED_MODELS": "AllowedModels",
    "ANTHROPIC_BASE_URL": "AnthropicBaseUrl",
    "CLAUDE_MODEL": "ClaudeModel",
    "COMMENT_TRIGGER": "CommentTrigger",
    "DEPENDENCY_CACHE_DAYS": "DependencyCacheDays",
    "GITHUB_API_URL": "GitHubApiUrl",
    "GITHUB_URL": "GitHubUrl",
    "IDLE_MINUTES": "IdleMinutes",
    "LOG_LEVEL": "LogLevel",
    "MAX_BUDGET_USD": "MaxBudgetUsd",
    "MAX_SESSION_AGE_SECONDS": "MaxSessionAgeSeconds",
    "MAX_SESSIONS": "MaxSessions",
    "MAX_SESSIONS_PER_REPOSITORY": "MaxSessionsPerRepository",
    "MAX_TURNS": "MaxTurns",
    "MODEL_PROVIDER": "ModelProvider",
    "PICTURES": "Pictures",
    "REPOSITORY_CLAUDE_SETTINGS": "RepositoryClaudeSettings",
    "TRACKER_KEYS": "TrackerKeys",
    "TRACKER_URL": "TrackerUrl",
    "TRIGGER_LABEL": "TriggerLabel",
    "UAT_ACCESS": "UatAccess",
    "UNPUBLISHED_WORK_DAYS": "UnpublishedWorkDays",
}
_RESOURCES: Final = {
    "AGENT_LOG_GROUP": "AgentLogGroup",
    "ANTHROPIC_API_KEY": "AnthropicApiKeySecret",
    "ARTIFACTS_BUCKET": "ArtifactsBucket",
    "CHAT_WEBHOOKS_ARN": "ChatWebhooksSecret",
    "GITHUB_SECRET_ARN": "GitHubSecret",
    "IDEMPOTENCY_TABLE": "IdempotencyTable",
    "NOTIFICATIONS_TOPIC_ARN": "NotificationsTopic",
    "SESSIONS_TABLE": "SessionsTable",
    "STATE_MACHINE_ARN": "SessionStateMachine",
    "UAT_ACCESS_KEYS": "UatAccessKeysSecret",
    "UAT_ACCESS_KEYS_ARN": "UatAccessKeysSecret",
    "UAT_SIGN_IN": "UatSignInSecret",
    "WEBHOOK_SECRET_ARN": "WebhookSecret",
}
_OUTPUTS: Final = {"AGENT_API_URL": "AgentApiUrl", "CLUSTER_ARN": "ClusterArn", "UAT_URL": "UatUrl"}


def expected_values(stack: Stack) -> Mapping[str, str]:
    """Return the values by variable, without those the stack doesn't show. A secret's value is its ARN."""
    staging = bool(stack.parameters.get("StagingAgentImageUri"))
    egress_proxy = f"http://egress.{stack.name}.internal:3128" if stack.lists_egress else ""
    found = {
        **_CONSTANTS,
        **{name: stack.parameters.get(parameter, "") for name, parameter in _PARAMETERS.items()},
        **{name: stack.physical_id(resource) for name, resource in _RESOURCES.items()},
        **{name: stack.outputs.get(output, "") for name, output in _OUTPUTS.items()},
        "AGENT_TASK_FAMILY": f"{stack.name}-agent",
        "CANARY_SERVICE": stack.physical_id("CanaryService").rpartition("/")[2],
        "ENVIRONMENT_SECRET_PREFIX": f"{stack.name}/env",
        "HTTPS_PROXY": egress_proxy,
        "HTTP_PROXY": egress_proxy,
        "STACK_NAME": stack.name,
        "STAGING_AGENT_TASK_FAMILY": f"{stack.name}-staging-agent",
        "STAGING_TRIGGER_LABEL": stack.parameters.get("StagingTriggerLabel", "") if staging else "",
        "UAT_DOMAIN": stack.uat_domain,
    }
    return {name: value for name, value in found.items() if value}
